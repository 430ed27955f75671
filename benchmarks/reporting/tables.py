"""Lays the cells of a study out as its table, beside the paper's printed rows, and writes CSV, Markdown and LaTeX.

This is the only place that rounds. A value column `F1` has the companions `F1 (low)` and `F1 (high)` (sentence
interval), `F1 (seed min)` and `F1 (seed max)` (seed spread) and `F1 (path)` (score file); the CSV has no paths.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.printed import AUTHOR_FILES
from benchmarks.reporting.compare import COMPARABLE_SCALE
from benchmarks.reporting.difference_text import p_text, seeds_text, shown_text
from benchmarks.reporting.inputs import references_of
from benchmarks.reporting.paired import average_lines
from benchmarks.reporting.published_rows import (
    METRIC_TITLES,
    like_ours,
    name_column,
    published_heading,
    published_rows,
    put_value,
    readable_count,
)
from benchmarks.reporting.summary import AVERAGE, CellIndex, Estimate, RowKey
from benchmarks.reporting.table_text import (
    AVERAGE_DELTA,
    COMPANIONS,
    COSTS,
    DELTA,
    OVER_SEEDS,
    P_VALUE,
    SHOWN,
    escape_markdown,
    format_number,
    text_tables,
    to_latex,
    to_markdown,
)
from gliner_core.files import atomic_write

PUBLISHED, MEASURED = "published", "measured here"
Rows = list[dict[str, Any]]
Lines = Mapping[tuple[str, ...], pd.Series]  # of differences.csv about averages, see `average_lines`
PAPER_DELTA, VERDICT = "Average - paper", "Verdict"


def build_table(
    cells: pd.DataFrame,
    card: StudyCard,
    published: pd.DataFrame,
    dataset_titles: Mapping[str, str],
    verdicts: pd.DataFrame | None = None,
    differences: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The table of one study: printed rows first, then the baseline, its variants and the systems.

    Rows that were published elsewhere, or count something else than our columns, follow in blocks of their own.

    With `verdicts` (of `compare`), rows that answer for a printed row say how far their average lies from it; with
    `differences` (of `paired`), all others say how far theirs lies from the baseline and whether that is shown.
    """
    index = CellIndex(cells, card)
    printed, others = like_ours(references_of(card, published), card)
    comparable = is_comparable(index, printed)
    if comparable:  # the author's files of a dataset stand in the column of the dataset
        dataset_titles = {
            name: dataset_titles.get(name.removeprefix(AUTHOR_FILES), title) for name, title in dataset_titles.items()
        }
    compared = None if differences is None or differences.empty else average_lines(differences)
    lay_out = _dataset_rows if card.layout == "datasets" else _axis_rows
    ours = lay_out(index, dataset_titles, compared)
    if verdicts is not None:
        for row, key in zip(ours, index.rows, strict=True):
            _put_verdict(row, key, index, verdicts)
    theirs = published_rows(printed, card, dataset_titles)
    headings = _headings(index, printed, comparable)
    if comparable:  # they share a block with rows that name theirs
        for row, key in zip(ours, index.rows, strict=True):
            row["Protocol"] = key.protocol
    blocks = [(headings[0], PUBLISHED, theirs), (headings[1], MEASURED, ours)]
    blocks += [(heading, PUBLISHED, published_rows(rows, card, dataset_titles)) for heading, rows in others]
    for heading, source, rows in blocks:
        for row in rows:
            row.update({"Block": heading, "Source": source})
    return _frame([row for _, _, rows in blocks for row in rows])


def write_table(frame: pd.DataFrame, csv: Path, md: Path, tex: Path, caption: str) -> None:
    """Writes one table three times; the same frame gives the same bytes."""
    plain = frame[[name for name in frame.columns if not name.endswith(" (path)")]]
    empty = [name for name in plain.columns if name.endswith(COMPANIONS) and plain[name].isna().all()]
    tables = text_tables(frame)
    with atomic_write(csv) as stream:
        plain.drop(columns=empty).to_csv(stream, index=False, lineterminator="\n")
    with atomic_write(md) as stream:
        stream.write("\n".join([f"**{escape_markdown(caption)}**", "", *(to_markdown(table) for table in tables)]))
    with atomic_write(tex) as stream:
        stream.write("\n".join(to_latex(table, caption) for table in tables))


def is_comparable(index: CellIndex, printed: pd.DataFrame) -> bool:
    """Whether the paper's columns are exactly the datasets measured here, at the paper's scale."""
    theirs = {str(name) for name in printed["dataset"].dropna()} - {AVERAGE, ""} if len(printed) else set()
    ours = {name.removeprefix(AUTHOR_FILES) for name in index.datasets}
    return index.card.layout == "datasets" and index.scale == COMPARABLE_SCALE and theirs == ours


def _headings(index: CellIndex, printed: pd.DataFrame, comparable: bool) -> tuple[str, str]:
    protocol = f", protocol {index.protocols[0]}" if len(index.protocols) == 1 else ""
    here = f"easured here: scale {index.scale}, suite {index.suite}{protocol}"
    measured = f"M{here}"
    if printed.empty:
        return "", measured
    name = published_heading(printed)
    if comparable:
        shared = f"{name}, and m{here}"
        return shared, shared
    if index.card.layout == "axes" and index.scale == "paper":
        return name, measured  # columns differ, the numbers do not: the verdicts compare them one by one
    return f"{name} (not comparable with the block below)", f"{measured} (not comparable with the block above)"


