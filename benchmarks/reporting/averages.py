"""The tidy rows of a study's grid rows, with the intervals of their averages: those of many rows are drawn together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.cells import RATES, Values, row_values
from benchmarks.reporting.summary import AVERAGE
from benchmarks.scoring.shared_resamples import suite_intervals
from gliner_core.seeding import derive_seed

BYTES_AT_ONCE = 256 * 2**20  # of rows whose intervals are drawn together: their counts and their resampled rates


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What was read of one grid row: its tidy rows, and counts [S, 3] of every dataset."""

    values: Values
    counts: Sequence[np.ndarray]


def study_values(workspace: Workspace, rows: Sequence[Row]) -> list[Values]:
    """Tidy rows of every grid row, in order; of so many rows at once that memory is bounded."""
    found: list[Values] = []
    drawn_bytes = 3 * len(RATES) * workspace.settings.resamples * 8  # a dataset's rates, their sum, its quantiles
    waiting: dict[tuple[Any, ...], list[Answered]] = {}  # by suite and numbers of sentences
    num_bytes = 0
    for row in rows:
        values, counts = row_values(workspace.registry, workspace.grid, row, workspace.home)
        found.append(values)
        waiting.setdefault((row.suite, *map(len, counts)), []).append(Answered(values=values, counts=counts))
        num_bytes += sum(part.nbytes for part in counts) + drawn_bytes
        if num_bytes >= BYTES_AT_ONCE or row is rows[-1]:
            for (suite, *_), alike in waiting.items():
                add_intervals(suite, alike, workspace.settings.resamples)
            waiting, num_bytes = {}, 0
    return found


def add_intervals(suite: str, rows: Sequence[Answered], resamples: int) -> None:
    """Writes the bounds of their averages into the rows, which answered the same sentences."""
    names = dict.fromkeys(value["dataset"] for value in rows[0].values if value["dataset"] != AVERAGE)
    seeds = [derive_seed(0, "bootstrap", suite, name) for name in names]
    datasets = [np.stack(parts) for parts in zip(*(row.counts for row in rows), strict=True)]  # [R, S, 3] each
    bounds = 100 * suite_intervals(datasets, seeds, resamples, RATES)
    for place, metric in enumerate(RATES):
        for row, (low, high) in zip(rows, bounds[place].tolist(), strict=True):
            line = next(v for v in row.values if v["dataset"] == AVERAGE and v["metric"] == f"{metric}_pct")
            line |= {"low": low, "high": high}
