"""The README's headline is the one of the release it names, and a release is copied whole and never overwritten."""

import re
from pathlib import Path

import pytest

from benchmarks.catalog.registry import load_registry
from benchmarks.catalog.workspace import open_workspace
from benchmarks.commands.release import (
    BEGIN,
    BLOCKS,
    END,
    OPEN_QUESTIONS,
    answers_block,
    headline_block,
    release_results,
    write_block,
)
from gliner_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


def block(name: str) -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition(BEGIN.format(name))[2].partition(END.format(name))[0].strip()


@pytest.mark.parametrize("name", BLOCKS)
def test_readme_shows_the_release_it_names(name: str) -> None:
    shown = block(name)
    release = re.match(r"Release \[`([^`]+)`\]", shown)
    assert release, f"README.md names no release between its {name} markers"
    assert shown == BLOCKS[name](load_registry(ROOT), ROOT / "results" / "released" / release[1]).strip()


def finished(folder: Path) -> None:
    for name in ("scorecard.md", "scorecard.html", "studies/main_table/table.md", "cells/r/d/default/scores.p.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name} | [1.0](cells/r/d/default/scores.p.json)\n")
    (folder / "runs/r/model").mkdir(parents=True)
    (folder / "runs/r/model/model.safetensors").write_text("weights")
    (folder / "cells/r/d/default/predictions.jsonl").write_text("{}")


def test_release_keeps_the_small_files_once(tmp_path: Path) -> None:
    space = open_workspace(ROOT, {"results": str(tmp_path / "results")})
    space = type(space)(**{name: getattr(space, name) for name in space.__slots__} | {"root": tmp_path})
    with pytest.raises(InputError, match=r"scorecard\.html: not there; finish the workflow"):
        release_results(space, "first", readme=False)
    finished(space.home)
    release_results(space, "first", readme=False)
    kept = {path.relative_to(tmp_path / "results/released/first").as_posix() for path in
            (tmp_path / "results/released/first").rglob("*") if path.is_file()}  # fmt: skip
    assert kept == {
        "scorecard.md",
        "scorecard.html",
        "studies/main_table/table.md",
        "cells/r/d/default/scores.p.json",
    }
    with pytest.raises(InputError, match="exists already"):
        release_results(space, "first", readme=False)
    (tmp_path / "README.md").write_text(f"{BEGIN.format('headline')}\n{END.format('headline')}\n")
    with pytest.raises(InputError, match=r"README.md: holds no <!-- answers:begin --> .* put the two markers back"):
        release_results(space, "second", readme=True)
    assert not (tmp_path / "results/released/second").exists()
    with pytest.raises(InputError, match="use lower-case letters"):
        release_results(space, "../x", readme=False)


def test_what_was_timed_goes_along_or_alone(tmp_path: Path) -> None:
    space = open_workspace(ROOT, {"results": str(tmp_path / "results")})
    space = type(space)(**{name: getattr(space, name) for name in space.__slots__} | {"root": tmp_path})
    with pytest.raises(InputError, match="run `python -m benchmarks efficiency` first"):
        release_results(space, "timed", readme=False, only_efficiency=True)
    (tmp_path / "results/efficiency/full-cpu").mkdir(parents=True)
    (tmp_path / "results/efficiency/full-cpu/cases.csv").write_text("x\n")
    (tmp_path / "results/efficiency/full-cpu/targets.csv").write_text(
        "target,demand,median,p10,p90,verdict\nstep,at least 2,2.125,2.0,2.25,met\nshare,at most 9,,,,void\n"
    )
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN.format('speed')}\n{END.format('speed')}\n")
    release_results(space, "timed", readme=True, only_efficiency=True)
    assert "| step | at least 2 | 2.12 [2, 2.25] | met |\n| share | at most 9 | - [-, -] | void |" in readme.read_text()
    assert "(results/released/timed/efficiency/full-cpu/table.md)" in readme.read_text()
    finished(space.home)
    release_results(space, "both", readme=False)
    for name, others in {"timed": False, "both": True}.items():
        folder = tmp_path / "results/released" / name
        assert (folder / "efficiency/full-cpu/cases.csv").is_file()
        assert (folder / "scorecard.md").is_file() == others


def test_headline_links_lead_into_the_release(tmp_path: Path) -> None:
    release = tmp_path / "results/released/first"
    finished(release)
    readme = tmp_path / "README.md"
    begin, end = BEGIN.format("headline"), END.format("headline")
    readme.write_text(f"# Title\n{begin}\nold\n{end}\nrest\n")
    write_block(readme, "headline", headline_block(release))
    text = readme.read_text()
    assert "old" not in text and text.endswith(f"{end}\nrest\n")
    assert "](results/released/first/cells/r/d/default/scores.p.json)" in text
    readme.write_text("# no markers\n")
    with pytest.raises(InputError, match="put the two markers back"):
        write_block(readme, "headline", "new")


HEAD = "| Model | Protocol | F1 |\n|---|---|---:|\n"
PRINTED = "| Printed | other | 1 |\n| Printed too | unstated | 4 |\n"
OURS = "| A | one | 2 |\n| A | two | 3 |\n"
ELSEWHERE = f"Published elsewhere (newer.csv), token F1\n\n{HEAD}| Word | other | 5 |\n"


@pytest.mark.parametrize(
    "blocks",
    [
        f"Published: a paper\n\n{HEAD}{PRINTED}\nMeasured here: scale\n\n{HEAD}{OURS}",
        f"Published: a paper, and measured here\n\n{HEAD}| *published* | | |\n{PRINTED}| *measured here* | | |\n{OURS}",
    ],
    ids=["two blocks", "one block"],
)
def test_the_headline_shows_printed_rows_and_one_protocol_of_ours(tmp_path: Path, blocks: str) -> None:
    table = tmp_path / "results/released/first/studies/main_table/table.md"
    table.parent.mkdir(parents=True)
    table.write_text(f"**Title**\n\n{blocks}\nA note.\n\n{ELSEWHERE}")
    shown = headline_block(table.parents[2])
    assert PRINTED in shown and "| A | one | 2 |" in shown and shown.endswith("A note.")
    assert "| A | two | 3 |" not in shown and "elsewhere" not in shown and "Word" not in shown
    assert shown.count(HEAD.rstrip()) == blocks.count(HEAD)


def test_every_open_question_is_answered_by_an_analysis_of_its_study(tmp_path: Path) -> None:
    registry = load_registry(ROOT)
    assert [pair for pair in OPEN_QUESTIONS if pair[1] not in registry.studies[pair[0]].analyses] == []
    for study, analysis in OPEN_QUESTIONS:
        folder = tmp_path / "results/released/first/studies" / study / analysis
        folder.mkdir(parents=True)
        (folder / "findings.txt").write_text(f"{study} says | this.\nAnd that.\n")
    text = answers_block(registry, tmp_path / "results/released/first")
    for study, analysis in OPEN_QUESTIONS:
        link = f"results/released/first/studies/{study}/{analysis}/table.md"
        assert f"**[{registry.studies[study].question}]({link})**\n\n- {study} says \\| this.\n- And that." in text
