"""Reads a study's metrics back from MLflow, holds them against the score files, and writes the tidy cells.

The tables aggregate what MLflow holds; a value that differs from its score file stops the workflow. A study may have a
million cells: their values are joined, compared and written as columns.
"""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.averages import study_values
from benchmarks.reporting.cells import NUMBERS, cost_values, identity, run_facts, score_frame, to_frame
from benchmarks.reporting.delivery import tracked_metrics
from benchmarks.reporting.track import mlflow_names
from benchmarks.reporting.weights import size_facts
from gliner_core.errors import InputError
from gliner_core.files import atomic_write, read_json

TOLERANCE = 1e-9  # percent points; both sides hold the same float64


def collect_study(workspace: Workspace, study: str, cells: Path, costs: Path) -> None:
    """Writes cells.csv (scores, reproducible to the byte) and costs.csv (times and memory, which never are)."""
    rows = workspace.grid.study_rows(study)
    tracked = tracked_metrics(workspace, list(dict.fromkeys(row.owner for row in rows)))
    scores = checked_scores(workspace, rows, study_values(workspace, rows), tracked)
    facts, cost_rows = [], []
    variants: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        variants.setdefault((row.variant, row.owner), []).append(row)
    for same in variants.values():
        row = same[-1]
        report, answers = _reports(workspace, row.owner, same)
        place = identity(workspace.grid, row) | dict.fromkeys(("suite", "protocol", "decoding", "dataset"), "")
        for name, value in (run_facts(report) | size_facts(workspace.run(row.owner))).items():
            facts.append(place | {"metric": name, "value": _checked(tracked[row.owner], name, value, row.owner)})
        cost_rows += [place | {"metric": name, "value": value} for name, value in cost_values(report, answers).items()]
    write_frame(cells, pd.concat([scores, to_frame(facts).astype(NUMBERS)]) if facts else scores)
    write_frame(costs, to_frame(cost_rows))


def checked_scores(
    workspace: Workspace,
    rows: Sequence[Row],
    values: Sequence[Sequence[Mapping[str, Any]]],
    tracked: Mapping[str, Mapping[str, float]],
) -> pd.DataFrame:
    """Tidy cells with the values that MLflow holds; `values` are those of the score files, for every row in order."""
    frame = score_frame(workspace.grid, rows, values)
    names = [name for row, mine in zip(rows, values, strict=True) for name in mlflow_names(workspace, row, mine)]
    owners = [row.owner for row, mine in zip(rows, values, strict=True) for _ in mine]
    logged = [tracked[owner].get(name) for owner, name in zip(owners, names, strict=True)]
    found, expected = np.array(logged, dtype=float), frame["value"].to_numpy()
    wrong = ~((found == expected) | (np.abs(found - expected) <= TOLERANCE))
    if wrong.any():
        place = int(wrong.argmax())
        said = next(itertools.islice(itertools.chain.from_iterable(values), place, None))
        raise _mismatch(names[place], logged[place], said["value"], said["path"] or owners[place])
    return frame.assign(value=found)


def _checked(metrics: Mapping[str, float], name: str, expected: float, source: str) -> float:
    logged = metrics.get(name)
    if logged is None or not (logged == expected or abs(logged - expected) <= TOLERANCE):
        raise _mismatch(name, logged, expected, source)
    return logged


def _mismatch(name: str, logged: float | None, expected: float, source: str) -> InputError:
    return InputError(
        f"MLflow metric {name!r} is {logged} but {source} says {expected}; delete results/tracking and start again "
        "to rebuild the store from the files"
    )


def _reports(workspace: Workspace, owner: str, rows: Sequence[Row]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report of a training, and the receipts of the cells that one variant of the study reads."""
    registry, grid = workspace.registry, workspace.grid
    names = [(row, name) for row in rows for name in registry.suite_datasets(row.suite)]
    cells = dict.fromkeys(grid.cell_of(row, registry.datasets[name]) for row, name in names)
    answers = [read_json(workspace.home / cell.folder / "receipt.json") for cell in cells]
    return (read_json(workspace.run(owner) / "training.json") if owner in grid.runs else {}), answers


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Writes a CSV whose bytes depend on the frame alone."""
    with atomic_write(path) as stream:
        frame.to_csv(stream, index=False, lineterminator="\n")
