"""Every variant and system of a study minus its baseline variant, on the same sentences and seeds: differences.csv.

Two sources of variation are kept apart, as everywhere: the interval over test sentences (all seeds answer the same
resampled sentences, the difference is the mean over seeds) and Student's t over the seeds' own differences. Averages
are tested and judged by the rule of `scoring/judging.py`; single datasets are described.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.catalog.cards import DatasetCard
from benchmarks.catalog.grid import Row
from benchmarks.catalog.variants import baseline_of
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.cells import score_path
from benchmarks.reporting.summary import AVERAGE, RowKey
from benchmarks.scoring.judging import Evidence, evidence_of, reach, smallest_visible, verdict
from benchmarks.scoring.statistics import approximate_randomisation, holm
from gliner_core.errors import InputError
from gliner_core.files import atomic_write, read_json
from gliner_core.seeding import derive_seed

# fmt: off
COLUMNS = (
    "study", "variant", "label", "system", "baseline_variant", "suite", "protocol", "decoding", "dataset", "num_seeds",
    "num_sentences", "difference_points", "low", "high", "seed_low", "seed_high", "visible_points",
    "num_compared", "p_value", "p_adjusted", "verdict", "reach",
)
# fmt: on
TEXT_COLUMNS = ("variant", "label", "system", "protocol", "decoding", "verdict", "reach")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A variant or system under a protocol: its rows, one per seed, and counts [seeds, S, 3] of each dataset."""

    rows: tuple[Row, ...]
    counts: Mapping[str, np.ndarray]

    @property
    def is_system(self) -> bool:
        return self.rows[0].seed is None


def write_differences(space: Workspace, study: str, out: Path) -> None:
    """Writes F1 differences in percent points: for every dataset of the suite, and their average with its verdict.

    A study with nothing to compare gets the header alone. Raises `InputError` where two sides answered different
    numbers of sentences.
    """
    rows = space.grid.study_rows(study)
    trained = [row.variant for row in rows if row.seed is not None]
    name = baseline_of(space.registry.studies[study], trained)
    found: list[dict[str, Any]] = []
    for protocol in dict.fromkeys(row.protocol for row in rows):
        found += _family(space, name, [row for row in rows if row.protocol == protocol])
    frame = pd.DataFrame(found, columns=list(COLUMNS)).astype({"num_compared": "Int64"})
    with atomic_write(out) as stream:
        frame.to_csv(stream, index=False, lineterminator="\n")


def read_differences(path: str | Path) -> pd.DataFrame:
    """What `write_differences` wrote; empty text stays text."""
    frame = pd.read_csv(path, dtype=dict.fromkeys(TEXT_COLUMNS, str))
    return frame.fillna(dict.fromkeys(TEXT_COLUMNS, ""))


def average_lines(differences: pd.DataFrame) -> dict[tuple[str, ...], pd.Series]:
    """The lines about averages over the suite by variant, system, protocol and decoding of their table row."""
    averages = differences[differences["dataset"] == AVERAGE]
    keys = averages[["variant", "system", "protocol", "decoding"]].itertuples(index=False, name=None)
    return {key: averages.iloc[place] for place, key in enumerate(keys)}


def average_difference(differences: pd.DataFrame, row: RowKey) -> pd.Series | None:
    """The line of one table row's average; None for the variant that others are held against."""
    return average_lines(differences).get((row.variant, row.system, row.protocol, row.decoding))


