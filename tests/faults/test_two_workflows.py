"""Two workflows on one results folder: the second stops with one sentence; a dead one keeps nobody out."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pipeline.locking import JOBS, OWNER, WORKFLOW, lock_job, lock_workflow, runs_jobs
from gliner_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys, time
from pathlib import Path
from benchmarks.pipeline.locking import lock_job, lock_workflow
results, work = map(Path, sys.argv[2:])
if sys.argv[1] == "workflow":
    held = lock_workflow(results, work)
    (work / "locks").mkdir(exist_ok=True)
    (work / "locks" / "0.output.lock").write_text("results/table.csv")
    (results / ".table.csv.x.partial").write_text("half")
    print("held", flush=True)
    time.sleep(600)
else:
    with lock_job(results):
        print("held", flush=True)
        time.sleep(600)
"""
DATASET = "results/data/demo_ood_sport"


@contextmanager
def holder(kind: str, results: Path, work: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process, in another working directory, that works on the results until it is killed (signal 9)."""
    command = [sys.executable, "-c", HOLD, kind, str(results), str(work)]
    environment = {key: value for key, value in os.environ.items() if key != OWNER} | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd="/") as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "held\n"
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def test_the_second_workflow_is_told_who_holds_the_folder_and_the_first_is_unharmed(tmp_path: Path) -> None:
    results, first, second = tmp_path / "results", tmp_path / "first", tmp_path / "second"
    with holder("workflow", results, first) as process:
        for work in (first, second):  # from the same working directory, and from another
            with pytest.raises(InputError) as refused:
                lock_workflow(results, work)
            words = (
                f"process {process.pid} on {os.uname().nodename}",
                "since 20",
                "wait for it, end it",
                "results=DIR",
            )
            assert all(word in str(refused.value) for word in words)
        assert process.poll() is None
        assert (first / "locks" / "0.output.lock").exists() and (results / ".table.csv.x.partial").exists()


def test_a_killed_workflow_keeps_nobody_out_and_its_leavings_are_removed(tmp_path: Path) -> None:
    results, work = tmp_path / "results", tmp_path / "work"
    with holder("workflow", results, work):
        pass
    held = lock_workflow(results, work)
    assert list((work / "locks").iterdir()) == []
    assert {path.name for path in results.iterdir()} == {WORKFLOW, JOBS}
    for file in held:
        file.close()


def test_a_job_that_outlived_its_workflow_keeps_the_next_one_out(tmp_path: Path) -> None:
    with holder("job", tmp_path / "results", tmp_path / "work"):
        with pytest.raises(InputError, match=r"a job of a workflow that has ended is still writing there; wait for it"):
            lock_workflow(tmp_path / "results", tmp_path / "work")
        with lock_job(tmp_path / "results"):  # jobs do not mind each other
            pass
    for file in lock_workflow(tmp_path / "results", tmp_path / "work"):
        file.close()


def test_other_results_in_the_same_directory_share_it_and_no_living_lock_file_is_removed(tmp_path: Path) -> None:
    with holder("workflow", tmp_path / "one", tmp_path / "work"):
        for file in lock_workflow(tmp_path / "two", tmp_path / "work"):
            file.close()
        assert (tmp_path / "work" / "locks" / "0.output.lock").exists()


def test_a_job_that_starts_after_its_workflow_was_killed_does_not_enter_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(OWNER, raising=False)
    with lock_job(tmp_path):
        pass  # started by hand, without a workflow
    for file in lock_workflow(tmp_path, tmp_path / "work"):
        file.close()
    with lock_job(tmp_path):
        pass
    ended = pytest.raises(InputError, match="the workflow of this job has ended")
    with holder("workflow", tmp_path, tmp_path / "work"), ended, lock_job(tmp_path):
        pass


def test_locks_are_asked_for_as_nfs_wants_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There a shared lock needs a file that is open for reading, one's own a file that is open for writing."""
    usual = fcntl.flock

    def as_on_nfs(file: Any, kind: int) -> None:
        if not (file.readable() if kind & fcntl.LOCK_SH else file.writable()):
            raise OSError(errno.EBADF, "Bad file descriptor")
        usual(file, kind)

    monkeypatch.setattr("fcntl.flock", as_on_nfs)
    for file in lock_workflow(tmp_path / "results", tmp_path / "work"):
        file.close()
    with lock_job(tmp_path / "results"):
        assert (tmp_path / "results" / JOBS).is_file()


def test_a_file_system_without_locks_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    (tmp_path / "work" / "locks").mkdir(parents=True)
    (tmp_path / "work" / "locks" / "0.output.lock").touch()
    for file in lock_workflow(tmp_path / "results", tmp_path / "work"):
        file.close()
    assert (tmp_path / "work" / "locks" / "0.output.lock").exists()  # it may belong to a living workflow
    assert "keeps no locks (Operation not supported); start one workflow at a time" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "runs"),
    [
        (["--cores", "2", "results/demo/table.csv"], True),
        (["--unlock"], False),
        (["--cores", "1", "--lint"], False),
        (["--list-rules"], False),
        (["--report", "page.html"], False),
        (["--report=page.html"], False),
        (["--cores", "1", "--report-after-run"], True),
        (["--conda-cleanup-pkgs", "cache", "--cores", "1"], True),
        (["--cores", "1", "--touch"], True),
    ],
)
def test_what_only_looks_takes_no_lock(arguments: list[str], runs: bool) -> None:
    assert runs_jobs(arguments) is runs


@pytest.mark.slow
def test_snakemake_stops_while_another_workflow_works_and_goes_on_after_it_was_killed(tmp_path: Path) -> None:
    from small_study import command, make_study

    checkout = make_study(tmp_path)
    results, work = checkout.path("results"), checkout.path(".snakemake")
    with holder("workflow", results, tmp_path / "elsewhere"):
        refused = checkout.run(*command(DATASET))
        assert refused.code != 0 and not checkout.path(DATASET).exists()
        (sentence,) = [line for line in refused.text.splitlines() if "is working in this results folder" in line]
        assert "--unlock" not in refused.text and "Traceback" not in refused.text and "results" in sentence
        assert checkout.run(*command(DATASET), "--dry-run").code == 0
    with holder("workflow", results, work):
        (work / "locks" / "0.output.lock").write_text(f"{DATASET}\n", encoding="utf-8")
    outcome = checkout.run(*command(DATASET))
    assert outcome.code == 0, outcome.text[-3000:]
    assert checkout.path(DATASET).is_dir() and not list(work.glob("locks/*"))
