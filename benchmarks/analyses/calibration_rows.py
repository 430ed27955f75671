"""Whether scores mean what they say: reliability, calibration errors and threshold sweep of the baseline's runs.

Two populations: what decoding accepts at the floor of the prediction files (a higher threshold takes a part of it), and
every candidate above that floor. Gold below the floor is in neither; how much that is, is told.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.analyses.answered import Gold, read_gold, trained_rows
from benchmarks.analyses.calibration_scores import (
    BINNINGS,
    Scored,
    Told,
    bias,
    bin_sums,
    expected_error,
    joined,
    maximum_error,
    mean_error,
    middle,
    read_told,
    squared_errors,
)
from benchmarks.analyses.calibration_sweep import Sweep, threshold_counts
from benchmarks.analyses.claims import JUDGED
from benchmarks.analyses.resampling import estimate, share_interval
from benchmarks.catalog.variants import baseline_of
from benchmarks.catalog.workspace import Workspace
from benchmarks.scoring.drawing import shared_sums
from gliner_core.seeding import derive_seed

POOLED = "all"
POPULATIONS = ("decoded", "candidates")
COLUMNS = (
    "kind", "population", "dataset", "binning", "bin", "threshold", "measure", "value", "low", "high", "seed_low",
    "seed_high", "num_seeds", "num_sentences", "count", "score", *JUDGED,
)  # fmt: skip
Statistic = Callable[[np.ndarray], np.ndarray]


def gather(space: Workspace, study: str) -> pd.DataFrame:
    """Rows of five kinds: error, bin, kept, curve and choices of thresholds (best, regret, low)."""
    protocol = space.grid.study_rows(study)[0].protocol
    variants = trained_rows(space, study, protocol)
    owners = variants[baseline_of(space.registry.studies[study], list(variants))]
    suite = owners[0].suite
    gold = read_gold(space, space.registry.protocols[protocol], suite)
    told = [[read_told(space, row, data) for row in owners] for data in gold]
    resamples = space.settings.resamples
    rows: list[dict[str, Any]] = []
    for population in POPULATIONS:
        parts = [[getattr(run, population) for run in runs] for runs in told]
        names = [data.card.name for data in gold]
        whole = [joined([part[seed] for part in parts]) for seed in range(len(owners))]
        for dataset, runs in zip([*names, POOLED], [*parts, whole], strict=True):
            seed = derive_seed(0, "reliability", suite, population, dataset)
            place = {"population": population, "dataset": dataset, "num_sentences": runs[0].num_sentences}
            rows += [place | row for row in _reliability(runs, seed, resamples)]
    rows += _kept(gold, told, resamples)
    counts = [_counts(data, runs) for data, runs in zip(gold, told, strict=True)]
    rows += Sweep([data.card.name for data in gold], counts, suite, resamples).rows()
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _reliability(runs: Sequence[Scored], seed: int, resamples: int) -> Iterator[dict[str, Any]]:
    """Errors and bins of one population and dataset; every run answers the same resampled sentences."""
    squares = np.stack([squared_errors(run) for run in runs], axis=1)  # [S, R, 2]
    yield _error("brier", "", squares, shared_sums(squares, seed, resamples), mean_error, scale=1.0)
    for binning in BINNINGS:
        sums = np.stack([bin_sums(run, binning) for run in runs], axis=1)  # [S, R, bins, 3]
        drawn = shared_sums(sums, seed, resamples)
        yield _error("ece_pct", binning, sums, drawn, expected_error)
        yield _error("mce_pct", binning, sums, drawn, maximum_error)
        if binning == BINNINGS[0]:
            yield _error("bias_pct", "", sums, drawn, bias)
        yield from _bins(binning, sums.sum(axis=(0, 1)), drawn.sum(axis=1))


def _error(
    measure: str, binning: str, sums: np.ndarray, drawn: np.ndarray, statistic: Statistic, scale: float = 100.0
) -> dict[str, Any]:
    """One statistic: the mean over runs, its interval over sentences and that over seeds."""
    per_seed = scale * statistic(sums.sum(axis=0))  # [R]
    place = {"kind": "error", "binning": binning, "measure": measure, "count": int(sums[..., 0].sum())}
    return place | estimate(per_seed, scale * statistic(drawn).mean(axis=1))


def _bins(binning: str, sums: np.ndarray, drawn: np.ndarray) -> Iterator[dict[str, Any]]:
    """Mean score and share correct of every bin [bins, 3] that holds a candidate, all runs together."""
    with np.errstate(invalid="ignore"):
        shares = drawn[..., 2] / drawn[..., 0]  # NaN where a resample leaves a bin empty
    for number, (count, score, hits) in enumerate(sums):
        if count:
            low, high = middle(shares[~np.isnan(shares[:, number]), number])
            yield {
                "kind": "bin", "binning": binning, "bin": number, "measure": "correct_pct", "value": 100 * hits / count,
                "low": 100 * low, "high": 100 * high, "count": int(count), "score": score / count,
            }  # fmt: skip


def _kept(gold: Sequence[Gold], told: Sequence[Sequence[Told]], resamples: int) -> Iterator[dict[str, Any]]:
    """The share of gold that is no candidate at all: its score lies below the floor, or nothing could propose it."""
    missed, wanted = [], []
    for data, runs in zip(gold, told, strict=True):
        found = sum(np.bincount(run.candidates.sentence, run.candidates.hit, len(data.items)) for run in runs)
        wanted.append(len(runs) * np.array([len(items) for items in data.items]))
        missed.append(wanted[-1] - np.asarray(found).astype(np.int64))
    names = [data.card.name for data in gold]
    everything = np.concatenate(missed), np.concatenate(wanted)
    for dataset, part, whole in zip([*names, POOLED], [*missed, everything[0]], [*wanted, everything[1]], strict=True):
        value, low, high = share_interval(part, whole, derive_seed(0, "kept", dataset), resamples)
        yield {
            "kind": "kept", "dataset": dataset, "measure": "gold_not_kept_pct", "value": value, "low": low,
            "high": high, "num_seeds": len(told[0]), "num_sentences": len(part), "count": int(whole.sum()),
        }  # fmt: skip


def _counts(gold: Gold, runs: Sequence[Told]) -> np.ndarray:
    """Counts [R, S, T, 3] of what decoding accepts at every threshold."""
    num_gold = np.array([len(items) for items in gold.items])
    return np.stack([threshold_counts(run.decoded, num_gold) for run in runs])
