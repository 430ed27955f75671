"""Reads a study's metrics back from MLflow, holds them against the score files, and writes the tidy cells.

The tables aggregate what MLflow holds; a value that differs from its score file stops the workflow.
"""

import math
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.cells import cost_values, identity, row_values, to_frame
from benchmarks.reporting.track import mlflow_name
from benchmarks.reporting.tracking import read_metrics
from gliner_core.errors import InputError
from gliner_core.files import atomic_write, read_json

TOLERANCE = 1e-9  # percent points; both sides hold the same float64


def collect_study(workspace: Workspace, study: str, cells: Path, costs: Path) -> None:
    """Writes cells.csv (scores, reproducible to the byte) and costs.csv (times and memory, which never are)."""
    rows = workspace.grid.study_rows(study)
    tracked = {owner: _tracked(workspace, owner) for owner in dict.fromkeys(row.owner for row in rows)}
    scores = [values for row in rows for values in _checked_rows(workspace, row, tracked[row.owner])]
    _write(cells, to_frame(scores))
    _write(costs, to_frame(_cost_rows(workspace, rows)))


def _tracked(workspace: Workspace, owner: str) -> dict[str, float]:
    marker = workspace.tracking_folder / workspace.settings.scale / f"{owner}.json"
    return read_metrics(workspace.tracking_uri, read_json(marker)["mlflow_run"])


def _checked_rows(workspace: Workspace, row: Row, metrics: dict[str, float]) -> list[dict[str, Any]]:
    found = []
    for values in row_values(workspace.registry, workspace.grid, row, workspace.home, workspace.settings.resamples):
        name = mlflow_name(workspace, row, values)
        logged = metrics.get(name)
        if logged is None or not math.isclose(logged, values["value"], rel_tol=0, abs_tol=TOLERANCE):
            raise InputError(
                f"MLflow metric {name!r} of {row.owner} is {logged} but {values['path'] or 'the score files'} say "
                f"{values['value']}; delete results/tracking and start again to rebuild the store from the files"
            )
        found.append(identity(workspace.grid, row) | values | {"value": logged})
    return found


def _cost_rows(workspace: Workspace, rows: list[Row]) -> list[dict[str, Any]]:
    found, seen = [], set()
    for row in rows:
        if (row.variant, row.owner) in seen:
            continue
        seen.add((row.variant, row.owner))
        cells = workspace.grid.owner_cells(row.owner)
        answers = [read_json(workspace.home / cell.folder / "receipt.json") for cell, _ in cells]
        is_run = row.owner in workspace.grid.runs
        report = read_json(workspace.run(row.owner) / "training.json") if is_run else {}
        place = identity(workspace.grid, row) | {"suite": "", "protocol": "", "decoding": "", "dataset": ""}
        found += [place | {"metric": name, "value": value} for name, value in cost_values(report, answers).items()]
    return found


def _write(path: Path, frame: pd.DataFrame) -> None:
    with atomic_write(path) as stream:
        frame.to_csv(stream, index=False, lineterminator="\n")
