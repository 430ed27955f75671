"""A study's results with as many tidy cells as wanted, made up from a seed: rows, score values and MLflow values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.catalog.cards import DatasetCard, StudyCard
from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.averages import BYTES_AT_ONCE, Answered
from benchmarks.reporting.paired import COLUMNS as DIFFERENCE_COLUMNS
from benchmarks.reporting.sides import Side, resampled_sides
from benchmarks.reporting.track import mlflow_names

AVERAGE, METRICS = "average", ("precision_pct", "recall_pct", "f1_pct", "reachable_recall_pct")
SEEDS, DATASETS, LIKE, SENTENCES = 5, 30, "crossner_ai", 1000
LINES = (DATASETS + 1) * len(METRICS)  # tidy cells of one variant and seed: every dataset, then the average
Values = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What `collect` reads of a study, in memory: its grid rows, the values of each, and each owner's metrics."""

    space: Workspace
    card: StudyCard
    rows: Sequence[Row]
    values: Sequence[Values]
    tracked: Mapping[str, Mapping[str, float]]

    @property
    def num_cells(self) -> int:
        """Tidy cells: rows of cells.csv."""
        return sum(map(len, self.values))


def make_study(space: Workspace, num_cells: int) -> Study:
    """A study of the paper's scale with at least so many tidy cells: one axis, five seeds, thirty data sets.

    Its first two variants are named like rows of the paper's Table 1, so that the comparison has something to find.
    """
    like = space.registry.datasets[LIKE]
    cards = [like.model_copy(update={"name": name, "title": name}) for name in _names(space, DATASETS)]
    template = space.grid.study_rows("main_table")[0]
    num_variants = -(-num_cells // (SEEDS * LINES))
    draw = np.random.default_rng(0)
    rows, values, tracked = [], [], {}
    for place in range(num_variants):
        name = "baseline" if place == 0 else f"gliner-l.{place}" if place > 1 else "backbone=deberta-v3-base"
        for seed in range(1, SEEDS + 1):
            owner = f"{name}_s{seed}"
            row = replace(template, variant=name, label=name, owner=owner, seed=seed, decoding="default")
            mine = _values(cards, owner, draw)
            names = mlflow_names(space, row, mine)
            tracked[owner] = dict(zip(names, (item["value"] for item in mine), strict=True))
            rows.append(row)
            values.append(mine)
    run = next(iter(space.grid.runs.values()))
    runs = {owner: replace(run, id=owner) for owner in tracked}  # an owner that is no run is taken for a system
    space = replace(space, grid=replace(space.grid, runs=runs))
    card = space.registry.studies["main_table"].model_copy(update={"systems": ()})
    return Study(space=space, card=card, rows=rows, values=values, tracked=tracked)


def differences_of(study: Study) -> pd.DataFrame:
    """What `pair` would have written: every variant but the first against it, on every data set and their average."""
    datasets = [*dict.fromkeys(item["dataset"] for item in study.values[0])]
    first, *others = dict.fromkeys(row.variant for row in study.rows)
    row = study.rows[0]
    numbers = {"difference_points": 1.25, "low": 0.5, "high": 2.0, "seed_low": 0.25, "seed_high": 2.25}
    judged = {"num_compared": len(others), "p_value": 0.01, "p_adjusted": 0.04, "visible_points": 1.0}
    words = {"verdict": "shown", "reach": "", "num_seeds": SEEDS, "num_sentences": SENTENCES}
    shared = {"study": row.study, "baseline_variant": first, "suite": row.suite, "protocol": row.protocol}
    lines = [
        {**shared, **numbers, **judged, **words, "variant": name, "label": name, "system": "", "dataset": dataset}
        for name in others
        for dataset in datasets
    ]
    return pd.DataFrame(lines).assign(decoding=row.decoding)[list(DIFFERENCE_COLUMNS)]


def answered_batches(study: Study) -> Iterator[list[Answered]]:
    """The rows with counts of every data set's sentences, as many at once as `study_values` takes."""
    draw = np.random.default_rng(1)
    size = -(-BYTES_AT_ONCE // (DATASETS * SENTENCES * 3 * 8))
    for start in range(0, len(study.values), size):
        batch = study.values[start : start + size]
        datasets = _counts(draw, len(batch))
        yield [
            Answered(values=values, counts=[counts[place] for counts in datasets]) for place, values in enumerate(batch)
        ]


def make_sides(study: Study, num: int) -> Iterator[Side]:
    """So many variants of five seeds each, with made-up answers, resampled."""
    draw = np.random.default_rng(num)
    names = [value["dataset"] for value in study.values[0] if value["metric"] == "f1_pct"][:DATASETS]
    rows = tuple(study.rows[:SEEDS])
    answered = [(rows, dict(zip(names, _counts(draw, SEEDS), strict=True))) for _ in range(num)]
    return resampled_sides(answered, study.space.settings.resamples)


def score_file(seed: int) -> dict[str, Any]:
    """A score file of one data set."""
    (counts,) = _counts(np.random.default_rng(seed), 1)[0]
    rates = dict.fromkeys(METRICS, 50.0)
    facts = {"interval": {"low_pct": 40.0, "high_pct": 60.0}, "num_sentences": len(counts)}
    return {**rates, **facts, "sentences": counts.tolist()}


def _counts(draw: np.random.Generator, num_runs: int) -> list[np.ndarray]:
    """Counts [R, S, 3] of every data set: of some gold items half are found, and others beside them."""
    shape = (num_runs, SENTENCES)
    found = []
    for _ in range(DATASETS):
        gold = draw.integers(0, 6, SENTENCES)
        hits = draw.integers(0, gold + 1, shape)
        found.append(np.stack([hits, hits + draw.integers(0, 3, shape), np.broadcast_to(gold, shape)], axis=-1))
    return found


def _names(space: Workspace, num: int) -> list[str]:
    """Names of data sets: those of the paper's Table 1 first."""
    known = [*space.registry.suite_datasets("ood"), *space.registry.datasets]
    return list(dict.fromkeys(known))[:num]


def _values(cards: Sequence[DatasetCard], owner: str, draw: np.random.Generator) -> Values:
    places = [(card.name, card.language, card.script, f"cells/{owner}/{card.name}/scores.json") for card in cards]
    found: Values = []
    for dataset, language, script, path in [*places, (AVERAGE, "", "", "")]:
        place = {"dataset": dataset, "language": language, "script": script, "path": path, "num_sentences": SENTENCES}
        for metric, value in zip(METRICS, draw.uniform(20, 80, len(METRICS)).tolist(), strict=True):
            bounds = {"low": value - 1.5, "high": value + 1.5} if metric == "f1_pct" else {}
            found.append({**place, "metric": metric, "value": value, **bounds})
    return found
