"""Every variant of a study minus the variant it names as `baseline_variant`, on the same sentences and seeds.

Two sources of variation are kept apart, as everywhere: the interval over test sentences (all seeds answer the same
resampled sentences, the difference is the mean over seeds) and Student's t over the seeds' own differences. A
difference counts as shown only where both leave out zero: the first alone would take the luck of the seeds for an
effect.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.cells import score_path
from benchmarks.reporting.summary import AVERAGE
from benchmarks.scoring.counts import suite_rate
from benchmarks.scoring.statistics import (
    Comparison,
    Interval,
    minimum_detectable_difference,
    paired_bootstrap,
    seed_interval,
)
from gliner_core.files import atomic_write, read_json
from gliner_core.seeding import derive_seed

# fmt: off
COLUMNS = (
    "study", "variant", "baseline_variant", "suite", "protocol", "dataset", "num_seeds", "num_sentences",
    "difference_points", "low", "high", "seed_low", "seed_high", "visible_points", "p_value", "is_shown", "verdict",
)
# fmt: on


def write_differences(space: Workspace, study: str, out: Path) -> None:
    """Writes differences.csv: F1 differences in percent points for every dataset of the suite and their average."""
    frame = pd.DataFrame(_rows(space, space.registry.studies[study]), columns=list(COLUMNS))
    with atomic_write(out) as stream:
        frame.to_csv(stream, index=False, lineterminator="\n")


def read_differences(path: str | Path) -> pd.DataFrame:
    """What `write_differences` wrote."""
    return pd.read_csv(path)


def average_difference(differences: pd.DataFrame, variant: str, protocol: str) -> pd.Series | None:
    """The row of a variant's average over the suite; None for the variant that others are held against."""
    mine = (differences["variant"] == variant) & (differences["protocol"] == protocol)
    found = differences[mine & (differences["dataset"] == AVERAGE)]
    return found.iloc[0] if len(found) else None


def average_verdicts(differences: pd.DataFrame) -> list[str]:
    """One sentence for each variant and protocol."""
    found = differences[differences["dataset"] == AVERAGE]
    return [f"{row.variant} minus {row.baseline_variant}, {row.protocol}: {row.verdict}." for row in found.itertuples()]


def _rows(space: Workspace, card: StudyCard) -> Iterator[dict[str, Any]]:
    ours = [row for row in space.grid.study_rows(card.name) if row.seed is not None]
    protocols = list(dict.fromkeys(row.protocol for row in ours))
    others = [name for name in dict.fromkeys(row.variant for row in ours) if name != card.baseline_variant]
    for protocol in protocols:
        base = _of(ours, str(card.baseline_variant), protocol)
        for variant in others:
            yield from _variant_rows(space, _of(ours, variant, protocol), base)


def _of(rows: Sequence[Row], variant: str, protocol: str) -> list[Row]:
    """One row per seed, in the order of the seeds."""
    return sorted(
        (row for row in rows if (row.variant, row.protocol) == (variant, protocol)), key=lambda row: row.seed or 0
    )


def _variant_rows(space: Workspace, mine: list[Row], base: list[Row]) -> Iterator[dict[str, Any]]:
    names = space.registry.suite_datasets(mine[0].suite)
    first = [_counts(space, mine, name) for name in names]
    second = [_counts(space, base, name) for name in names]
    for place, name in enumerate(names):
        yield _row(space, mine, base, name, first[place : place + 1], second[place : place + 1])
    yield _row(space, mine, base, AVERAGE, first, second)


def _counts(space: Workspace, rows: Sequence[Row], dataset: str) -> np.ndarray:
    """Counts [seeds, sentences, 3] of a variant on a dataset."""
    card = space.registry.datasets[dataset]
    paths = [space.home / score_path(space.grid.cell_of(row, card).folder, row.protocol) for row in rows]
    return np.array([read_json(path)["sentences"] for path in paths])


def _row(
    space: Workspace,
    mine: list[Row],
    base: list[Row],
    dataset: str,
    first: Sequence[np.ndarray],
    second: Sequence[np.ndarray],
) -> dict[str, Any]:
    row = mine[0]
    seed = derive_seed(0, "paired", row.suite, dataset)
    over_sentences = paired_bootstrap(first, second, seed, space.settings.resamples)
    over_seeds = seed_interval(_seed_differences(first, second))
    visible = minimum_detectable_difference(over_sentences.standard_error)
    is_shown = _is_shown(over_sentences, over_seeds, len(mine))
    return {
        "study": row.study, "variant": row.variant, "baseline_variant": base[0].variant, "suite": row.suite,
        "protocol": row.protocol, "dataset": dataset, "num_seeds": len(mine),
        "num_sentences": sum(part.shape[1] for part in first), "difference_points": 100 * over_sentences.difference,
        "low": 100 * over_sentences.low, "high": 100 * over_sentences.high,
        "seed_low": 100 * over_seeds.low if len(mine) > 1 else None,
        "seed_high": 100 * over_seeds.high if len(mine) > 1 else None, "visible_points": 100 * visible,
        "p_value": over_sentences.p_value, "is_shown": is_shown,
        "verdict": verdict(over_sentences, over_seeds, len(mine)),
    }  # fmt: skip


def _seed_differences(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> list[float]:
    """The difference of suite means of each seed, in 0..1."""
    return [
        suite_rate([part[place] for part in first]) - suite_rate([part[place] for part in second])
        for place in range(len(first[0]))
    ]


def _is_shown(over_sentences: Comparison, over_seeds: Interval, num_seeds: int) -> bool:
    bounds = [over_sentences] + ([over_seeds] if num_seeds > 1 else [])
    return all(interval.low > 0 or interval.high < 0 for interval in bounds)


def verdict(over_sentences: Comparison, over_seeds: Interval, num_seeds: int) -> str:
    """What the two intervals allow to say, in one sentence."""
    told = f"{100 * over_sentences.difference:+.1f} points"
    between = f"95 % over sentences {100 * over_sentences.low:+.1f} to {100 * over_sentences.high:+.1f}"
    if num_seeds > 1:
        between += f", over {num_seeds} seeds {100 * over_seeds.low:+.1f} to {100 * over_seeds.high:+.1f}"
    else:
        between += ", one seed"
    if _is_shown(over_sentences, over_seeds, num_seeds):
        return f"difference shown: {told} ({between})"
    if not over_sentences.standard_error:
        return f"no difference could be shown: {told}, and no resample of the sentences tells the two apart"
    visible = 100 * minimum_detectable_difference(over_sentences.standard_error)
    return (
        f"no difference could be shown: {told} ({between}; a true difference of {visible:.1f} points would be seen on "
        "these sentences 4 times in 5)"
    )
