"""`make env` leaves a complete environment or none, and `.ci/run` calls its steps in order and stops at a failure.

Python and make are replaced by scripts that write down their calls, so nothing is installed.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FAKE_PYTHON = f"""#!/bin/sh
case "$1 $2" in
  "-m venv") echo venv >> calls; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
  "-m pip") echo pip >> calls; exit "${{PIP_STATUS:-0}}" ;;
  *) exec {sys.executable} "$@" ;;
esac
"""
FAKE_MAKE = """#!/bin/sh
echo "$*" "${GLINER_BENCH_MIRROR:-none}" >> calls
[ "$1" != "${FAILING:-}" ]
"""


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    (folder / ".ci").mkdir(parents=True)
    for name in ("Makefile", "constraints.txt", "pyproject.toml", ".ci/run"):
        shutil.copy(ROOT / name, folder / name)
    script(folder / "fake-python", FAKE_PYTHON)
    return folder


def make_env(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "env", f"PYTHON={folder / 'fake-python'}"]
    # Under `make test` the outer make would have this one announce the folders it enters.
    variables = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return subprocess.run(command, cwd=folder, env=variables | environment, text=True, capture_output=True)


def calls(folder: Path) -> list[str]:
    """What was called since the last question."""
    path = folder / "calls"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def test_make_env_installs_once(clone: Path) -> None:
    assert make_env(clone).returncode == 0
    assert calls(clone) == ["venv", "pip"]
    second = make_env(clone)
    assert (second.returncode, second.stdout, calls(clone)) == (0, "", [])


def test_make_env_repairs_an_interrupted_install(clone: Path) -> None:
    assert make_env(clone, PIP_STATUS="1").returncode != 0
    assert calls(clone) == ["venv", "pip"]
    assert not (clone / ".venv" / "complete").exists()
    assert make_env(clone).returncode == 0
    assert calls(clone) == ["venv", "pip"]


@pytest.mark.parametrize("name", ["constraints.txt", "pyproject.toml"])
def test_make_env_follows_a_changed_lock(clone: Path, name: str) -> None:
    make_env(clone)
    calls(clone)
    os.utime(clone / name)
    make_env(clone)
    assert calls(clone) == [], "a new time stamp alone must not reinstall"
    with (clone / name).open("a", encoding="utf-8") as stream:
        stream.write("# changed\n")
    make_env(clone)
    assert calls(clone) == ["venv", "pip"]


def test_make_env_follows_a_moved_clone(clone: Path, tmp_path: Path) -> None:
    make_env(clone)
    calls(clone)
    moved = clone.rename(tmp_path / "moved")
    make_env(moved)
    assert calls(moved) == ["venv", "pip"]


def run_ci(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    script(folder / "bin" / "make", FAKE_MAKE)
    variables = {key: value for key, value in os.environ.items() if key != "GLINER_BENCH_MIRROR"}
    variables |= {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"} | environment
    return subprocess.run(["bash", ".ci/run"], cwd=folder, env=variables, text=True, capture_output=True)


def test_ci_runs_the_tests_last(clone: Path) -> None:
    assert run_ci(clone).returncode == 0
    targets = ["env", "gpu", "lint", "dry-run SCALE=demo", "dry-run SCALE=pilot", "dry-run SCALE=paper", "test"]
    assert calls(clone) == [f"{target} none" for target in targets]


@pytest.mark.parametrize("failing", ["env", "lint", "dry-run", "test"])
def test_ci_stops_at_a_failure(clone: Path, failing: str) -> None:
    assert run_ci(clone, FAILING=failing).returncode != 0
    assert calls(clone)[-1].split()[0] == failing


def test_ci_hands_on_the_real_corpora(clone: Path) -> None:
    data = clone.parent / "shared" / "data"
    data.mkdir(parents=True)
    run_ci(clone)
    assert {line.split()[-1] for line in calls(clone)} == {str(data)}
