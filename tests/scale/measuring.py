"""What a command costs: processor seconds, wall seconds and the most memory that one of its processes held."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Cost of one command with its children. Judge by `cpu_seconds`: wall time depends on the neighbours."""

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.cpu_seconds:7.1f} s of processor time, {self.wall_seconds:7.1f} s by the clock, "
            f"{self.peak_bytes / MIB:6.0f} MiB"
        )


def measure(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> Cost:
    """Runs a command to its end, its output in `log`; any exit code but 0 is a `RuntimeError` with the last lines."""
    start = time.monotonic()
    with open(log, "w", encoding="utf-8") as stream:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = log.read_text(encoding="utf-8")[-3000:]
        raise RuntimeError(f"{' '.join(command)} ended with code {process.returncode}:\n{tail}")
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes on macOS, KiB on Linux
    return Cost(
        cpu_seconds=used.ru_utime + used.ru_stime,
        wall_seconds=time.monotonic() - start,
        peak_bytes=used.ru_maxrss * unit,
    )
