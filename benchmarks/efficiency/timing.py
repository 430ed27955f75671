"""Sides timed in turn, A B C C B A, on the same work; and medians of the ratios within each pass."""

import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

Job = Callable[[], object]
Joules = Callable[[], float]  # energy used since some moment
Side = Callable[[Any], Job]  # prepares what is not timed, of the load of a pass, and returns what is


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Seconds of one call: on the wall, and of the process on all its threads; and its energy where it is metered."""

    wall: float
    cpu: float
    joules: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Median with the 10th and 90th percentile of `count` values."""

    median: float
    p10: float
    p90: float
    count: int


Pass = dict[str, Reading]


def read(job: Job, device: torch.device, meter: Joules | None = None) -> Reading:
    """Runs a job once; on a GPU the clock starts and stops when it has nothing left to do."""
    _wait(device)
    used = meter() if meter else 0.0
    wall, cpu = time.perf_counter(), time.process_time()
    job()
    _wait(device)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Reading(wall=wall, cpu=cpu, joules=meter() - used if meter else None)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def alternate(
    sides: Mapping[str, Side],
    loads: Callable[[int], Any],
    *,
    rounds: int,
    warmup: int,
    device: torch.device,
    meter: Joules | None = None,
) -> list[Pass]:
    """Two passes a round, the second in reverse order; every pass has texts of its own, the same for all sides.

    Neighbours on the machine and a warming processor drift slowly, so they meet both sides of a ratio alike.
    """
    passes: list[Pass] = []
    order = list(sides)
    with undisturbed():
        for number in range(warmup + 2 * rounds):
            load = loads(number)
            found: Pass = {}
            for name in order if (number - warmup) % 2 == 0 else reversed(order):
                job = sides[name](load)
                gc.collect()  # the garbage of one side must not be collected on the time of the next
                found[name] = read(job, device, meter)
            if number >= warmup:
                passes.append(found)
    return passes


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within the block the collector looks at new objects alone, and no progress is written.

    Millions of old objects would cost every collection a second; a line in a log would be timed with a short text.
    """
    gc.collect()
    gc.freeze()
    try:
        with open(os.devnull, "w", encoding="utf-8") as nothing, redirect_stderr(nothing):
            yield
    finally:
        gc.unfreeze()


def summarise(values: Sequence[float]) -> Summary:
    """Median and percentiles, linear between neighbours."""
    p10, median, p90 = np.percentile(np.asarray(values, dtype=float), (10, 50, 90)).tolist()
    return Summary(median=median, p10=p10, p90=p90, count=len(values))


def ratios(passes: Sequence[Pass], above: str, below: str, clock: str) -> list[float]:
    """Time of one side over that of another within each pass; `clock` is `wall` or `cpu`."""
    return [getattr(item[above], clock) / getattr(item[below], clock) for item in passes]
