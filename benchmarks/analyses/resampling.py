"""What analyses make of resampled statistics: row fields with both intervals, p-values, intervals of shares."""

from statistics import NormalDist
from typing import Any

import numpy as np

from benchmarks.scoring.statistics import LEVEL, bootstrap_interval, seed_interval


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
