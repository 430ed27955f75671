"""How sure a number is: intervals over sentences and over seeds, and paired tests between two variants.

Two sources of variation are kept apart. Over *sentences*: the percentile bootstrap and two paired tests; sentences are
resampled inside each dataset, the statistic is the mean of the datasets' metrics. Over *seeds*: Student's t.
All functions take counts [S, 3] = (true positives, predicted, gold) per sentence.

Sentences with equal counts are exchangeable, so a resample of S sentences is one multinomial draw over the distinct
rows: the same distribution as drawing indices, at a cost that does not grow with S.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, pi, sin, sqrt, tan
from statistics import NormalDist

import numpy as np

from benchmarks.scoring.counts import Metric, rate, suite_rate

LEVEL = 0.95
RESAMPLES = 1000
_CELLS_AT_ONCE = 2_000_000  # resamples x distinct rows held in memory: 16 MB of int64
_TIE = 1e-12  # differences are sums of the same fractions in another order; do not let rounding break a tie


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with its two-sided interval, in the unit of the values given (rates: 0..1)."""

    value: float
    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """First minus second variant on the same sentences; the p-value is two-sided."""

    difference: float
    low: float
    high: float
    standard_error: float
    p_value: float
    level: float


def bootstrap_interval(
    counts: np.ndarray,
    seed: int | np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    metric: Metric = "f1",
) -> Interval:
    """Percentile bootstrap over the sentences of one dataset."""
    return suite_interval([counts], seed, resamples, level, metric)


def suite_interval(
    datasets: Sequence[np.ndarray],
    seed: int | np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    metric: Metric = "f1",
) -> Interval:
    """Interval of the unweighted mean over datasets; sentences are resampled inside each dataset."""
    generator = np.random.default_rng(seed)
    means = np.mean([rate(_resampled_sums(rows, generator, resamples), metric) for rows in datasets], axis=0)
    low, high = _percentiles(means, level)
    return Interval(value=suite_rate(datasets, metric), low=low, high=high, level=level)


def paired_bootstrap(
    first: Sequence[np.ndarray],
    second: Sequence[np.ndarray],
    seed: int | np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    metric: Metric = "f1",
) -> Comparison:
    """Difference of suite means when both variants answer the same resampled sentences; one array per dataset.

    An array is [S, 3], or [R, S, 3] for R seeds of a variant: then every seed of both answers the same resample and the
    difference is the mean over seeds, so the interval holds the sampling of sentences and no seed variance.

    The p-value is twice the smaller share of resamples on either side of zero, with one added to both terms of the
    share, so that it is never zero.
    """
    generator = np.random.default_rng(seed)
    differences = np.mean(
        [_resampled_difference(*pair, generator, resamples, metric) for pair in zip(first, second, strict=True)], axis=0
    )
    smaller = min((differences <= _TIE).sum(), (differences >= -_TIE).sum())
    low, high = _percentiles(differences, level)
    return Comparison(
        difference=suite_rate(first, metric) - suite_rate(second, metric),
        low=low,
        high=high,
        standard_error=float(differences.std(ddof=1)),
        p_value=min(1.0, 2 * float(smaller + 1) / (resamples + 1)),
        level=level,
    )


def approximate_randomisation(
    first: Sequence[np.ndarray],
    second: Sequence[np.ndarray],
    seed: int | np.random.Generator,
    resamples: int = RESAMPLES,
    metric: Metric = "f1",
) -> float:
    """Two-sided p-value of the hypothesis that the variants are interchangeable sentence by sentence (Noreen 1989)."""
    generator = np.random.default_rng(seed)
    shuffled = np.zeros(resamples)
    for pair in _paired(first, second):
        first_sums, second_sums = _swapped_sums(pair, generator, resamples)
        shuffled += (rate(first_sums, metric) - rate(second_sums, metric)) / len(first)
    observed = abs(suite_rate(first, metric) - suite_rate(second, metric))
    at_least = int((np.abs(shuffled) >= observed - _TIE).sum())
    return (at_least + 1) / (resamples + 1)


