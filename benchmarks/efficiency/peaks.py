"""Peak memory of a job beyond what was in use before it, and questions that a fresh process answers.

On a GPU the allocator counts; on a CPU Linux does, after its high-water mark was reset. Memory that another job of the
same process once used would hide a peak, so what is compared is measured in processes of its own.
"""

import ctypes
import gc
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks.efficiency.timing import Job
from gliner_core.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
RESET = Path("/proc/self/clear_refs")
STATUS = Path("/proc/self/status")


# glibc keeps freed memory below a threshold that moves with use, so a peak depends on what came before. With fixed low
# thresholds a tensor of more than 64 KiB gets pages of its own and gives them back: peaks repeat within a few percent.
STEADY_MALLOC = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def ask_fresh_process(
    module: str, request: Mapping[str, Any], what: str, settings: Mapping[str, str] | None = None
) -> Any:
    """What `python -m module` prints on its last line, as JSON, after it has read `request`; `what` is for errors.

    `settings` are added to its environment.
    """
    # The project need not be installed, and a job of the workflow may run in another folder.
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-m", module],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | dict(settings or {}),
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        raise InputError(f"{what} could not be measured ({reason[0]})")
    return json.loads(done.stdout.splitlines()[-1])


def extra_bytes(job: Job, device: torch.device) -> int:
    """Peak of a job over what was in use before it."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        job()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    if not RESET.exists():
        raise InputError("peak memory on a CPU needs /proc/self/clear_refs; measure it under Linux")
    _give_back_free_pages()
    RESET.write_text("5")  # resets VmHWM to the present size
    before = _status_bytes("VmRSS")
    job()
    return _status_bytes("VmHWM") - before


def _give_back_free_pages() -> None:
    """glibc keeps freed pages; counted as in use they would hide as much of the peak."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # absent from other C libraries
    if trim is not None:
        trim(0)


def _status_bytes(key: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{key}:"))
    return int(line.split()[1]) * 1024
