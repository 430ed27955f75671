"""Builds the scorecard: one page that shows every table, figure, verdict and the provenance of a scale.

The same view is rendered twice, by `templates/scorecard.md.j2` and `templates/scorecard.html.j2`.
"""

import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.catalog.logins import without_password
from benchmarks.reporting.narrative import finding, held_against, verdict_summary
from benchmarks.reporting.scorecard_facts import AnalysisFact, ScorecardFacts, StudySection
from benchmarks.reporting.summary import CellIndex
from benchmarks.reporting.table_text import (
    TextTable,
    escape_markdown,
    numeric_columns,
    plain_table,
    text_tables,
    to_markdown,
)  # fmt: skip
from benchmarks.reporting.tables import build_table
from benchmarks.scoring.judging import RULE
from gliner_core.errors import InputError
from gliner_core.files import atomic_write

HEADLINE = "main_table"
# fmt: off
VERDICT_COLUMNS = (
    "table", "row", "column", "metric", "published", "ours", "low", "high", "delta", "tolerance", "verdict", "reason",
)
PROTOCOL_COLUMNS = (
    "Protocol", "else asked", "else scored", "Label case", "Label order", "Gold repaired", "Threshold", "Overlap",
    "Unit",
)
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyView:
    """One study, ready to be shown."""

    anchor: str
    title: str
    question: str
    claim: str
    notes: str
    finding: str
    figure: Path
    tables: tuple[TextTable, ...]
    verdict_summary: str
    verdicts: TextTable | None
    analyses: tuple[AnalysisFact, ...]
    is_headline: bool


def build_scorecard(
    results: Path, studies: Sequence[StudySection], facts: ScorecardFacts, md: Path, html: Path
) -> None:
    """Writes the page as Markdown and as one self-contained HTML file; `results` is the folder of the scale."""
    if not studies:
        raise InputError(f"{results}: no study to show; list at least one in `studies` of the scale {facts.scale}")
    ordered = sorted(studies, key=lambda section: section.card.name != HEADLINE)
    views = [_study_view(section) for section in ordered]
    for page, template in ((md, "scorecard.md.j2"), (html, "scorecard.html.j2")):
        text = _environment(results, page).get_template(template).render(
            studies=views, facts=facts, tracking_uri=without_password(facts.provenance.tracking_uri),
            protocol_table=_protocol_table(facts), leakage_table=_leakage_table(facts), run_rows=facts.runs,
            truncation_table=_truncation_table(facts), truncation_summary=_truncation_summary(facts), rule=RULE,
        )  # fmt: skip
        with atomic_write(page) as stream:
            stream.write(text)


def _environment(results: Path, page: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=page.suffix == ".html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    def link(path: str | Path) -> str:
        return relative_address(results / path, page)

    environment.globals.update(link=link, numeric_columns=numeric_columns, picture=_picture)
    environment.filters.update(md=escape_markdown, md_table=lambda table: to_markdown(table, link))
    return environment


def relative_address(target: Path, page: Path) -> str:
    """The address of a file as seen from the page; percent-encoded, so it can hold no scheme and no markup."""
    return quote(Path(os.path.relpath(target.absolute(), page.absolute().parent)).as_posix())


def _picture(path: Path) -> str:
    """The SVG as a `data:` address: as an image its ids cannot clash with those of other figures on the page."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; draw the figure of the study first") from None
    return "data:image/svg+xml;base64," + b64encode(content).decode("ascii")


def _study_view(section: StudySection) -> StudyView:
    card = section.card
    paired = section.differences
    frame = build_table(section.cells, card, section.published, section.dataset_titles, section.verdicts, paired)
    told = [finding(CellIndex(section.cells, card)), *held_against(paired)]
    return StudyView(
        anchor=f"study-{card.name}",
        title=card.title,
        question=card.question,
        claim=card.claim,
        notes=card.notes,
        finding=" ".join(told),
        figure=section.figure_svg.absolute(),
        tables=text_tables(frame),
        verdict_summary=verdict_summary(section.verdicts),
        verdicts=_verdict_table(section.verdicts),
        analyses=section.analyses,
        is_headline=card.name == HEADLINE,
    )


def _verdict_table(verdicts: pd.DataFrame) -> TextTable | None:
    if verdicts.empty:
        return None
    columns = VERDICT_COLUMNS
    titles = tuple(name.replace("_pct", ", %").capitalize() for name in columns)
    missing = [name for name in columns if name not in verdicts.columns]
    if missing:
        raise InputError(f"verdicts.csv: column `{missing[0]}` is missing; write the file with `compare`")
    rounded = verdicts.round({name: 1 for name in ("ours", "low", "high", "delta")})
    rows = [tuple(row) for row in rounded[list(columns)].astype(object).itertuples(index=False)]
    return plain_table("", titles, rows)


def _protocol_table(facts: ScorecardFacts) -> TextTable:
    yes = {True: "yes", False: "no"}
    rows: list[tuple[object, ...]] = [
        (
            card.name, yes[card.ask_else], yes[card.score_else], card.label_case, card.label_order,
            yes[card.repair_gold], f"> {card.threshold:g}", card.overlap, card.unit,
        )
        for card in facts.protocols
    ]  # fmt: skip
    return plain_table("", PROTOCOL_COLUMNS, rows)


def _leakage_table(facts: ScorecardFacts) -> TextTable:
    rows: list[tuple[object, ...]] = [
        (
            fact.dataset, fact.num_sentences, fact.num_shared_sentences,
            _share(fact.num_shared_sentences, fact.num_sentences),
            fact.num_types, fact.num_shared_types, _share(fact.num_shared_types, fact.num_types),
        )
        for fact in facts.leakage
    ]  # fmt: skip
    columns = ("Dataset", "Sentences", "Also in training", "%", "Types", "Types trained on", "%")
    return plain_table("", columns, rows)


def _truncation_table(facts: ScorecardFacts) -> TextTable:
    rows: list[tuple[object, ...]] = [
        (
            fact.system, fact.dataset, fact.num_words, fact.num_words_lost,
            _share(fact.num_words_lost, fact.num_words), fact.num_sentences_cut,
        )
        for fact in facts.truncation
        if fact.num_words_lost
    ]  # fmt: skip
    return plain_table("", ("Run or system", "Dataset", "Words", "Words lost", "%", "Sentences cut"), rows)


def _truncation_summary(facts: ScorecardFacts) -> str:
    if not facts.truncation:
        return "No counts of lost words were handed over."
    words = sum(fact.num_words for fact in facts.truncation)
    lost = sum(fact.num_words_lost for fact in facts.truncation)
    return f"{lost:,} of {words:,} words handed to all runs and systems were lost ({_share(lost, words):.2f} %)."


def _share(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0
