"""Locks of folders and devices, and secrets: who is told what."""

import errno
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tracking_support import workspace

from benchmarks.catalog.logins import redact
from benchmarks.pipeline import job, leases
from benchmarks.pipeline import job as jobs
from benchmarks.pipeline.locking import lock_job, lock_workflow
from gliner_core.errors import InputError

SECRET_NAMES = (
    "GLINER_BENCH_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_PASSWORD",
    "MLFLOW_TRACKING_TOKEN",
    "PGPASSWORD",
    "HF_TOKEN",
    "HUGGING_FACE_HUB_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_the_value_of_each_secret_variable_is_hidden(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "plain-words-no-prefix")
    assert redact("x plain-words-no-prefix y") == "x *** y"


def test_the_holder_is_named_also_after_an_earlier_workflow(tmp_path: Path) -> None:
    for file in lock_workflow(tmp_path / "r", tmp_path / "w"):
        file.close()
    held = lock_workflow(tmp_path / "r", tmp_path / "w")
    with pytest.raises(InputError, match=f"process {os.getpid()} on "):
        lock_workflow(tmp_path / "r", tmp_path / "w")
    for file in held:
        file.close()


def test_a_working_directory_is_shared_until_the_last_workflow_in_it_ends(tmp_path: Path) -> None:
    first = lock_workflow(tmp_path / "one", tmp_path / "work")
    second = lock_workflow(tmp_path / "two", tmp_path / "work")
    for file in first:
        file.close()
    (tmp_path / "work" / "locks").mkdir()
    stale = tmp_path / "work" / "locks" / "0.output.lock"
    stale.touch()  # of the second, which lives
    third = lock_workflow(tmp_path / "three", tmp_path / "work")
    assert stale.exists()
    for file in second + third:
        file.close()


def test_another_error_of_flock_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(OSError, match="Input/output"), lock_job(tmp_path):
        pass


def test_lock_files_are_for_all_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(leases.FOLDER, str(tmp_path / "leases"))
    before = os.umask(0o077)
    try:
        with leases.leased(1, ["fake0"], "job"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "leases").stat().st_mode & 0o7777 == 0o1777
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "leases").iterdir()} == {0o666}


def test_devices_are_not_hidden_after_torch_has_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = SimpleNamespace(cuda=SimpleNamespace(is_initialized=lambda: True))
    monkeypatch.setitem(sys.modules, "torch", torch)
    with pytest.raises(RuntimeError, match="looked for GPUs already"), leases.seen_alone(["0"]):
        pass


def test_a_job_on_gpus_sees_what_it_leased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(leases.FOLDER, str(tmp_path / "leases"))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    monkeypatch.setitem(sys.modules, "torch", None)
    space: Any = SimpleNamespace(shared_devices=("4", "5"), device="cuda")
    with job.own_devices(space, 1) as devices:
        assert devices == ("4",) and os.environ["CUDA_VISIBLE_DEVICES"] == "4"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,5"


def test_a_job_hides_secrets_in_its_log_and_on_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "s3cr3t-w0rd")
    monkeypatch.setattr(jobs, "open_workspace", lambda *_: workspace(tmp_path))
    snakemake = SimpleNamespace(
        rule="r", wildcards=[], resources=None, output=[], config={}, log=[str(tmp_path / "log")]
    )
    with pytest.raises(SystemExit), jobs.job(snakemake):
        print("told s3cr3t-w0rd")
        raise InputError("refused s3cr3t-w0rd")
    log = (tmp_path / "log").read_text()
    assert log == "told ***\nerror: refused ***\n" and "s3cr3t" not in capsys.readouterr().err
