"""Devices that jobs share out: never two jobs on one, never one lost to a dead job, never a wait without an end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from benchmarks.catalog.devices import STAND_INS, choose_device, shared_devices
from benchmarks.catalog.workspace import Workspace
from benchmarks.pipeline import leases
from benchmarks.pipeline.job import own_devices
from gliner_core.errors import InputError

HERE = Path(__file__).resolve().parent
FOUR = ["fake0", "fake1", "fake2", "fake3"]
PATIENCE = 120  # seconds; what takes longer is taken for a deadlock

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leases of this test alone, and a short wait between two looks."""
    monkeypatch.setenv(leases.FOLDER, str(tmp_path / "leases"))
    monkeypatch.setattr(leases, "POLL_SECONDS", 0.01)
    (tmp_path / "markers").mkdir()
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts a job of lease_jobs.py; whatever is left is killed in the end."""
    started: list[subprocess.Popen[str]] = []

    def job(kind: str, count: int, devices: list[str]) -> subprocess.Popen[str]:
        command = [sys.executable, str(HERE / "lease_jobs.py"), kind, str(count), ",".join(devices)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        environment = os.environ | {"PYTHONPATH": str(HERE.parents[1])}
        started.append(subprocess.Popen([*command, str(folder / "markers")], env=environment, **pipes))
        return started[-1]

    yield job
    for process in started:
        process.kill()
        process.communicate()


def _lines(process: subprocess.Popen[str]) -> list[list[str]]:
    text, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    return [line.split() for line in text.splitlines()]


def test_sixteen_jobs_never_share_one_of_four_devices(start: Start) -> None:
    found = [line for process in [start("rounds", 1, FOUR) for _ in range(16)] for line in _lines(process)]
    assert len(found) == 16 * 5  # each lease was given, and none found the marker of another holder
    assert {held for held, _ in found} == set(FOUR)
    assert max(int(at_once) for _, at_once in found) > 1


def test_jobs_of_many_sizes_all_come_to_their_end_though_some_are_killed(start: Start) -> None:
    held = [start("hold", count, FOUR) for count in (1, 2)]
    for process in held:
        assert process.stdout is not None and process.stdout.readline() == "holding\n"
    jobs = [start("rounds", count, FOUR) for count in (1, 2, 3, 4, 3, 2, 4, 1)]
    time.sleep(0.5)
    for process in held:
        process.send_signal(signal.SIGKILL)
    assert sum(len(_lines(process)) for process in jobs) == 8 * 5


def test_a_killed_owner_frees_its_device_and_is_named(start: Start, capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(5):
        owner = start("hold", 1, ["fake0"])
        assert owner.stdout is not None and owner.stdout.readline() == "holding\n"
        with pytest.raises(TimeoutError), _time_limit(0.3), leases.leased(1, ["fake0"], "next"):
            pytest.fail("leased what another process holds")
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        with _time_limit(PATIENCE), leases.leased(1, ["fake0"], "next") as devices:
            assert devices == ("fake0",)
        told = capfd.readouterr().err
        assert f'taken over from a process that died: {{"pid": {owner.pid},' in told
        assert f'waiting for 1 of 1 devices (fake0: {{"pid": {owner.pid},' in told


def test_while_one_process_looks_no_other_takes_a_part_of_what_it_sees(folder: Path) -> None:
    refused = pytest.raises(TimeoutError)
    with leases._alone(_made(folder / "leases")), refused, _time_limit(0.3), leases.leased(1, ["fake0"], "job"):
        pytest.fail("leased while another process looked")
    with leases.leased(1, ["fake0"], "job") as devices:
        assert devices == ("fake0",)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


class _time_limit:
    """Raises `TimeoutError` in the block after some seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        def end(number: int, frame: object) -> None:
            raise TimeoutError

        self.before = signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def __exit__(self, *error: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)


def test_the_file_says_who_holds_a_device_and_is_empty_afterwards(folder: Path) -> None:
    file = folder / "leases" / "fake1.lock"
    with leases.leased(2, FOUR, "train baseline"):
        owner = json.loads(file.read_text())
        assert (owner["pid"], owner["job"]) == (os.getpid(), "train baseline") and owner["host"] and owner["since"]
    assert file.read_text() == ""


def test_a_lock_file_that_is_deleted_under_a_job_does_not_let_two_in(folder: Path, start: Start) -> None:
    file = folder / "leases" / "fake0.lock"
    with leases.leased(1, ["fake0"], "first"):
        stale = os.open(file, os.O_RDWR)  # a waiting process that opened the old file ...
    file.unlink()
    with leases.leased(1, ["fake0"], "second"):  # ... while this one made a new file
        assert not os.path.samestat(os.fstat(stale), os.stat(file))
        opened, usual = iter([stale]), leases._opened
        leases._opened = lambda path: next(opened, None) or usual(path)
        try:
            assert leases._locked(file, leases.fcntl.LOCK_NB) is None
        finally:
            leases._opened = usual


