"""The README's headline is the one of the release it names, and a release is copied whole and never overwritten."""

import re
from pathlib import Path

import pytest

from benchmarks.catalog.workspace import open_workspace
from benchmarks.commands.release import BEGIN, END, headline_block, release_results, write_headline
from gliner_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


def block(text: str) -> str:
    return text.partition(BEGIN)[2].partition(END)[0].strip()


def test_readme_shows_the_release_it_names() -> None:
    shown = block((ROOT / "README.md").read_text(encoding="utf-8"))
    name = re.match(r"Release \[`([^`]+)`\]", shown)
    assert name, "README.md names no release between its headline markers"
    assert shown == headline_block(ROOT / "results" / "released" / name[1]).strip()


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
    with pytest.raises(InputError, match="use lower-case letters"):
        release_results(space, "../x", readme=False)


def test_what_was_timed_goes_along_or_alone(tmp_path: Path) -> None:
    space = open_workspace(ROOT, {"results": str(tmp_path / "results")})
    space = type(space)(**{name: getattr(space, name) for name in space.__slots__} | {"root": tmp_path})
    with pytest.raises(InputError, match="run `python -m benchmarks efficiency` first"):
        release_results(space, "timed", readme=False, only_efficiency=True)
    (tmp_path / "results/efficiency/full-cpu").mkdir(parents=True)
    (tmp_path / "results/efficiency/full-cpu/cases.csv").write_text("x\n")
    release_results(space, "timed", readme=False, only_efficiency=True)
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
    readme.write_text(f"# Title\n{BEGIN}\nold\n{END}\nrest\n")
    write_headline(readme, release)
    text = readme.read_text()
    assert "old" not in text and text.endswith(f"{END}\nrest\n")
    assert "](results/released/first/cells/r/d/default/scores.p.json)" in text
    readme.write_text("# no markers\n")
    with pytest.raises(InputError, match="put the two markers back"):
        write_headline(readme, release)
