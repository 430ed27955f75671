"""Devices that several jobs of a machine share out: a job holds its own, by a lock on a file, until it ends.

The lock is the kernel's (`flock`), so that of a job that was killed is free at once. What the file says (pid, host,
job) is for people. No deadlock is possible: a process leases once, takes all it needs at once or nothing, and while it
holds devices waits for no other. Locks are shared by all workflows and users of the machine.
"""

import fcntl
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gliner_core.errors import InputError

FOLDER = "GLINER_BENCH_LEASES"  # environment variable; tests lease in a folder of their own
POLL_SECONDS = 0.5
_held: list[str] = []


@contextmanager
def leased(count: int, devices: Sequence[str], job: str) -> Iterator[tuple[str, ...]]:
    """Holds `count` of the devices for this process alone and yields their names; waits until so many are free.

    Raises `InputError` where there are fewer at all.
    """
    if not count:
        yield ()
        return
    if _held:
        raise RuntimeError(f"this process holds {', '.join(_held)} already; lease once, for all that it needs")
    files = _files(devices)
    if count > len(files):
        raise InputError(
            f"a job asks for {count} GPUs and may use {len(files)} here ({', '.join(files) or 'none'}); lower "
            "`gpus_per_run` or set CUDA_VISIBLE_DEVICES to more of them"
        )
    locks = _wait(count, files, job)
    try:
        _held.extend(locks)
        yield tuple(locks)
    finally:
        _held.clear()
        for descriptor in locks.values():
            os.ftruncate(descriptor, 0)
            os.close(descriptor)


@contextmanager
def seen_alone(devices: Sequence[str]) -> Iterator[None]:
    """Shows this process and those it starts these GPUs only; must come before torch looks for GPUs.

    In the order of nvidia-smi and of the device files: CUDA would number GPUs of several kinds by their speed.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        raise RuntimeError("torch has looked for GPUs already; choose the devices of a job first")
    shown = {"CUDA_VISIBLE_DEVICES": ",".join(devices), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    before = {name: os.environ.get(name) for name in shown}
    os.environ |= shown
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _wait(count: int, files: dict[str, Path], job: str) -> dict[str, int]:
    """Locks of `count` devices: name -> file descriptor."""
    told = False
    while True:
        with _alone(next(iter(files.values())).parent):
            locks = _free(count, files)
        if locks is not None:
            for name, descriptor in locks.items():
                _sign(name, descriptor, job)
            return locks
        if not told:
            told = True
            owners = "; ".join(f"{name}: {_reading(path)}" for name, path in files.items())
            print(f"waiting for {count} of {len(files)} devices ({owners})", file=sys.stderr, flush=True)
        time.sleep(POLL_SECONDS)


def _free(count: int, files: dict[str, Path]) -> dict[str, int] | None:
    """Locks of the first `count` free devices, or None, and then no lock, if there are fewer."""
    locks: dict[str, int] = {}
    for name, path in files.items():
        if len(locks) < count and (descriptor := _locked(path, fcntl.LOCK_NB)) is not None:
            locks[name] = descriptor
    if len(locks) == count:
        return locks
    for descriptor in locks.values():
        os.close(descriptor)
    return None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time looks for free devices: none takes a part of what another is about to take."""
    descriptor = _locked(folder / "looking.lock")
    try:
        yield
    finally:
        os.close(descriptor)


def _locked(path: Path, how: int = 0) -> int | None:
    """Descriptor of the locked file; None if another process holds it and `how` says not to wait."""
    while True:
        descriptor = _opened(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | how)
            if os.path.exists(path) and os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
            os.close(descriptor)  # someone deleted the file: a lock on it would keep nobody out
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise


def _opened(path: Path) -> int:
    """Opens the file, made for all users if it is missing; never through a link that another user laid."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        pass
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)
        os.fchmod(descriptor, 0o666)
        return descriptor
    except FileExistsError:  # another process was faster
        return os.open(path, flags)


def _sign(name: str, descriptor: int, job: str) -> None:
    """Writes who holds the device, and says whose it was if that process died with it."""
    if left := os.pread(descriptor, 4096, 0).decode(errors="replace").strip():
        print(f"device {name} is taken over from a process that died: {left}", file=sys.stderr, flush=True)
    since = datetime.now(UTC).isoformat(timespec="seconds")
    owner = {"pid": os.getpid(), "host": socket.gethostname(), "job": job, "since": since}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, (json.dumps(owner) + "\n").encode(), 0)
    print(f"device {name} is held by pid {os.getpid()} for {job}", file=sys.stderr, flush=True)


def _reading(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or "free"
    except OSError:
        return "free"


def _files(devices: Sequence[str]) -> dict[str, Path]:
    """The file that stands for each device; a GPU is known by its UUID, however CUDA_VISIBLE_DEVICES calls it."""
    folder = Path(os.environ.get(FOLDER) or Path(tempfile.gettempdir()) / "gliner-bench-leases")
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o1777)  # for all users, as /tmp
    known = _uuids()
    paths = {folder / f"{_identity(name, known)}.lock".replace("/", "_"): name for name in reversed(devices)}
    return {name: path for path, name in reversed(paths.items())}  # one GPU under two names counts once


def _identity(name: str, known: dict[str, str]) -> str:
    """The UUID of a GPU that is named by number or by the beginning of its UUID, else its name.

    Slurm gives no GPU to two jobs and may call the GPU of each 0, so there a mere name counts inside the job only.
    """
    uuids = [uuid for number, uuid in known.items() if name == number or uuid.startswith(name)]
    slurm = os.environ.get("SLURM_JOB_ID")
    return uuids[0] if uuids else f"slurm-{slurm}-{name}" if slurm else name


def _uuids() -> dict[str, str]:
    """Number -> UUID of the GPUs. Numbers alone would not do: a cluster may call every job's only GPU number 0."""
    command = ["nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader"]
    try:
        lines = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return {}
    pairs = (line.split(",") for line in lines if line.count(",") == 1)
    return {number.strip(): uuid.strip() for number, uuid in pairs}
