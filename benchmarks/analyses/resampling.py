"""Intervals over test sentences for statistics of many columns at once, where all columns see the same resample.

`benchmarks/scoring/statistics.py` resamples one variant or a pair; here slices of the same sentences are compared, so
their sums must come from one draw.
"""

from statistics import NormalDist
from typing import Any

import numpy as np

from benchmarks.scoring.statistics import LEVEL, bootstrap_interval, seed_interval

_AT_ONCE = 100  # resamples held in memory: 100 x 10,000 sentences are 8 MB


def resampled_sums(columns: np.ndarray, seed: int, resamples: int) -> np.ndarray:
    """Column sums [R, ...] of bootstrap samples of the sentences; `columns` is [S, ...]."""
    generator = np.random.default_rng(seed)
    num = len(columns)
    flat = columns.reshape(num, -1).astype(float)
    share = np.full(num, 1 / num)
    sizes = [min(_AT_ONCE, resamples - done) for done in range(0, resamples, _AT_ONCE)]
    sums = [generator.multinomial(num, share, size).astype(float) @ flat for size in sizes]
    return np.concatenate(sums).reshape(resamples, *columns.shape[1:])


def estimate(values: np.ndarray, resampled: np.ndarray) -> dict[str, Any]:
    """Mean over seeds [N] with both intervals as row fields; `resampled` [R] is that mean in each resample.

    A single seed has no interval over seeds.
    """
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    over_seeds = seed_interval(values.tolist()) if len(values) > 1 else None
    return {
        "num_seeds": len(values), "value": float(values.mean()), "low": low, "high": high,
        "seed_low": over_seeds.low if over_seeds else None, "seed_high": over_seeds.high if over_seeds else None,
        "seed_min": float(values.min()), "seed_max": float(values.max()),
    }  # fmt: skip


def normal_p_value(difference: float, resampled: np.ndarray) -> float:
    """Two-sided p-value of no difference, by the normal approximation with the resamples' standard error.

    The share of resamples beyond zero cannot fall below 1 / R, too coarse for a correction over many comparisons.
    """
    error = float(resampled.std(ddof=1))
    if error == 0:
        return 1.0
    return 2 * (1 - NormalDist().cdf(abs(difference) / error))


def share_interval(part: np.ndarray, whole: np.ndarray, seed: int, resamples: int) -> tuple[float, float, float]:
    """Sum of `part` [S] over sum of `whole` [S] in percent, and its bootstrap interval over sentences."""
    # The share is the precision of counts (part, whole, anything); that bootstrap draws distinct rows, so it is cheap.
    found = bootstrap_interval(np.stack([part, whole, whole], axis=1), seed, resamples, metric="precision")
    return 100 * found.value, 100 * found.low, 100 * found.high
