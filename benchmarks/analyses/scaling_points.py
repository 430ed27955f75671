"""The points of a scaling study: every start and size with its training data and the scores of its seeds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.cells import score_path
from benchmarks.scoring.scores import read_score
from gliner_core.errors import InputError
from gliner_core.files import read_json

WITH, WITHOUT = "with pretraining", "without pretraining"


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """One start at one size: `size` examples per dataset on average, and counts [R, S, 3] of each test set.

    `nominal` is the number that the mixture card allows, `passes` how often the training sees its data.
    """

    start: str
    nominal: int | None
    size: float
    passes: float
    counts: Mapping[str, np.ndarray]


def read_points(space: Workspace, study: str) -> dict[str, list[Points]]:
    """Start -> its points from small to large, under the study's first protocol.

    Raises `InputError` where the starts do not have the same sizes, or a point is met twice.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    rows = [row for row in space.grid.study_rows(study) if row.seed is not None]
    for row in (row for row in rows if row.protocol == rows[0].protocol):
        spec = space.grid.runs[row.owner].spec
        groups.setdefault((WITHOUT if spec.start is None else WITH, spec.data.name), []).append(row)
    found: dict[str, list[Points]] = {}
    for (start, mixture), members in groups.items():
        if len({row.variant for row in members}) > 1:
            raise InputError(
                f"benchmarks/studies/{study}.yaml: the analysis scaling needs one variant per start and mixture; "
                "remove the other axes"
            )
        found.setdefault(start, []).append(_point(space, start, mixture, members))
    points = {start: sorted(items, key=lambda item: item.size) for start, items in found.items()}
    if len({tuple(item.size for item in items) for items in points.values()}) > 1:
        raise InputError(f"benchmarks/studies/{study}.yaml: the starts have other mixtures; give all of them the same")
    return points


def _point(space: Workspace, start: str, mixture: str, rows: list[Row]) -> Points:
    record = read_json(space.mixture(mixture) / "card.json")
    drawn = [part["drawn"] for part in record["parts"].values()]
    optim = space.grid.runs[rows[0].owner].spec.optim
    ordered = sorted(rows, key=lambda row: row.seed or 0)
    return Points(
        start=start,
        nominal=space.registry.mixtures[mixture].max_per_part,
        size=float(np.mean(drawn)),
        passes=optim.steps * optim.batch_size / record["train"]["sentences"],
        counts={name: _counts(space, ordered, name) for name in space.registry.suite_datasets(rows[0].suite)},
    )


def _counts(space: Workspace, rows: list[Row], dataset: str) -> np.ndarray:
    folders = [space.grid.cell_of(row, space.registry.datasets[dataset]).folder for row in rows]
    paths = [space.home / score_path(folder, row.protocol) for folder, row in zip(folders, rows, strict=True)]
    return np.stack([read_score(path)["sentences"] for path in paths])
