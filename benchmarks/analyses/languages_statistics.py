"""What can be said about groups of languages from the scores of each: means, contrasts, gains, correlation.

Every mean and contrast is a weighted sum of the languages' F1 over one or two variants, so one function gives its
value, its interval over sentences (all variants answer the same resampled sentences) and its interval over seeds.
Languages are few and no random sample; how much a contrast owes to which languages stand on which side is told by
`languages_permutations.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.analyses.resampling import estimate
from benchmarks.scoring.counts import rate
from benchmarks.scoring.drawing import shared_sums
from benchmarks.scoring.statistics import LEVEL

BOTH, ONLY_OWN = "read by both", "read by this one only"
ONLY_REFERENCE, NEITHER = "read by the other only", "read by neither"
MIN_LANGUAGES = 5  # of four, no order is rarer than 2 in 24: neither a test nor an interval tells anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """F1 in percent of one variant: of every seed and language [R, D], and of every resample of sentences [B, D]."""

    seeds: np.ndarray
    draws: np.ndarray

    @property
    def means(self) -> np.ndarray:
        """Mean over seeds of every language [D]."""
        return self.seeds.mean(axis=0)


def scores_of(counts: Sequence[np.ndarray], draw_seeds: Sequence[int], resamples: int) -> Scores:
    """From the counts [R, S, 3] of every language. Equal seeds give equal resamples, so variants stay paired."""
    draws = []
    for rows, seed in zip(counts, draw_seeds, strict=True):
        sums = shared_sums(rows.transpose(1, 0, 2), seed, resamples)  # [B, R, 3]
        draws.append(100 * rate(sums).mean(axis=1))
    seeds = [100 * rate(rows.sum(axis=1)) for rows in counts]
    return Scores(seeds=np.stack(seeds, axis=1), draws=np.stack(draws, axis=1))


def mean_of(members: np.ndarray) -> np.ndarray:
    """Weights [D] of the mean over the languages marked in `members` [D]."""
    return members / members.sum()


def weighted(*parts: tuple[Scores, np.ndarray]) -> dict[str, Any]:
    """Value and both intervals of the sum of scores times weights [D]; all parts have the same number of seeds."""
    values = np.sum([scores.seeds @ weights for scores, weights in parts], axis=0)
    return estimate(values, np.sum([scores.draws @ weights for scores, weights in parts], axis=0))


def spearman(first: np.ndarray, second: np.ndarray, seed: int, resamples: int) -> dict[str, float | None]:
    """Spearman's rank correlation and its percentile bootstrap over languages; no value for a constant side.

    Resamples with a constant side are left out; fewer than `MIN_LANGUAGES` have no interval.
    """
    value = _rank_correlation(first, second)
    if value is None:
        return {"value": None, "low": None, "high": None}
    if len(first) < MIN_LANGUAGES:
        return {"value": value, "low": None, "high": None}
    picked = np.random.default_rng(seed).integers(0, len(first), (resamples, len(first)))
    found = [_rank_correlation(first[row], second[row]) for row in picked]
    low, high = np.quantile([item for item in found if item is not None], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"value": value, "low": float(low), "high": float(high)}


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    if min(np.ptp(first), np.ptp(second)) == 0:
        return None
    return float(np.corrcoef(pd.Series(first).rank(), pd.Series(second).rank())[0, 1])


def reading_classes(own: np.ndarray, reference: np.ndarray) -> dict[str, np.ndarray]:
    """Languages [D] by which of two backbones has read them in pretraining; a class may be empty."""
    return {
        BOTH: own & reference,
        ONLY_OWN: own & ~reference,
        ONLY_REFERENCE: ~own & reference,
        NEITHER: ~own & ~reference,
    }