def seed_interval(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Student's t interval of the mean over seeds; a single seed has no interval and yields its value twice."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(value=mean, low=mean, high=mean, level=level)
    half = t_quantile((1 + level) / 2, len(values) - 1) * float(np.std(values, ddof=1)) / sqrt(len(values))
    return Interval(value=mean, low=mean - half, high=mean + half, level=level)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment: p-values that may be read against one level for the whole family."""
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    stepped = np.maximum.accumulate(np.asarray(p_values, dtype=float)[order] * factors)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted.tolist()


def minimum_detectable_difference(standard_error: float, power: float = 0.8, level: float = LEVEL) -> float:
    """The true difference that a two-sided test at this level would detect with this power (normal approximation)."""
    normal = NormalDist()
    return (normal.inv_cdf((1 + level) / 2) + normal.inv_cdf(power)) * standard_error


def t_quantile(probability: float, degrees: int) -> float:
    """Quantile (probability >= 0.5) of Student's t with whole degrees of freedom, by bisection of its exact series.

    Scoring needs one quantile; scipy would cost more start-up time than the scoring of a dataset.
    """
    low, high = 0.0, pi / 2
    for _ in range(100):
        middle = (low + high) / 2
        if (1 + _t_central(middle, degrees)) / 2 < probability:
            low = middle
        else:
            high = middle
    return sqrt(degrees) * tan(low)


def _t_central(angle: float, degrees: int) -> float:
    """P(|t| < sqrt(degrees) * tan(angle)): Abramowitz and Stegun 26.7.3 (odd) and 26.7.4 (even degrees)."""
    odd = degrees % 2
    term, series = (cos(angle) if odd else 1.0), 0.0
    for k in range(odd, degrees - 1, 2):
        series += term
        term *= cos(angle) ** 2 * (k + 1) / (k + 2)
    return 2 / pi * (angle + sin(angle) * series) if odd else sin(angle) * series


def _percentiles(values: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _paired(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [np.hstack([one, other]) for one, other in zip(first, second, strict=True)]


def _resampled_difference(
    one: np.ndarray, other: np.ndarray, generator: np.random.Generator, resamples: int, metric: Metric
) -> np.ndarray:
    """First minus second rate, mean over seeds, of every resample of the sentences of one dataset."""
    stacked = np.concatenate([rows.reshape(-1, *rows.shape[-2:]) for rows in (one, other)])  # [2R, S, 3]
    columns = stacked.transpose(1, 0, 2).reshape(stacked.shape[1], -1)  # [S, 2R * 3]
    sums = _resampled_sums(columns, generator, resamples)
    rates = rate(sums.reshape(resamples, 2, -1, 3), metric)  # [resamples, 2, R]
    return (rates[:, 0] - rates[:, 1]).mean(axis=1)


def _resampled_sums(rows: np.ndarray, generator: np.random.Generator, resamples: int) -> np.ndarray:
    """Column sums [R, columns] of `resamples` bootstrap samples of the rows [S, columns]."""
    distinct, repeats = np.unique(rows, axis=0, return_counts=True)
    share = repeats / repeats.sum()
    return _in_chunks(lambda size: generator.multinomial(len(rows), share, size) @ distinct, len(distinct), resamples)


def _swapped_sums(pair: np.ndarray, generator: np.random.Generator, resamples: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums [R, 3] of both variants after each sentence's answers changed sides with probability one half."""
    distinct, repeats = np.unique(pair, axis=0, return_counts=True)
    gain = distinct[:, 3:] - distinct[:, :3]
    moved = _in_chunks(
        lambda size: generator.binomial(repeats, 0.5, (size, len(repeats))) @ gain, len(distinct), resamples
    )
    sums = pair.sum(axis=0)
    return sums[:3] + moved, sums[3:] - moved


def _in_chunks(draw: Callable[[int], np.ndarray], width: int, resamples: int) -> np.ndarray:
    size = max(1, _CELLS_AT_ONCE // width)
    return np.concatenate([draw(min(size, resamples - done)) for done in range(0, resamples, size)])
