"""Rows of the analysis `scaling`: F1 against labelled examples per dataset, with and without pretraining on open types.

Everything is computed on the mean over the datasets of the suite. Two intervals are kept apart, as everywhere: over
test sentences (every run answers the same resampled sentences) and over seeds. Means over seeds have Student's; a
fitted curve has one from normal noise on its points, with the runs' pooled variance over seeds (or, with one seed, the
curve's own residuals) drawn anew each time, so that few degrees of freedom widen it as they do in Student's. The mean
gap of every size and its change are tested (`scaling_verdicts.py`); single datasets and curves are described.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.analyses.power_law import MIN_SIZES, PowerLaws, fit_power_laws
from benchmarks.analyses.resampling import estimate
from benchmarks.analyses.scaling_points import WITH, WITHOUT, Points, read_points
from benchmarks.analyses.scaling_verdicts import judge_change, judge_gaps
from benchmarks.catalog.workspace import Workspace
from benchmarks.scoring.counts import rate
from benchmarks.scoring.drawing import shared_sums
from benchmarks.scoring.statistics import LEVEL
from gliner_core.seeding import derive_seed

COLUMNS = (
    "topic", "start", "dataset", "nominal", "size", "passes", "num_seeds", "value", "low", "high", "seed_low",
    "seed_high", "seed_min", "seed_max", "num_compared", "p_value", "p_adjusted", "visible_points", "verdict", "reach",
)  # fmt: skip
F1, GAP, CHANGE, CURVE, CROSSING, RESIDUAL = "f1_pct", "gap", "gap_change", "curve_pct", "size_of_a_point", "residual"
PARAMETERS = ("asymptote", "height", "exponent")
NOISE_DRAWS = 1000
DRAWN = 40  # points of a fitted curve
POINT = 1.0  # F1: the gap that is looked for
BEYOND, BELOW = np.inf, 0.0  # no size of the data is large enough; the smallest one is


def gather(space: Workspace, study: str) -> pd.DataFrame:
    """Points, fits and gaps of a study whose variants are starts times sizes. Values are in percent or points of F1."""
    points = read_points(space, study)
    found = {start: _Scores(space, items) for start, items in points.items()}
    rows: list[dict[str, Any]] = []
    for start, scores in found.items():
        rows += scores.rows(start)
    if len(found) == 2:
        suite = space.grid.study_rows(study)[0].suite
        tested = judge_gaps(points[WITH], points[WITHOUT], suite, space.settings.resamples)
        rows += _gap_rows(found[WITH], found[WITHOUT], list(tested))
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"num_compared": "Int64"})


class _Scores:
    """F1 in percent of all sizes of one start: by seed [N, R, D], and their mean in every resample [B, N, D]."""

    def __init__(self, space: Workspace, points: Sequence[Points]) -> None:
        self.points = points
        self.sizes = np.array([point.size for point in points])
        names = list(points[0].counts)
        stacked = [np.stack([point.counts[name] for point in points]) for name in names]  # [N, R, S, 3] each
        self.datasets = names
        self.by_seed = 100 * np.stack([rate(part.sum(axis=2)) for part in stacked], axis=-1)
        resampled = []
        for name, part in zip(names, stacked, strict=True):
            # One seed per dataset and not per start: with and without answer the same resample.
            seed = derive_seed(0, "scaling", name)
            sums = shared_sums(np.moveaxis(part, 2, 0), seed, space.settings.resamples)  # [B, N, R, 3]
            resampled.append(100 * rate(sums).mean(axis=-1))
        self.resampled = np.stack(resampled, axis=-1)

    @property
    def means(self) -> np.ndarray:
        """Suite means by seed [N, R]."""
        return self.by_seed.mean(axis=-1)

    @property
    def fits(self) -> bool:
        """Whether there are sizes enough for a curve."""
        return len(np.unique(self.sizes)) >= MIN_SIZES

    @cached_property
    def curves(self) -> tuple[PowerLaws, PowerLaws, PowerLaws | None]:
        """The fitted curve, and its counterparts over resampled sentences [B] and over noise of seeds [B]."""
        errors = 100 - self.means
        fitted = fit_power_laws(self.sizes, errors.mean(axis=1))
        over_sentences = fit_power_laws(self.sizes, 100 - self.resampled.mean(axis=-1))
        noise = _noise(errors, float(fitted.residual), derive_seed(0, "scaling noise", self.points[0].start))
        if noise is None:
            return fitted, over_sentences, None
        return fitted, over_sentences, fit_power_laws(self.sizes, np.maximum(errors.mean(axis=1) + noise, 0.0))

    def rows(self, start: str) -> Iterator[dict[str, Any]]:
        """Points, and the curve with its parameters."""
        for place, point in enumerate(self.points):
            spread = estimate(self.means[place], self.resampled[:, place].mean(axis=-1))
            yield _row(F1, point, **spread)
        if not self.fits:
            return
        fitted, over_sentences, over_seeds = self.curves
        shared = {"start": start, "num_seeds": self.means.shape[1]}
        for name in PARAMETERS:
            bounds = [getattr(laws, name) if laws else None for laws in (over_sentences, over_seeds)]
            yield shared | {"topic": name, "value": float(getattr(fitted, name))} | _ends(*bounds)
        yield shared | {"topic": RESIDUAL, "value": float(fitted.residual)}
        sizes = np.geomspace(self.sizes.min(), self.sizes.max(), DRAWN)
        values, ends = 100 - fitted.at(sizes), np.quantile(100 - over_sentences.at(sizes), _LEVELS, axis=0)
        for size, value, low, high in zip(sizes, values, *ends, strict=True):
            yield shared | {"topic": CURVE, "size": float(size), "value": float(value), "low": low, "high": high}


_LEVELS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


def _noise(errors: np.ndarray, residual: float, seed: int) -> np.ndarray | None:
    """Draws [B, N] of what seeds alone add to the mean of N points; None where nothing tells how much that is."""
    num, seeds = errors.shape
    degrees = num * (seeds - 1) if seeds > 1 else num - MIN_SIZES
    if degrees < 1:
        return None
    if seeds > 1:
        variance = float(((errors - errors.mean(axis=1, keepdims=True)) ** 2).sum()) / degrees / seeds
    else:
        variance = num * residual**2 / degrees
    generator = np.random.default_rng(seed)
    scale = np.sqrt(variance * degrees / generator.chisquare(degrees, NOISE_DRAWS))
    return scale[:, None] * generator.standard_normal((NOISE_DRAWS, num))


def _gap_rows(first: _Scores, second: _Scores, tested: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """With minus without pretraining: at every size, by dataset, its change, and the size where a point is left.

    `tested` are the fields of the mean gap of every size.
    """
    gaps = first.by_seed - second.by_seed  # the seeds of both starts are the same
    resampled = first.resampled - second.resampled
    for place, point in enumerate(first.points):
        yield _row(GAP, point, start="", **tested[place])
        for column, name in enumerate(first.datasets):
            spread = estimate(gaps[place][:, column], resampled[:, place, column])
            yield _row(GAP, point, start="", dataset=name, **spread)
    if len(gaps) > 1:
        change = judge_change((gaps[-1] - gaps[0]).mean(axis=-1), (resampled[:, -1] - resampled[:, 0]).mean(axis=-1))
        yield _row(CHANGE, first.points[-1], start="", **change)
    if first.fits and second.fits:
        yield _crossing_row(first, second)


def _crossing_row(first: _Scores, second: _Scores) -> dict[str, Any]:
    sizes = np.geomspace(first.sizes.min(), first.sizes.max(), 400)
    found = []
    for with_start, without in zip(first.curves, second.curves, strict=True):
        found.append(crossings(sizes, without.at(sizes) - with_start.at(sizes)) if with_start and without else None)
    value, over_sentences, over_seeds = found
    row = {"topic": CROSSING, "num_seeds": first.means.shape[1], "value": float(value)}
    return row | _ends(over_sentences, over_seeds)


def crossings(sizes: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """First of the sizes [N] from which on a gap [..., N] stays under a point; BELOW if from the first, else BEYOND."""
    above = gaps >= POINT
    last = gaps.shape[-1] - 1 - above[..., ::-1].argmax(axis=-1)  # the last size with a gap of a point or more
    after = np.append(sizes, BEYOND)[np.minimum(last + 1, len(sizes))]
    return np.where(above.any(axis=-1), after, BELOW)


def _ends(over_sentences: np.ndarray, over_seeds: np.ndarray | None) -> dict[str, float | None]:
    """Percentile intervals; `nearest` because sizes may be infinite."""
    low, high = np.quantile(over_sentences, _LEVELS, method="nearest").tolist()
    ends = {"low": low, "high": high, "seed_low": None, "seed_high": None}
    if over_seeds is not None:
        ends["seed_low"], ends["seed_high"] = np.quantile(over_seeds, _LEVELS, method="nearest").tolist()
    return ends


def _row(topic: str, point: Points, **values: Any) -> dict[str, Any]:
    place = {"start": point.start, "nominal": point.nominal, "size": point.size, "passes": point.passes}
    return {"topic": topic} | place | values
