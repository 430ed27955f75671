"""What the one-node cluster says about its jobs and its node, and the faults that slurm.sh can cause."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).parent / "slurm.sh"
COLUMNS = ("JobID:40", "State:40", "MinMemory:40", "tres-per-job:40", "Comment:400")  # cut at these widths


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmJob:
    """One job of the queue, finished ones included."""

    id: str
    state: str
    memory: str  # as asked for: 1200M
    gpus: str  # as asked for: gres:gpu:1, or N/A
    comment: str  # rule_NAME_wildcards_... or group_NAME

    @property
    def is_training(self) -> bool:
        return self.comment.startswith("rule_train")


def control(command: str) -> None:
    """Runs slurm.sh."""
    subprocess.run([SCRIPT, command], check=True, capture_output=True, text=True, timeout=120)


def queue() -> list[SlurmJob]:
    """Every job that the controller remembers, in the order of submission."""
    columns = ",".join(f"{name}|" for name in COLUMNS)
    command = ["squeue", "--noheader", "--states=all", "--sort=i", f"--Format={columns}"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    fields = ("id", "state", "memory", "gpus", "comment")
    return [SlurmJob(**dict(zip(fields, map(str.strip, line.split("|")[:5]), strict=True))) for line in lines]


def cancel(job: SlurmJob) -> None:
    """As a user does who gives a job up: SIGTERM, later SIGKILL."""
    subprocess.run(["scancel", job.id], check=True)


def node_state() -> str:
    """idle, mix, alloc, down ...; with a star while the node does not answer."""
    command = ["sinfo", "--noheader", "--format=%t"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def wait_for(
    what: str, found: Callable[[], object], seconds: float = 900, process: subprocess.Popen[str] | None = None
) -> None:
    """Waits until something is so; fails with its name, also when the process ends before that."""
    end = time.monotonic() + seconds
    while not found():
        if process is not None and process.poll() is not None:
            raise AssertionError(f"{what}: the workflow ended before, with {process.communicate()[0][-4000:]}")
        assert time.monotonic() < end, f"{what}: not within {seconds} s; queue: {queue()}"
        time.sleep(0.3)