def _family(space: Workspace, baseline: str, rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """All comparisons of a study under one protocol; their averages are corrected together."""
    groups = _groups(rows)
    against = [group for group in groups if group[0].variant == baseline and group[0].seed is not None]
    if not against:  # an axis of decoding can leave a protocol without the baseline's own way of asking
        return
    base = _side(space, against[0])
    others = [_side(space, group, base) for group in groups if group is not against[0]]
    p_values = [_p_value(side, base) for side in others]
    for side, p_value, p_adjusted in zip(others, p_values, holm(p_values), strict=True):
        for dataset in base.counts:
            yield _line(side, base, dataset, _evidence(space, side, base, dataset))
        average = _evidence(space, side, base, AVERAGE)
        yield _line(side, base, AVERAGE, average) | judged(average, p_value, p_adjusted, len(others))


def _groups(rows: Sequence[Row]) -> list[tuple[Row, ...]]:
    """The rows of each variant and system in the order of their seeds, so that equal places hold equal seeds."""
    found: dict[tuple[str, bool, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.variant, row.seed is None, row.decoding), []).append(row)
    return [tuple(sorted(group, key=lambda row: row.seed or 0)) for group in found.values()]


def _side(space: Workspace, rows: tuple[Row, ...], base: Side | None = None) -> Side:
    names = space.registry.suite_datasets(rows[0].suite)
    sizes = {name: base.counts[name].shape[1] for name in names} if base else {}
    counts = {name: _counts(space, rows, space.registry.datasets[name], sizes.get(name)) for name in names}
    return Side(rows=rows, counts=counts)


def _counts(space: Workspace, rows: Sequence[Row], card: DatasetCard, size: int | None) -> np.ndarray:
    """Counts [seeds, S, 3] of a dataset; S must be `size`, or that of the first row where nothing is given."""
    found = []
    for row in rows:
        path = space.home / score_path(space.grid.cell_of(row, card).folder, row.protocol)
        sentences = read_json(path)["sentences"]
        size = size or len(sentences)
        if len(sentences) != size:
            raise InputError(
                f"{path}: scores {len(sentences)} sentences of {card.name} where the study's baseline has {size}; "
                f"delete the folder {path.parent} and run the workflow again"
            )
        found.append(sentences)
    return np.array(found)


def _chosen(side: Side, dataset: str) -> list[np.ndarray]:
    return list(side.counts.values()) if dataset == AVERAGE else [side.counts[dataset]]


def _evidence(space: Workspace, side: Side, base: Side, dataset: str) -> Evidence:
    seed = bootstrap_seed(side.rows[0].suite, dataset)
    num_seeds = 0 if side.is_system else len(side.rows)
    return evidence_of(_chosen(side, dataset), _chosen(base, dataset), seed, space.settings.resamples, num_seeds)


def _p_value(side: Side, base: Side) -> float:
    seed = exchange_seed(side.rows[0].suite)
    return approximate_randomisation(_chosen(side, AVERAGE), _chosen(base, AVERAGE), seed)


def bootstrap_seed(suite: str, dataset: str) -> int:
    """Seed of a paired bootstrap: one for all pairs, so that a pair has the same interval wherever it is shown."""
    return derive_seed(0, "paired", suite, dataset)


def exchange_seed(suite: str) -> int:
    """Seed of approximate randomisation, shared in the same way."""
    return derive_seed(0, "exchanged", suite)


def _line(side: Side, base: Side, dataset: str, evidence: Evidence) -> dict[str, Any]:
    row, seeds = side.rows[0], evidence.over_seeds
    return {
        "study": row.study, "variant": row.variant, "label": row.label, "system": row.owner if side.is_system else "",
        "baseline_variant": base.rows[0].variant, "suite": row.suite, "protocol": row.protocol,
        "decoding": row.decoding, "dataset": dataset, "num_seeds": len(evidence.seed_differences),
        "num_sentences": sum(part.shape[1] for part in _chosen(side, dataset)),
        "difference_points": 100 * evidence.over_sentences.difference, "low": 100 * evidence.over_sentences.low,
        "high": 100 * evidence.over_sentences.high, "seed_low": 100 * seeds.low if seeds else None,
        "seed_high": 100 * seeds.high if seeds else None,
    }  # fmt: skip


def judged(evidence: Evidence, p_value: float, p_adjusted: float, num_compared: int) -> dict[str, Any]:
    """The fields of a row that say what the rule makes of one of `num_compared` differences; sizes in points."""
    return {
        "num_compared": num_compared,
        "p_value": p_value,
        "p_adjusted": p_adjusted,
        "visible_points": 100 * smallest_visible(evidence, num_compared),
        "verdict": verdict(evidence, p_adjusted),
        "reach": reach(len(evidence.seed_differences)),
    }
