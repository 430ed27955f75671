"""What a command costs: processor seconds, wall seconds and the most memory that one of its processes held."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MIB = 2**20
# Linux counts the memory of the process that starts a program as the program's own; so a small one starts it.
STARTER = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, used = os.wait4(process.pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss]), file=sys.stderr)
"""


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
    starter = [sys.executable, "-S", "-c", STARTER, "sh", "-c", 'exec "$@" 2>&1', "sh", *command]
    with open(log, "w", encoding="utf-8") as stream:
        done = subprocess.run(
            starter,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.PIPE,
            text=True,
        )
    code, cpu_seconds, peak = json.loads(done.stderr)
    if code:
        tail = log.read_text(encoding="utf-8")[-3000:]
        raise RuntimeError(f"{' '.join(command)} ended with code {code}:\n{tail}")
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes on macOS, KiB on Linux
    return Cost(
        cpu_seconds=cpu_seconds,
        wall_seconds=time.monotonic() - start,
        peak_bytes=peak * unit,
    )
