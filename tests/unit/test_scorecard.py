"""The scorecard: a link behind each number, numbers that come from the cells, and markup that nothing can break."""

import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import pytest
import reporting_samples as samples

from benchmarks.catalog.cards import ProtocolCard
from benchmarks.catalog.logins import without_password
from benchmarks.reporting.narrative import finding, verdict_summary
from benchmarks.reporting.scorecard import build_scorecard, relative_address
from benchmarks.reporting.scorecard_facts import (
    LeakageFact,
    MeasurementFact,
    Provenance,
    RunFact,
    ScorecardFacts,
    StudySection,
)
from benchmarks.reporting.scorecard_facts import TruncationFact as LostWords
from benchmarks.reporting.summary import CellIndex
from benchmarks.reporting.table_text import escape_markdown, plain_table
from benchmarks.scoring.judging import RULE
from gliner_core.errors import InputError

VOID = {"meta", "img", "br", "link", "hr", "input"}
HOSTILE = "<script>alert(1)</script> \" ' & | `x` [y](javascript:z)"


class Page(HTMLParser):
    """Collects ids, links and images, and fails on tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self.ids += [found["id"]] if found.get("id") else []
        if tag == "a":
            self.links.append((found["href"] or "", ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "a":
            address, text = self.links[-1]
            self.links[-1] = (address, text + data)


def facts(**changes: Any) -> ScorecardFacts:
    provenance = Provenance(
        commit="0123abc",
        is_dirty=True,
        versions={"torch": "2.13.0"},
        hardware="2 CPU cores",
        mlflow_experiment="gliner-bench",
        tracking_uri="http://me:secret@host:5000",
        seeds=(1, 2, 3),
    )
    values: dict[str, Any] = {
        "scale": "demo",
        "is_synthetic": True,
        "protocols": (ProtocolCard(name="gliner-official", title="Official", ask_else=True, score_else=True),),
        "leakage": (
            LeakageFact(dataset="sky", num_sentences=200, num_shared_sentences=3, num_types=8, num_shared_types=5),
        ),
        "truncation": (
            LostWords(system="r1", dataset="demo_sky", num_words=1000, num_words_lost=17, num_sentences_cut=2),
            LostWords(system="r1", dataset="demo_kitchen", num_words=1000, num_words_lost=0, num_sentences_cut=0),
        ),
        "provenance": provenance,
        "runs": (
            RunFact(
                run="baseline_s1-0a1b2c", label="Baseline", seed=1, params_digest="d1", mlflow_run="m1",
                seconds_train=61.25, path="runs/baseline_s1-0a1b2c/receipt.json",
            ),
        ),
        "deviations": ("The demo trains a tiny encoder.",),
    }  # fmt: skip
    return ScorecardFacts(**(values | changes))


def section(folder: Path, cells: pd.DataFrame, card: Any, titles: dict[str, str], verdicts: Any = None) -> StudySection:
    svg = folder / "studies" / card.name / "figure.svg"
    svg.parent.mkdir(parents=True, exist_ok=True)
    svg.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    return StudySection(
        card=card,
        cells=cells,
        published=samples.published_rows(),
        verdicts=samples.verdict_rows().iloc[:0] if verdicts is None else verdicts,
        dataset_titles=titles,
        figure_svg=svg,
        differences=samples.differences(cells, card),
    )


def sections(folder: Path) -> list[StudySection]:
    return [
        section(folder, samples.width_cells(), samples.width_card(), {}),
        section(folder, samples.main_cells(), samples.main_card(), samples.DEMO_TITLES, samples.verdict_rows()),
    ]


def build(folder: Path, studies: list[StudySection] | None = None, **changes: Any) -> tuple[str, str]:
    md, html = folder / "scorecard.md", folder / "scorecard.html"
    build_scorecard(folder, sections(folder) if studies is None else studies, facts(**changes), md, html)
    return md.read_text(encoding="utf-8"), html.read_text(encoding="utf-8")


def test_every_measured_number_links_to_its_score_file(tmp_path: Path) -> None:
    cells = samples.main_cells()
    md, html = build(tmp_path, [section(tmp_path, cells, samples.main_card(), samples.DEMO_TITLES)])
    page = Page(html)
    shown = {(unquote(address), text) for address, text in page.links}
    scores = cells[(cells["metric"] == "f1_pct")]
    assert len(scores) == 12
    for row in scores.itertuples():
        assert (row.path, f"{round(row.value, 1):.1f}") in shown
        assert f"[{round(row.value, 1):.1f}]({row.path})" in md


def test_a_mean_over_seeds_links_to_each_seed(tmp_path: Path) -> None:
    md, html = build(tmp_path)
    addresses = [address for address, _ in Page(html).links]
    for seed in (1, 2, 3):
        path = f"cells/max_width-4-s{seed}/average/d1/scores.gliner_official.json"
        assert path in addresses
        assert f"[s{seed}]({path})" in md


def test_html_is_well_formed_self_contained_and_has_unique_ids(tmp_path: Path) -> None:
    _, html = build(tmp_path)
    page = Page(html)
    assert html.startswith("<!DOCTYPE html>")
    assert len(page.ids) == len(set(page.ids))
    assert {address[1:] for address, _ in page.links if address.startswith("#")} <= set(page.ids)
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "iframe")]
    assert all(found["src"].startswith("data:image/svg+xml;base64,") for tag, found in page.tags if tag == "img")
    assert not re.search(r"(src|href)=\"(https?:)?//", html) and "@import" not in html and "url(" not in html


def test_headline_study_comes_first_and_its_table_is_not_repeated(tmp_path: Path) -> None:
    md, html = build(tmp_path)
    for text in (md, html):
        assert text.index("Headline: Zero-shot NER out of domain") < text.rindex("Maximum span width K")
    assert md.count("| Untrained |") == 1
    assert html.count(">Untrained<") == 1


def test_synthetic_scales_carry_a_banner_and_others_do_not(tmp_path: Path) -> None:
    md, html = build(tmp_path)
    assert "SYNTHETIC CORPORA" in md and 'class="banner"' in html
    md, html = build(tmp_path, is_synthetic=False)
    assert "SYNTHETIC" not in md and 'class="banner"' not in html


def test_what_was_timed_has_its_tables_and_its_figure(tmp_path: Path) -> None:
    svg = tmp_path / "studies/efficiency/figure.svg"
    svg.parent.mkdir(parents=True)
    svg.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    table = plain_table("Targets", ("Target", "Verdict"), [("training step", "met")])
    timed = MeasurementFact(name="efficiency", title="Speed", notes="One core.", tables=(table,), figure_svg=svg)
    md, html = build(tmp_path, measurements=(timed,))
    assert "## Speed" in md and "| training step | met |" in md and "](studies/efficiency/figure.svg)" in md
    assert '<section id="measurement-efficiency">' in html and ">training step</th><td>met</td>" in html
    assert {address[1:] for address, _ in Page(html).links if address.startswith("#")} <= set(Page(html).ids)
    assert "Speed" not in build(tmp_path)[0]


def test_the_page_shows_all_facts_and_no_password(tmp_path: Path) -> None:
    for text in build(tmp_path):
        for fact in (
            "0123abc", "with uncommitted changes", "torch 2.13.0", "2 CPU cores", "gliner-bench", "http://host:5000",
            "make ui", "1, 2, 3", "baseline_s1-0a1b2c", "d1", "m1", "The demo trains a tiny encoder.", "62.5",
            "17 of 2,000 words", "0.85 %", "Printed numbers: 4, of which 1 match, 1 close, 1 off, 1 n/a.",
        ):  # fmt: skip
            assert fact in text
        assert "secret" not in text
    assert "demo_kitchen | 1,000" not in build(tmp_path)[0], "only data sets that lost words are listed"


def test_finding_takes_its_numbers_from_the_cells() -> None:
    text = finding(CellIndex(samples.width_cells(), samples.width_card()))
    assert text == (
        "Under the protocol gliner_official, Baseline (K = 12) reaches an average F1 of 53.5 % (95 % interval over "
        "test sentences 51.3 to 55.9; mean of 3 seeds that span 53.0 to 54.0)."
    )
    assert finding(CellIndex(samples.main_cells(), samples.main_card())).endswith("; one seed).")
    text = finding(CellIndex(samples.loss_cells(), samples.loss_card()))
    assert text.endswith("; under no_else, Baseline (BCE) reaches 55.5 %.")


def test_a_study_says_how_its_variants_compare_and_the_page_how_that_is_judged(tmp_path: Path) -> None:
    md, html = build(tmp_path)
    assert "Against baseline, 0 of 3 are shown to be higher and 2 lower; for 1 no difference is shown." in md
    assert "| -8.0 [-9.0, -7.0] | -10.0 to -6.0 | &lt; 0.001 | lower |" in md
    assert "Against baseline: Untrained -55.2 points (95 % over sentences -56.2 to -54.2, sentences only" in html
    assert md.count("## How differences are judged") == html.count("<h2>How differences are judged</h2>") == 1
    for text in RULE:
        assert escape_markdown(text) in md and text in unescape(html)


def test_verdict_summary_gives_the_common_reason() -> None:
    why = "scale demo is not the paper's"
    rows = samples.verdict_rows().assign(verdict="n/a", reason=[f"{why}; more", why, why, why])
    assert verdict_summary(rows) == f"Printed numbers: 4, none of which can be held against this ({why})."
    assert verdict_summary(rows.iloc[:0]) == "The paper prints no number for this question."


def test_hostile_text_cannot_become_markup(tmp_path: Path) -> None:
    cells = samples.width_cells()
    cells["label"] = cells["label"].replace("K = 4", HOSTILE)
    cells["path"] = 'javascript:alert(1)//"><script>.json'
    card = samples.width_card(question=HOSTILE, claim=HOSTILE, notes=HOSTILE).model_copy(update={"title": HOSTILE})
    studies = [section(tmp_path, cells, card, {}, samples.verdict_rows().assign(reason=HOSTILE))]
    md, html = build(tmp_path, studies, deviations=(HOSTILE,), scale=HOSTILE)
    page = Page(html)
    assert not [tag for tag, _ in page.tags if tag == "script"]
    assert not [address for address, _ in page.links if address.lower().startswith("javascript:")]
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 5
    assert "<script>" not in md and not re.search(r"(?<!\\)\]\(javascript:", md)


def test_addresses_are_relative_to_the_page(tmp_path: Path) -> None:
    page = tmp_path / "results" / "demo" / "scorecard.html"
    assert relative_address(tmp_path / "results/demo/cells/a b/x.json", page) == "cells/a%20b/x.json"
    assert relative_address(tmp_path / "results/x.json", page) == "../x.json"


def test_password_is_removed_only_from_the_address() -> None:
    assert without_password("postgresql://me:p@ss@host/db") == "postgresql://host/db"
    assert without_password("sqlite:///mlflow.db") == "sqlite:///mlflow.db"


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no study to show"):
        build(tmp_path, [])
    studies = sections(tmp_path)
    studies[0].figure_svg.unlink()
    with pytest.raises(InputError, match=r"figure\.svg: no such file"):
        build(tmp_path, studies)
    broken = section(
        tmp_path, samples.main_cells(), samples.main_card(), {}, samples.verdict_rows()[["reason", "verdict"]]
    )
    with pytest.raises(InputError, match="column `table` is missing"):
        build(tmp_path, [broken])


def test_same_bytes_in_two_processes(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]\n"
        "from pathlib import Path\n"
        "import test_scorecard\n"
        "test_scorecard.build(Path(sys.argv[2]))\n"
    )
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        environment = {"PYTHONHASHSEED": str(number), "PYTHONPATH": str(Path(__file__).parents[2])}
        command = [sys.executable, "-c", code, str(Path(__file__).parent), str(folder)]
        subprocess.run(command, check=True, env=environment)
    for name in ("scorecard.md", "scorecard.html"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
