"""Exact-match counting: items per sentence -> (true positives, predicted, gold) -> precision, recall, F1.

The measure of the paper (section 4) as the author's evaluator computes it: micro over the sentences of one dataset,
unweighted mean over the datasets of a suite, zero wherever a denominator is zero.
"""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Metric = Literal["precision", "recall", "f1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Sums over sentences; the rates lie in 0..1."""

    true_positive: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        return float(rate(self._row(), "precision"))

    @property
    def recall(self) -> float:
        return float(rate(self._row(), "recall"))

    @property
    def f1(self) -> float:
        return float(rate(self._row(), "f1"))

    def _row(self) -> np.ndarray:
        return np.array([self.true_positive, self.predicted, self.gold])


def sentence_counts(gold: Sequence[Collection[Hashable]], predicted: Sequence[Collection[Hashable]]) -> np.ndarray:
    """Counts per sentence, int array [S, 3]; items are compared as sets, so a repeated item counts once."""
    rows = np.zeros((len(gold), 3), dtype=np.int64)
    for row, expected, answered in zip(rows, gold, predicted, strict=True):
        truth, answer = set(expected), set(answered)
        row[:] = len(truth & answer), len(answer), len(truth)
    return rows


def total(rows: np.ndarray) -> Counts:
    """Micro sums of the rows [S, 3] of one dataset."""
    true_positive, predicted, gold = (int(value) for value in rows.sum(axis=0))
    return Counts(true_positive=true_positive, predicted=predicted, gold=gold)


def rate(sums: np.ndarray, metric: Metric = "f1") -> np.ndarray:
    """The metric of summed counts [..., 3], vectorised over the leading axes; zero where it is undefined."""
    return rate_of(sums[..., 0], sums[..., 1], sums[..., 2], metric)


def rate_of(true_positive: np.ndarray, predicted: np.ndarray, gold: np.ndarray, metric: Metric = "f1") -> np.ndarray:
    """The metric of summed counts that stand in arrays of their own, of shapes that broadcast; zero where undefined."""
    if metric == "f1":  # 2PR / (P + R) = 2 TP / (predicted + gold), without the intermediate divisions
        return _divide(2 * true_positive, predicted + gold)
    return _divide(true_positive, predicted if metric == "precision" else gold)


def suite_rate(datasets: Sequence[np.ndarray], metric: Metric = "f1") -> float:
    """Unweighted mean over datasets of each dataset's micro metric; arrays [S, 3], or [R, S, 3] for R seeds."""
    return float(np.mean([np.mean(rate(rows.sum(axis=-2), metric)) for rows in datasets]))


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.where(denominator > 0, numerator / np.maximum(denominator, 1), 0.0)
