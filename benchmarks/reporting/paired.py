"""Every variant and system of a study minus its baseline variant, on the same sentences and seeds: differences.csv.

Two sources of variation are kept apart, as everywhere: the interval over test sentences (all seeds answer the same
resampled sentences, the difference is the mean over seeds) and Student's t over the seeds' own differences. Averages
are tested and judged by the rule of `scoring/judging.py`; single datasets are described.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.catalog.grid import Row
from benchmarks.catalog.variants import baseline_of
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.sides import Side, read_sides, resampled_difference
from benchmarks.reporting.summary import AVERAGE, RowKey
from benchmarks.scoring.judging import Evidence, evidence_of, reach, smallest_visible, verdict
from benchmarks.scoring.statistics import approximate_randomisation, holm
from gliner_core.files import atomic_write
from gliner_core.seeding import derive_seed

# fmt: off
COLUMNS = (
    "study", "variant", "label", "system", "baseline_variant", "suite", "protocol", "decoding", "dataset", "num_seeds",
    "num_sentences", "difference_points", "low", "high", "seed_low", "seed_high", "visible_points",
    "num_compared", "p_value", "p_adjusted", "verdict", "reach",
)
# fmt: on
TEXT_COLUMNS = ("variant", "label", "system", "protocol", "decoding", "verdict", "reach")


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
    (base,) = read_sides(space, against[:1])
    found = []
    for side in read_sides(space, [group for group in groups if group is not against[0]], base):
        found.append(compared(side, base))  # without its counts: those of many sides would not fit into memory
    adjusted = holm([p_value for *_, p_value in found])
    for ((*lines, last), average, p_value), p_adjusted in zip(found, adjusted, strict=True):
        yield from lines
        yield last | judged(average, p_value, p_adjusted, len(found))


def compared(side: Side, base: Side) -> tuple[list[dict[str, Any]], Evidence, float]:
    """Lines of every dataset and then the average; what is known of that one, and its p-value before correction."""
    evidence = {dataset: _evidence(side, base, dataset) for dataset in (*base.counts, AVERAGE)}
    lines = [_line(side, base, dataset, known) for dataset, known in evidence.items()]
    return lines, evidence[AVERAGE], _p_value(side, base)


def _groups(rows: Sequence[Row]) -> list[tuple[Row, ...]]:
    """The rows of each variant and system in the order of their seeds, so that equal places hold equal seeds."""
    found: dict[tuple[str, bool, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.variant, row.seed is None, row.decoding), []).append(row)
    return [tuple(sorted(group, key=lambda row: row.seed or 0)) for group in found.values()]


def _evidence(side: Side, base: Side, dataset: str) -> Evidence:
    resampled = resampled_difference(side.resampled, base.resampled, dataset)
    num_seeds = 0 if side.is_system else len(side.rows)
    return evidence_of(side.chosen(dataset), base.chosen(dataset), resampled, num_seeds)


def _p_value(side: Side, base: Side) -> float:
    seed = exchange_seed(side.rows[0].suite)
    return approximate_randomisation(side.chosen(AVERAGE), base.chosen(AVERAGE), seed)


def exchange_seed(suite: str) -> int:
    """Seed of approximate randomisation: one for all pairs, so a pair has the same p-value wherever it is shown."""
    return derive_seed(0, "exchanged", suite)


def _line(side: Side, base: Side, dataset: str, evidence: Evidence) -> dict[str, Any]:
    row, seeds = side.rows[0], evidence.over_seeds
    return {
        "study": row.study, "variant": row.variant, "label": row.label, "system": row.owner if side.is_system else "",
        "baseline_variant": base.rows[0].variant, "suite": row.suite, "protocol": row.protocol,
        "decoding": row.decoding, "dataset": dataset, "num_seeds": len(evidence.seed_differences),
        "num_sentences": sum(part.shape[1] for part in side.chosen(dataset)),
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
