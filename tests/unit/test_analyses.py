"""The frame of analyses: rows are written once, pages come from the rows alone and look the same twice."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from matplotlib.figure import Figure

from benchmarks.analyses.gathering import gather_rows
from benchmarks.analyses.page import Page
from benchmarks.analyses.pages import page_of, write_page
from benchmarks.catalog import analyses
from benchmarks.catalog.analyses import ANALYSES, AnalysisEntry
from benchmarks.catalog.registry import load_registry
from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.reporting.table_text import plain_table

ROOT = Path(__file__).resolve().parents[2]
STUDY = "main_table"


def draw(figure: Figure) -> None:
    figure.add_subplot().plot([1, 2], [3, 4])


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with an analysis `echo` whose two halves are modules made here."""
    rows, page = ModuleType("echo_rows"), ModuleType("echo_page")
    rows.gather = lambda space, study: pd.DataFrame({"study": [study, ""], "value": [1.5, None], "word": ["n/a", "x"]})
    page.present = lambda frame, card, space: Page(
        tables=(plain_table("", ("word", "value"), [(row.word, row.value) for row in frame.itertuples()]),),
        findings=(f"{card.name} has {len(frame)} rows | and a pipe.",),
        draw=draw,
        notes=("A note.",),
    )
    monkeypatch.setitem(sys.modules, "echo_rows", rows)
    monkeypatch.setitem(sys.modules, "echo_page", page)
    entry = AnalysisEntry(title="Echo", rows="echo_rows", page="echo_page", reads=("scores",))
    monkeypatch.setitem(analyses.ANALYSES, "echo", entry)
    return open_workspace(ROOT, {"scale": "demo", "device": "cpu", "results": str(tmp_path)})


def outputs(space: Workspace) -> list[Path]:
    return [space.study(STUDY) / "echo" / name for name in ("table.md", "findings.txt", "figure.svg", "figure.png")]


def test_a_page_is_made_from_the_rows_alone(space: Workspace) -> None:
    rows = space.study(STUDY) / "echo" / "rows.csv"
    gather_rows(space, STUDY, "echo", rows)
    assert rows.read_text() == f"study,value,word\n{STUDY},1.5,n/a\n,,x\n"
    sys.modules["echo_rows"].gather = None  # a page never gathers
    write_page(space, STUDY, "echo", outputs(space))
    first = [path.read_bytes() for path in outputs(space)]
    write_page(space, STUDY, "echo", outputs(space))
    assert [path.read_bytes() for path in outputs(space)] == first
    text = first[0].decode()
    assert first[1].decode() == f"{STUDY} has 2 rows | and a pipe.\n"
    assert text.startswith("**Zero-shot NER on out-of-domain data: Echo (scale demo, synthetic corpora)**\n\n")
    assert "2 rows \\| and a pipe." in text
    assert "| n/a | 1.5 |" in text.replace("  ", " ")


def test_words_stay_words_and_empty_fields_are_missing(space: Workspace) -> None:
    gather_rows(space, STUDY, "echo", space.study(STUDY) / "echo" / "rows.csv")
    (table,) = page_of(space, STUDY, "echo").tables
    assert [[cell.text for cell in row] for row in table.rows] == [["n/a", "1.5"], ["x", "-"]]


@pytest.mark.parametrize("name", sorted(ANALYSES))
def test_every_analysis_has_its_two_halves(name: str) -> None:
    entry = ANALYSES[name]
    assert callable(import_module(entry.rows).gather)
    assert callable(import_module(entry.page).present)
    assert entry.reads


def test_every_analysis_is_asked_by_a_study() -> None:
    asked = {name for card in load_registry(ROOT).studies.values() for name in card.analyses}
    assert asked == set(ANALYSES)
