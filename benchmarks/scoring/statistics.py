"""How sure a number is: intervals over sentences and over seeds, and paired tests between two variants.

Two sources of variation are kept apart. Over *sentences*: the percentile bootstrap and two paired tests; sentences are
resampled inside each dataset, the statistic is the mean of the datasets' metrics. Over *seeds*: Student's t.
All functions take counts [S, 3] = (true positives, predicted, gold) per sentence; the paired ones also [R, S, 3] for
R seeds of a variant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import cos, pi, sin, sqrt, tan
from statistics import NormalDist

import numpy as np

from benchmarks.scoring.counts import Metric, rate, suite_rate
from benchmarks.scoring.drawing import exchanged_sums, resampled_sums

LEVEL = 0.95
RESAMPLES = 1000
EXCHANGES = 10_000  # more than resamples: Holm's correction multiplies p-values, and none is below 1 / EXCHANGES
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
    """First minus second variant on the same sentences, with the interval of their difference."""

    difference: float
    low: float
    high: float
    standard_error: float
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
    means = np.mean([rate(resampled_sums(rows, generator, resamples), metric) for rows in datasets], axis=0)
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

    With seeds, every seed of both answers the same resample and the difference is that of the means over seeds, so the
    interval holds the sampling of sentences and no seed variance. The sides may have different numbers of seeds.
    """
    generator = np.random.default_rng(seed)
    differences = np.mean(
        [_resampled_difference(*pair, generator, resamples, metric) for pair in zip(first, second, strict=True)], axis=0
    )
    return comparison(suite_rate(first, metric) - suite_rate(second, metric), differences, level)


def comparison(difference: float, resampled: np.ndarray, level: float = LEVEL) -> Comparison:
    """A difference with its percentile interval, from what it is in every resample [B] of the sentences."""
    low, high = _percentiles(resampled, level)
    error = float(resampled.std(ddof=1))
    return Comparison(difference=difference, low=low, high=high, standard_error=error, level=level)


def approximate_randomisation(
    first: Sequence[np.ndarray],
    second: Sequence[np.ndarray],
    seed: int | np.random.Generator,
    exchanges: int = EXCHANGES,
    metric: Metric = "f1",
) -> float:
    """Two-sided p-value of the hypothesis that the variants are interchangeable sentence by sentence (Noreen 1989).

    With seeds, a sentence changes sides in all seeds at once and the statistic is the mean of the seeds' differences; a
    side of one seed meets every seed of the other. Never zero: the observed assignment counts as one exchange.
    """
    generator = np.random.default_rng(seed)
    exchanged = np.mean(
        [_exchanged_difference(*pair, generator, exchanges, metric) for pair in zip(first, second, strict=True)], axis=0
    )
    observed = abs(suite_rate(first, metric) - suite_rate(second, metric))
    at_least = int((np.abs(exchanged) >= observed - _TIE).sum())
    return (at_least + 1) / (exchanges + 1)


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


def visible_over_seeds(differences: Sequence[float], power: float = 0.8, level: float = LEVEL) -> float:
    """The true mean difference for which Student's interval over so many such seeds leaves out zero with this power.

    From the power of the two-sided t-test (non-central t), with the seeds' own standard deviation as the true one.
    """
    error = float(np.std(differences, ddof=1)) / sqrt(len(differences))
    return _t_shift(len(differences) - 1, power, level) * error


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


@cache
def _t_shift(degrees: int, power: float, level: float) -> float:
    """The true mean, in standard errors, that a two-sided t-test detects with this power; by bisection."""
    critical = t_quantile((1 + level) / 2, degrees)
    low, high = 0.0, 4 * critical
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_power(middle, critical, degrees) < power else (low, middle)
    return low


def _t_power(shift: float, critical: float, degrees: int) -> float:
    """P(|T| > critical) of the non-central t, T = (Z + shift) / W with W = sqrt(chi2 / degrees), over a grid of W."""
    spread = np.linspace(0, 1 + 8 / sqrt(degrees), 2001)[1:]
    weight = spread ** (degrees - 1) * np.exp(-degrees / 2 * (spread**2 - 1))
    normal = NormalDist()
    beyond = [normal.cdf(shift - critical * w) + normal.cdf(-shift - critical * w) for w in spread]
    return float(np.dot(weight, beyond) / weight.sum())


def _percentiles(values: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _seeds_first(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(-1, *rows.shape[-2:])


def _resampled_difference(
    one: np.ndarray, other: np.ndarray, generator: np.random.Generator, resamples: int, metric: Metric
) -> np.ndarray:
    """First minus second rate, each the mean over seeds, of every resample of the sentences of one dataset."""
    one, other = _seeds_first(one), _seeds_first(other)  # [R, S, 3], [R', S, 3]
    columns = np.concatenate([one, other]).transpose(1, 0, 2).reshape(one.shape[1], -1)  # [S, (R + R') * 3]
    rates = rate(resampled_sums(columns, generator, resamples).reshape(resamples, -1, 3), metric)
    return rates[:, : len(one)].mean(axis=1) - rates[:, len(one) :].mean(axis=1)


def _exchanged_difference(
    one: np.ndarray, other: np.ndarray, generator: np.random.Generator, exchanges: int, metric: Metric
) -> np.ndarray:
    """First minus second rate, mean over seeds, after each sentence changed sides with probability one half."""
    one, other = np.broadcast_arrays(_seeds_first(one), _seeds_first(other))  # [R, S, 3]
    gain = (other - one).transpose(1, 0, 2).reshape(one.shape[1], -1)  # [S, R * 3]
    gain = gain[gain.any(axis=1)]  # equal answers change nothing when they change sides
    moved = exchanged_sums(gain, generator, exchanges).reshape(exchanges, -1, 3)
    rates = rate(one.sum(axis=1) + moved, metric) - rate(other.sum(axis=1) - moved, metric)  # [exchanges, R]
    return rates.mean(axis=1)
