"""What training has seen and what is found: recall, precision and F1 of test spans by slice, and their differences.

Two ways of joining the datasets of a suite, for a slice may lie mostly in an easy one:
`pooled` adds the counts of all datasets; `within` compares two slices inside each dataset that holds both
and averages the differences with equal weight. Slices still differ in difficulty: no difference here is causal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.analyses.answered import Gold, read_answers, read_gold, trained_rows
from benchmarks.analyses.resampling import estimate, normal_p_value
from benchmarks.analyses.slice_names import APART, COLUMNS, DIMENSIONS, LEAKS, REST, SHARED
from benchmarks.analyses.slices import Slicer
from benchmarks.analyses.training_facts import TrainingFacts
from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.scoring.counts import Metric, rate
from benchmarks.scoring.drawing import shared_sums
from benchmarks.scoring.statistics import LEVEL, holm
from gliner_core.examples import read_jsonl
from gliner_core.seeding import derive_seed

FIELDS = (
    "variant", "label", "mixture", "suite", "protocol", "kind", "joined", "dimension", "slice", "against", "metric",
    "seed", "num_seeds", "num_datasets", "value", "low", "high", "seed_low", "seed_high", "seed_min", "seed_max",
    "p_holm", "is_shown", "true_positive", "predicted", "gold",
    "detail",
)  # fmt: skip
METRICS: tuple[Metric, ...] = ("recall", "precision", "f1")
ENOUGH = 20  # gold spans that a slice must have before it is compared; below, one span moves recall by 5 points


@dataclass(frozen=True, slots=True, kw_only=True)
class Sliced:
    """One variant's counts: of each dataset its sums [N, slices, 3] for N seeds, and those of resamples [R, N, ...]."""

    names: tuple[str, ...]
    sums: np.ndarray  # [D, N, slices, 3]
    drawn: np.ndarray  # [D, R, N, slices, 3]
    seeds: tuple[int, ...]


def gather(space: Workspace, study: str) -> pd.DataFrame:
    """Tidy rows: `slice` (one value), `difference` (slice minus `against`) and `leakage` (F1 without a slice)."""
    card = space.registry.studies[study]
    first = space.grid.study_rows(study)[0]
    protocol = space.registry.protocols[(card.protocols or (first.protocol,))[0]]
    gold = read_gold(space, protocol, first.suite)
    rows: list[dict[str, Any]] = []
    for mixture, variants in _by_mixture(space, trained_rows(space, study, protocol.name)).items():
        training = TrainingFacts(read_jsonl(space.mixture(mixture) / "train.jsonl"))
        slicers = [Slicer(data, training) for data in gold]
        for variant, runs in variants.items():
            place = {"variant": variant, "label": runs[0].label, "mixture": mixture, "suite": first.suite,
                     "protocol": protocol.name}  # fmt: skip
            sliced = _slice(space, runs, gold, slicers)
            rows += [{**place, **row} for row in variant_rows(sliced)]
    return pd.DataFrame(rows, columns=list(FIELDS))


def variant_rows(sliced: Sliced) -> list[dict[str, Any]]:
    """All rows of one variant; p-values are corrected over its pooled differences in recall."""
    differences = list(_differences(sliced))
    family = [row for row in differences if (row["joined"], row["metric"]) == ("pooled", "recall")]
    within = {(row["dimension"], row["slice"]): row for row in differences
              if (row["joined"], row["metric"]) == ("within", "recall")}  # fmt: skip
    for row, adjusted in zip(family, holm([row["p_value"] for row in family]), strict=True):
        row["p_holm"] = adjusted
        row["is_shown"] = adjusted < 1 - LEVEL and _is_shown(row, within.get((row["dimension"], row["slice"])))
    return [*_slice_rows(sliced), *differences, *_leakage(sliced)]


def _by_mixture(space: Workspace, rows: dict[str, list[Row]]) -> dict[str, dict[str, list[Row]]]:
    found: dict[str, dict[str, list[Row]]] = {}
    for variant, runs in rows.items():
        found.setdefault(space.grid.runs[runs[0].owner].spec.data.name, {})[variant] = runs
    return found


def _slice(space: Workspace, runs: Sequence[Row], gold: Sequence[Gold], slicers: Sequence[Slicer]) -> Sliced:
    answers = [read_answers(space, run, gold) for run in runs]
    sums, drawn = [], []
    for place, (data, slicer) in enumerate(zip(gold, slicers, strict=True)):
        counts = np.stack([slicer.counts(answer[place]) for answer in answers], axis=1)  # [S, N, slices, 3]
        seed = derive_seed(0, "slices", data.card.name)
        sums.append(counts.sum(axis=0))
        drawn.append(shared_sums(counts, seed, space.settings.resamples))
    names = tuple(data.card.name for data in gold)
    seeds = tuple(run.seed or 0 for run in runs)
    return Sliced(names=names, sums=np.stack(sums), drawn=np.stack(drawn), seeds=seeds)


def _slice_rows(sliced: Sliced) -> Iterator[dict[str, Any]]:
    """Every slice that has gold or answers: pooled over datasets (all seeds, and each), then for each dataset."""
    total, drawn = sliced.sums.sum(axis=0), sliced.drawn.sum(axis=0)
    for column, (dimension, name) in enumerate(COLUMNS):
        for metric in METRICS:
            place = {"kind": "slice", "dimension": dimension, "slice": name, "metric": metric}
            yield from _value_rows(place | {"joined": "pooled"}, sliced, total[:, column], drawn[:, :, column])
            for data, dataset in enumerate(sliced.names):
                sums, resamples = sliced.sums[data][:, column], sliced.drawn[data][:, :, column]
                yield from list(_value_rows(place | {"joined": dataset}, sliced, sums, resamples))[:1]


