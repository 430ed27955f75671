"""Rates of many runs over the same resampled sentences: one matrix product serves all runs, and every metric.

What a run gets depends on its own counts and on the seed of the dataset, not on the runs beside it. So runs may come
in parts of any size, and the difference of two runs that were drawn apart is that of a paired bootstrap.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.scoring.counts import Metric, rate
from benchmarks.scoring.drawing import drawn_indices, exact_type
from benchmarks.scoring.statistics import LEVEL

_WEIGHTS_AT_ONCE = 4_000_000  # resamples x sentences held in memory: 16 MB of floats


def resampled_rates(counts: np.ndarray, seed: int, resamples: int, metrics: Sequence[Metric] = ("f1",)) -> np.ndarray:
    """Rates [metrics, resamples, R], in 0..1, of counts [R, S, 3] of R runs over bootstrap samples of S sentences."""
    found = np.empty((len(metrics), resamples, len(counts)))
    for part, sums in _resampled_sums(counts, seed, resamples):
        for place, metric in enumerate(metrics):
            found[place, part] = rate(sums, metric)
    return found


def suite_intervals(
    datasets: Sequence[np.ndarray],
    seeds: Sequence[int],
    resamples: int,
    metrics: Sequence[Metric],
    level: float = LEVEL,
) -> np.ndarray:
    """Bounds [metrics, R, 2] in 0..1 of every run's unweighted mean over datasets; percentile bootstrap over sentences.

    `datasets` holds counts [R, S, 3] of R runs, `seeds` one seed for each dataset.
    """
    means = np.zeros((len(metrics), resamples, len(datasets[0])))
    for counts, seed in zip(datasets, seeds, strict=True):
        means += resampled_rates(counts, seed, resamples, metrics) / len(datasets)
    return np.moveaxis(np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=1), 0, -1)


def _resampled_sums(counts: np.ndarray, seed: int, resamples: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Sums [draws, R, 3] of counts [R, S, 3] over resampled sentences, exact, some resamples at a time."""
    num_runs, num, _ = counts.shape
    kind = exact_type(counts, num)
    columns = counts.transpose(1, 2, 0).reshape(num, -1).astype(kind)  # runs last: what is divided lies side by side
    generator, size = np.random.default_rng(seed), max(1, _WEIGHTS_AT_ONCE // max(1, num))
    for start in range(0, resamples, size):
        part = slice(start, min(start + size, resamples))
        weights = drawn_indices(generator, part.stop - start, num).astype(kind)
        yield part, np.moveaxis((weights @ columns).astype(np.float64).reshape(-1, 3, num_runs), 1, -1)
