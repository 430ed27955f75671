"""What is shown and served: text from cards and corpora stays text, and the UI answers this machine alone."""

import io
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from benchmarks.__main__ import main
from benchmarks.catalog.cards import Card
from benchmarks.catalog.registry import parse
from benchmarks.commands import interface
from benchmarks.reporting.scorecard import _environment
from benchmarks.reporting.table_text import TextTable, plain_table, to_latex, to_markdown
from gliner_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = "<script>alert(1)</script>"
FORMULA = "=cmd|' /C calc'!A0"
TEMPLATES = sorted((ROOT / "benchmarks" / "reporting" / "templates").glob("*.j2"))


def _table(text: str) -> TextTable:
    return plain_table(text, (text, "n"), [(text, 1)])


def test_html_escapes_what_a_template_prints(tmp_path: Path) -> None:
    environment = _environment(tmp_path, tmp_path / "page.html")
    shown = environment.from_string('<td>{{ text }}</td><p title="{{ text }}">').render(text=SCRIPT + '"')
    assert "<script" not in shown and "&lt;script&gt;" in shown and '""' not in shown


def test_no_template_switches_escaping_off() -> None:
    assert len(TEMPLATES) == 2
    for path in TEMPLATES:
        text = path.read_text(encoding="utf-8")
        assert not [word for word in ("|safe", "| safe", "autoescape", "Markup") if word in text], path


def test_markdown_and_latex_show_hostile_text_as_text() -> None:
    text = f"{SCRIPT} | [x](javascript:1) $x$ \\input{{/etc/passwd}} `id` \n| new | row |"
    markdown, latex = to_markdown(_table(text)), to_latex(_table(text), text)
    assert "<script" not in markdown and "](javascript" not in markdown.replace("\\](", "")
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(rows) == 3  # header, rule, one row: the line end made no new one
    assert "\\input" not in latex and "<script" not in latex and r"\textbackslash{}input" in latex


@pytest.mark.parametrize("title", [FORMULA, "+1", "-1", "@SUM(A1)", "\t=1", " =1", "a\nb", ""])
def test_a_card_title_begins_no_formula(title: str) -> None:
    with pytest.raises(InputError, match="`title`"):
        parse(Card, {"name": "a", "title": title}, "a.yaml")


def test_text_of_corpora_goes_through_csv_unchanged() -> None:
    """Decided: corpora hold words such as `=` and `-5`, and a prefix against formulas would falsify them."""
    frame = pd.DataFrame({"surface": [FORMULA, "-5", "=", 'a"b', "a,b", "a\nb"], "n": range(6)})
    again = pd.read_csv(io.StringIO(frame.to_csv(index=False)), keep_default_na=False)
    assert again.equals(frame)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(interface, "subprocess", SimpleNamespace(run=run))
    monkeypatch.setattr(interface, "experiment_id", lambda *_: "1")
    monkeypatch.chdir(ROOT)
    return commands


@pytest.mark.parametrize(("given", "host"), [([], "127.0.0.1"), (["--host", "0.0.0.0"], "0.0.0.0")])
def test_the_ui_binds_to_this_machine_unless_told_otherwise(
    started: list[list[str]], given: list[str], host: str
) -> None:
    assert main(["ui", *given]) == 0
    (command,) = started
    assert command[command.index("--host") + 1] == host


def test_make_ui_does_not_widen_the_address() -> None:
    lines = [line for line in (ROOT / "Makefile").read_text().splitlines() if "benchmarks ui" in line]
    assert lines and not any("--host" in line for line in lines)