def _dataset_rows(index: CellIndex, titles: Mapping[str, str], differences: Lines | None) -> Rows:
    rows = []
    for key in index.rows:
        row = _identity(index, key, index.score(key))
        row["Params"] = _parameters(index, key)
        for dataset in (*index.datasets, AVERAGE):
            title = "Average" if dataset == AVERAGE else titles.get(dataset, dataset)
            _put_estimate(row, title, index.score(key, dataset))
        if differences is not None:
            _put_difference(row, AVERAGE_DELTA, differences.get((key.variant, key.system, key.protocol, key.decoding)))
        rows.append(row)
    return rows


def _parameters(index: CellIndex, key: RowKey) -> str | None:
    """All weights, and those that the paper counts."""
    whole, inner = (index.get(key, "", name) for name in ("parameters", "parameters_without_embeddings"))
    if whole is None or inner is None:
        return readable_count(whole.value) if whole else None
    return f"{readable_count(whole.value)} ({readable_count(inner.value)} without word embeddings)"


def _axis_rows(index: CellIndex, titles: Mapping[str, str], differences: Lines | None) -> Rows:
    rows = []
    for key in index.rows:
        row = _identity(index, key, index.score(key))
        for metric, title in METRIC_TITLES.items():
            _put_estimate(row, title, index.get(key, AVERAGE, metric))
        if differences is not None:
            _put_difference(row, DELTA, differences.get((key.variant, key.system, key.protocol, key.decoding)))
        for metric, (title, divisor, decimals) in COSTS.items():
            _put_estimate(row, title, index.get(key, "", metric), divisor, decimals)
        rows.append(row)
    return rows


def _identity(index: CellIndex, key: RowKey, score: Estimate | None) -> dict[str, Any]:
    row: dict[str, Any] = {name_column(index.card): key.label}
    if len(index.protocols) > 1:
        row["Protocol"] = key.protocol
    if index.has_several_decodings():
        row["Decoding"] = key.decoding
    row["Seeds"] = str(len(score.seeds)) if score and not key.system else ""
    return row


def _put_verdict(row: dict[str, Any], key: RowKey, index: CellIndex, verdicts: pd.DataFrame) -> None:
    printed = [reference.row for reference in index.card.references if reference.variant == key.variant]
    if index.scale != COMPARABLE_SCALE or key.system or key.protocol != index.protocols[0] or not printed:
        return  # elsewhere no verdict is given, and a difference from the paper would read as one
    mine = verdicts["row"].isin(printed) | verdicts["column"].isin(printed)
    average = verdicts[mine & (verdicts["dataset"] == AVERAGE) & (verdicts["metric"] == "f1_pct")]
    if len(average):
        found = average.iloc[0]
        known = not pd.isna(found["delta"])
        # An average that mixes protocols is not the one in this row; verdicts.csv holds ours.
        way = "" if found["protocol"] == key.protocol else f", {found['protocol']}"
        row[PAPER_DELTA] = f"{format_number(found['delta'], signed=True)} ({printed[0]}{way})" if known else None
        row[VERDICT] = found["verdict"]


def _put_difference(row: dict[str, Any], title: str, line: pd.Series | None) -> None:
    """The paired difference; with datasets as columns there is room for its sentence interval and verdict only."""
    put_value(row, title, None if line is None else line["difference_points"], decimals=1)
    if line is not None:
        row[f"{title} (low)"], row[f"{title} (high)"] = (round(line[name], 1) + 0.0 for name in ("low", "high"))
    texts = ({OVER_SEEDS: seeds_text, P_VALUE: p_text} if title == DELTA else {}) | {SHOWN: shown_text}
    row |= {name: None if line is None else text(line) for name, text in texts.items()}


def _put_estimate(
    row: dict[str, Any], title: str, estimate: Estimate | None, divisor: float = 1.0, decimals: int = 1
) -> None:
    put_value(row, title, estimate.value / divisor if estimate else None, decimals)
    if estimate is None:
        return
    several = len(estimate.seeds) > 1
    bounds = (
        estimate.low,
        estimate.high,
        min(estimate.seeds) if several else None,
        max(estimate.seeds) if several else None,
    )
    for companion, bound in zip(COMPANIONS, bounds, strict=True):
        row[title + companion] = None if bound is None else round(bound / divisor, decimals) + 0.0
    row[title + " (path)"] = "\n".join(path for path in estimate.paths if path) or None


def _frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    lead = ["Block", "Model", "Variant", "Source", "Params", "Protocol", "Decoding", "Seeds"]
    present = list(dict.fromkeys(name for row in rows for name in row))
    last = [name for name in present if name.split(" (")[0] in ("Average", AVERAGE_DELTA)]
    last += [SHOWN] if f"{AVERAGE_DELTA} (low)" in present else []
    last += [name for name in (PAPER_DELTA, VERDICT) if name in present]
    middle = [name for name in present if name not in lead and name not in last]
    columns = [name for name in lead if name in present] + middle + last
    frame = pd.DataFrame(rows, columns=columns)
    unused = [name for name in columns if frame[name].isna().all() and f"{name} (path)" in columns]
    return frame.drop(columns=[name + part for name in unused for part in ("", *COMPANIONS, " (path)")])
