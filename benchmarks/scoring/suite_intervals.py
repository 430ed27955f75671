"""Intervals of the suite averages of many runs at once.

All runs answer the same resamples of a dataset's sentences, so one matrix product serves them all, and every metric.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.scoring.counts import Metric, rate
from benchmarks.scoring.statistics import LEVEL

_WEIGHTS_AT_ONCE = 4_000_000  # resamples x sentences held in memory: 16 MB of floats
_EXACT = 2**24  # whole numbers up to here are exact in single precision, in which a product takes half the time


def suite_intervals(
    datasets: Sequence[np.ndarray],
    seeds: Sequence[int],
    resamples: int,
    metrics: Sequence[Metric],
    level: float = LEVEL,
) -> np.ndarray:
    """Bounds [metrics, R, 2] in 0..1 of every run's unweighted mean over datasets; percentile bootstrap over sentences.

    `datasets` holds counts [R, S, 3] of R runs, `seeds` one seed for each dataset. What a run gets depends on its own
    counts and the seeds alone, not on the runs beside it.
    """
    means = np.zeros((len(metrics), resamples, len(datasets[0])))
    for counts, seed in zip(datasets, seeds, strict=True):
        for part, sums in _resampled_sums(counts, seed, resamples):
            for place, metric in enumerate(metrics):
                means[place, part] += rate(sums, metric) / len(datasets)
    return np.moveaxis(np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=1), 0, -1)


def _resampled_sums(counts: np.ndarray, seed: int, resamples: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Sums [draws, R, 3] of counts [R, S, 3] over resampled sentences, exact, some resamples at a time."""
    num_runs, num, _ = counts.shape
    dtype = np.float32 if num * int(counts.max(initial=0)) < _EXACT else np.float64
    columns = counts.transpose(1, 0, 2).reshape(num, -1).astype(dtype)
    generator, size = np.random.default_rng(seed), max(1, _WEIGHTS_AT_ONCE // max(1, num))
    for start in range(0, resamples, size):
        part = slice(start, min(start + size, resamples))
        weights = [np.bincount(generator.integers(0, num, num), minlength=num) for _ in range(start, part.stop)]
        yield part, (np.stack(weights).astype(dtype) @ columns).astype(np.float64).reshape(-1, num_runs, 3)