def _value_rows(place: dict[str, Any], sliced: Sliced, sums: np.ndarray, drawn: np.ndarray) -> Iterator[dict[str, Any]]:
    """The mean over seeds, then (of several) each seed alone; `sums` [N, 3], `drawn` [R, N, 3]."""
    metric = place["metric"]
    if not _is_defined(sums, metric):
        return
    values, resampled = 100 * rate(sums, metric), 100 * rate(drawn, metric)
    yield {**place, **estimate(values, resampled.mean(axis=1)), **_counts(sums.mean(axis=0))}
    for number, seed in enumerate(sliced.seeds if len(sliced.seeds) > 1 else ()):
        one = estimate(values[number : number + 1], resampled[:, number])
        yield {**place, **one, "seed": seed, **_counts(sums[number])}


def _is_defined(sums: np.ndarray, metric: Metric) -> bool:
    """Recall needs gold, precision an answer in every run, F1 one of both somewhere."""
    if metric == "precision":
        return bool((sums[:, 1] > 0).all())
    return bool(sums[0, 2] > 0 or (metric == "f1" and sums[:, 1].any()))


def _counts(sums: np.ndarray) -> dict[str, float]:
    return dict(zip(("true_positive", "predicted", "gold"), sums.tolist(), strict=True))


def _differences(sliced: Sliced) -> Iterator[dict[str, Any]]:
    """Every slice minus the first of its dimension, pooled and within datasets, where both hold enough gold."""
    gold = sliced.sums[:, 0, :, 2]  # [D, slices]; gold is the same for every seed
    places = {column: place for place, column in enumerate(COLUMNS)}
    for dimension, entry in DIMENSIONS.items():
        base = places[dimension, entry.slices[0]]
        for name in (name for name in entry.slices[1:] if name not in REST):
            column = places[dimension, name]
            pair = {"kind": "difference", "dimension": dimension, "slice": name, "against": entry.slices[0]}
            held = np.minimum(gold[:, column], gold[:, base]) >= ENOUGH
            if min(gold[:, column].sum(), gold[:, base].sum()) >= ENOUGH:
                yield from _pair_rows(pair | {"joined": "pooled"}, _joined(sliced), column, base)
            if held.any():
                within = Sliced(names=(), sums=sliced.sums[held], drawn=sliced.drawn[held], seeds=sliced.seeds)
                yield from _pair_rows(pair | {"joined": "within"}, within, column, base)


def _joined(sliced: Sliced) -> Sliced:
    """All datasets as one."""
    sums, drawn = sliced.sums.sum(axis=0, keepdims=True), sliced.drawn.sum(axis=0, keepdims=True)
    return Sliced(names=(), sums=sums, drawn=drawn, seeds=sliced.seeds)


def _pair_rows(place: dict[str, Any], sliced: Sliced, column: int, base: int) -> Iterator[dict[str, Any]]:
    """Differences in recall and F1, averaged over the datasets given."""
    for metric in ("recall", "f1"):
        values, drawn = 100 * rate(sliced.sums, metric), 100 * rate(sliced.drawn, metric)
        gap = (values[..., column] - values[..., base]).mean(axis=0)  # [N]
        resampled = (drawn[..., column] - drawn[..., base]).mean(axis=(0, 2))  # [R]
        row = {**place, "metric": metric, "num_datasets": len(sliced.sums), **estimate(gap, resampled)}
        yield row | {"p_value": normal_p_value(row["value"], resampled)}


def _is_shown(pooled: dict[str, Any], within: dict[str, Any] | None) -> bool:
    """Whether pooled and within datasets the difference has one sign, and all their intervals leave out zero."""
    if within is None:
        return False
    ends = [row[name] for row in (pooled, within) for name in ("low", "high", "seed_low", "seed_high")]
    known = [end for end in ends if end is not None]
    return min(known) > 0 or max(known) < 0


def _leakage(sliced: Sliced) -> Iterator[dict[str, Any]]:
    """F1 (mean of datasets) with all sentences, without those shared with training, and the change.

    A dataset of which no gold is left has no F1 without them, so it stands on neither side; `detail` names it.
    """
    places = {column: place for place, column in enumerate(COLUMNS)}
    for dimension in LEAKS:
        apart, shared = places[dimension, APART], places[dimension, SHARED]
        held = sliced.sums[:, 0, apart, 2] > 0  # [D]; gold is the same for every seed
        if not held.any():
            continue
        rest, rest_drawn = sliced.sums[held][:, :, apart], sliced.drawn[held][:, :, :, apart]
        everything, all_drawn = rest + sliced.sums[held][:, :, shared], rest_drawn + sliced.drawn[held][:, :, :, shared]
        full, full_drawn = 100 * rate(everything).mean(axis=0), 100 * rate(all_drawn).mean(axis=(0, 2))
        left, left_drawn = 100 * rate(rest).mean(axis=0), 100 * rate(rest_drawn).mean(axis=(0, 2))
        emptied = ", ".join(name for name, is_held in zip(sliced.names, held, strict=True) if not is_held)
        place = {"kind": "leakage", "joined": "average", "dimension": dimension, "metric": "f1",
                 "num_datasets": int(held.sum()), "detail": emptied or None}  # fmt: skip
        sums = {"all sentences": (full, full_drawn, everything), "without": (left, left_drawn, rest),
                "change": (left - full, left_drawn - full_drawn, everything - rest)}  # fmt: skip
        for name, (values, resampled, counts) in sums.items():
            yield {**place, "slice": name, **estimate(values, resampled), **_counts(counts.sum(axis=0).mean(axis=0))}
