"""A training in several processes as its caller sees it: the report, one sentence, or the news of a death."""

import sys
from pathlib import Path
from typing import Any

import pytest
from tiny_model import tiny_spec

from gliner_core.errors import InputError
from gliner_core.files import read_json
from gliner_core.launch import train_in_processes


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shell script in the place of Python; tests write what it does."""
    path = tmp_path / "python"
    path.touch()
    path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(path))
    return path


def _train(folder: Path, **options: Any) -> dict[str, Any]:
    places = {"scratch": folder / "scratch", "device": "cpu", "code": "abc"}
    return train_in_processes(2, tiny_spec(folder / "b"), folder / "data", folder / "out", **places, **options)


def test_the_report_is_read_back(program: Path, tmp_path: Path) -> None:
    report = f"""echo '{{"steps": 3}}' > {tmp_path}/out/training.json"""
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\n{report}\n')
    (tmp_path / "out").mkdir()
    assert _train(tmp_path, resume=True) == {"steps": 3}
    asked = (tmp_path / "asked").read_text().split()
    assert asked[:4] == ["-m", "gliner_core.launch", "2", str(tmp_path / "scratch" / "spec.json")]
    options = {"--data": "data", "--out": "out", "--scratch": "scratch"}
    assert all(asked[asked.index(key) + 1] == str(tmp_path / name) for key, name in options.items())
    assert asked[-1] == "--resume" and "--start" not in asked and asked[asked.index("--code") + 1] == "abc"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_the_sentence_of_a_process_is_the_error(program: Path, tmp_path: Path) -> None:
    program.write_text("#!/bin/sh\necho noise >&2\necho 'error: the loss is nan at step 3' >&2\nexit 1")
    with pytest.raises(InputError, match=r"^the loss is nan at step 3$"):
        _train(tmp_path)


def test_a_death_without_a_word_is_told(program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program.write_text("#!/bin/sh\necho 'last words'\nkill -9 $$")
    with pytest.raises(ChildProcessError, match=r"one of the 2 processes of the training died \(exit code -9"):
        _train(tmp_path)
    assert "last words" in capsys.readouterr().err
    assert read_json(tmp_path / "scratch" / "spec.json")["seed"] == 1
