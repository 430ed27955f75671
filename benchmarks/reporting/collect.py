"""Reads a study's metrics back from MLflow, holds them against the score files, and writes the tidy cells.

The tables aggregate what MLflow holds; a value that differs from its score file stops the workflow.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.cells import cost_values, identity, row_values, run_facts, to_frame
from benchmarks.reporting.delivery import tracked_metrics
from benchmarks.reporting.track import mlflow_name
from benchmarks.reporting.weights import size_facts
from gliner_core.errors import InputError
from gliner_core.files import atomic_write, read_json

TOLERANCE = 1e-9  # percent points; both sides hold the same float64


def collect_study(workspace: Workspace, study: str, cells: Path, costs: Path) -> None:
    """Writes cells.csv (scores, reproducible to the byte) and costs.csv (times and memory, which never are)."""
    rows = workspace.grid.study_rows(study)
    tracked = tracked_metrics(workspace, list(dict.fromkeys(row.owner for row in rows)))
    scores = [values for row in rows for values in _score_rows(workspace, row, tracked[row.owner])]
    facts, cost_rows = [], []
    for row in {(row.variant, row.owner): row for row in rows}.values():
        same = [other for other in rows if (other.variant, other.owner) == (row.variant, row.owner)]
        report, answers = _reports(workspace, row.owner, same)
        place = identity(workspace.grid, row) | dict.fromkeys(("suite", "protocol", "decoding", "dataset"), "")
        for name, value in (run_facts(report) | size_facts(workspace.run(row.owner))).items():
            facts.append(place | {"metric": name, "value": _checked(tracked[row.owner], name, value, row.owner)})
        cost_rows += [place | {"metric": name, "value": value} for name, value in cost_values(report, answers).items()]
    _write(cells, to_frame(scores + facts))
    _write(costs, to_frame(cost_rows))


def _score_rows(workspace: Workspace, row: Row, metrics: dict[str, float]) -> Iterator[dict[str, Any]]:
    for values in row_values(workspace.registry, workspace.grid, row, workspace.home, workspace.settings.resamples):
        name = mlflow_name(workspace, row, values)
        value = _checked(metrics, name, values["value"], values["path"] or row.owner)
        yield identity(workspace.grid, row) | values | {"value": value}


def _checked(metrics: dict[str, float], name: str, expected: float, source: str) -> float:
    logged = metrics.get(name)
    if logged is None or not math.isclose(logged, expected, rel_tol=0, abs_tol=TOLERANCE):
        raise InputError(
            f"MLflow metric {name!r} is {logged} but {source} says {expected}; delete results/tracking and start again "
            "to rebuild the store from the files"
        )
    return logged


def _reports(workspace: Workspace, owner: str, rows: Sequence[Row]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report of a training, and the receipts of the cells that one variant of the study reads."""
    registry, grid = workspace.registry, workspace.grid
    names = [(row, name) for row in rows for name in registry.suite_datasets(row.suite)]
    cells = dict.fromkeys(grid.cell_of(row, registry.datasets[name]) for row, name in names)
    answers = [read_json(workspace.home / cell.folder / "receipt.json") for cell in cells]
    return (read_json(workspace.run(owner) / "training.json") if owner in grid.runs else {}), answers


def _write(path: Path, frame: pd.DataFrame) -> None:
    with atomic_write(path) as stream:
        frame.to_csv(stream, index=False, lineterminator="\n")
