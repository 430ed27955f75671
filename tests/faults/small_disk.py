"""A real file system of a few kilobytes in a mount namespace of its own, or a cap on the size of files without one."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def can_mount() -> bool:
    """Whether this user may mount a tmpfs in a namespace of its own."""
    try:
        return (
            subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "x", "/mnt"], capture_output=True).returncode == 0
        )
    except FileNotFoundError:
        return False


def run_on_small_disk(code: str, disk: Path, kilobytes: int) -> subprocess.CompletedProcess[str]:
    """Runs Python code with `disk` as argument; `disk` holds so many kilobytes, and what is in it survives the run.

    Without the right to mount, no single file may grow beyond the size instead, and that is printed.
    """
    disk.mkdir(exist_ok=True)
    keep = disk.with_name(f"{disk.name}.kept")
    keep.mkdir(exist_ok=True)
    command: list[str] = [sys.executable, "-c", code, str(disk)]
    limit: Callable[[], None] | None = None
    if can_mount():
        script = (
            'mount -t tmpfs -o "size=$1" small "$2" && cp -a "$3/." "$2" && shift 3 && { "$@"; code=$?; } ; '
            f'cp -a "{disk}/." "{keep}.new" && exit $code'
        )
        command = ["unshare", "-m", "sh", "-c", script, "sh", f"{kilobytes}k", str(disk), str(keep), *command]
        keep.with_name(f"{keep.name}.new").mkdir()
    else:
        print(f"no right to mount: files are capped at {kilobytes} kB instead of the disk")
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes << 10, kilobytes << 10))  # noqa: E731
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, preexec_fn=limit)
    if limit is None:
        _replace(keep)
    return done


def kept(disk: Path) -> Path:
    """Where the content of the disk lies between runs."""
    return disk.with_name(f"{disk.name}.kept") if can_mount() else disk


def _replace(keep: Path) -> None:
    import shutil

    shutil.rmtree(keep)
    keep.with_name(f"{keep.name}.new").rename(keep)
