"""Rates of many runs over the same resampled sentences: one matrix product serves all runs, and every metric.

What a run gets depends on its own counts and on the seed of the dataset, not on the runs beside it. So runs may come
in parts of any size, and the difference of two runs that were drawn apart is that of a paired bootstrap.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.scoring.counts import Metric, rate_of
from benchmarks.scoring.drawing import shared_sums
from benchmarks.scoring.statistics import LEVEL


def resampled_rates(counts: np.ndarray, seed: int, resamples: int, metrics: Sequence[Metric] = ("f1",)) -> np.ndarray:
    """Rates [metrics, resamples, R], in 0..1, of counts [R, S, 3] of R runs over bootstrap samples of S sentences."""
    return np.stack([*_rates(counts, seed, resamples, metrics)])


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
        for mean, rates in zip(means, _rates(counts, seed, resamples, metrics), strict=True):
            mean += rates / len(datasets)
    return np.moveaxis(np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=1), 0, -1)


def _rates(counts: np.ndarray, seed: int, resamples: int, metrics: Sequence[Metric]) -> Iterator[np.ndarray]:
    """What `resampled_rates` stacks, one metric after the other."""
    found, predicted, gold = np.moveaxis(counts, 2, 0)  # [R, S] each
    if (gold == gold[0]).all():  # runs that were asked the same have one gold: a third less to multiply
        gold = gold[:1]
    columns = np.concatenate([found, predicted, gold]).T  # what is divided lies side by side
    sums = np.split(shared_sums(columns, seed, resamples), [len(counts), 2 * len(counts)], axis=1)
    for metric in metrics:
        yield rate_of(*sums, metric)