@pytest.mark.parametrize(("count", "devices", "named"), [(3, ["a", "b"], "may use 2 here (a, b)"), (1, [], "(none)")])
def test_what_can_never_be_had_is_refused_at_once(count: int, devices: list[str], named: str) -> None:
    with pytest.raises(InputError) as caught, leases.leased(count, devices, "job"):
        pytest.fail("leased more than there is")
    assert named in str(caught.value) and "\n" not in str(caught.value)


def test_a_process_leases_once_so_that_it_cannot_wait_for_itself() -> None:
    refused = pytest.raises(RuntimeError, match="holds fake0 already")
    with leases.leased(1, FOUR, "job"), refused, leases.leased(1, FOUR, "again"):
        pytest.fail("leased twice")
    with leases.leased(0, [], "a job without a device") as none:
        assert none == ()


def test_a_link_laid_by_another_user_is_not_followed(folder: Path) -> None:
    (folder / "leases").mkdir()
    (folder / "precious").write_text("keep")
    (folder / "leases" / "fake0.lock").symlink_to(folder / "precious")
    with pytest.raises(OSError, match="symbolic links"), leases.leased(1, ["fake0"], "job"):
        pytest.fail("followed the link")
    assert (folder / "precious").read_text() == "keep"


def test_a_gpu_is_one_device_under_all_its_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = folder / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho '0, GPU-aaaa-1'\necho '1, GPU-bbbb-2'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    with leases.leased(2, ["1", "GPU-bbbb", "0"], "job") as devices:
        assert devices == ("1", "0")
        names = {path.name for path in (folder / "leases").iterdir()}
        assert names == {"GPU-aaaa-1.lock", "GPU-bbbb-2.lock", "looking.lock"}


def test_gpus_of_two_slurm_jobs_are_two_though_both_are_number_0(
    folder: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # no nvidia-smi
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    other = start("hold", 1, ["0"])
    assert other.stdout is not None and other.stdout.readline() == "holding\n"
    monkeypatch.setenv("SLURM_JOB_ID", "18")
    with _time_limit(PATIENCE), leases.leased(1, ["0"], "job") as devices:
        assert devices == ("0",)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    with pytest.raises(TimeoutError), _time_limit(0.3), leases.leased(1, ["0"], "job"):
        pytest.fail("leased what another step of the same Slurm job holds")


def test_a_job_sees_its_own_gpus_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6")
    assert shared_devices("cuda") == ("4", "5", "6")
    with leases.seen_alone(["5"]):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "5"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "4,5,6"


def test_stand_ins_are_shared_out_and_compute_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STAND_INS, "fake0, fake1,fake0,")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert choose_device("auto") == "cpu" and shared_devices("cpu") == ("fake0", "fake1")
    assert shared_devices("cuda") == ("0",)


@pytest.mark.parametrize(("named", "wanted"), [("", ()), ("fake0", ("fake0",))])
def test_a_job_on_the_cpu_leases_stand_ins_or_nothing(
    named: str, wanted: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A cluster's profile may ask for a GPU all the same, as the one of tests/cluster does."""
    monkeypatch.setenv(STAND_INS, named)
    monkeypatch.setenv(leases.FOLDER, str(tmp_path))
    space = cast(Workspace, SimpleNamespace(device="cpu", shared_devices=shared_devices("cpu")))
    with own_devices(space, 1) as devices:
        assert devices == wanted


LOOKED = """
import traceback
import torch

def watched(name):
    def look(*arguments, **options):
        looked.append(name + " in " + traceback.extract_stack()[-2].filename)
        return usual[name](*arguments, **options)
    return look

looked, usual = [], {name: getattr(torch.cuda, name) for name in ("is_available", "device_count", "_lazy_init", "init")}
for name in usual:
    setattr(torch.cuda, name, watched(name))
import benchmarks.analyses.gathering, benchmarks.efficiency.suite, benchmarks.pipeline.predicting
import benchmarks.pipeline.training
print(looked)
"""


def test_no_script_looks_for_gpus_before_its_job_has_leased_one() -> None:
    """CUDA reads CUDA_VISIBLE_DEVICES once, at the first look; scripts import these modules before the job begins."""
    environment = os.environ | {"PYTHONPATH": str(HERE.parents[1])}
    done = subprocess.run([sys.executable, "-c", LOOKED], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stdout + done.stderr
