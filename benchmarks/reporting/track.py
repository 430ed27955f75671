"""Collects the files of one run or system into the record that MLflow is told of."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.catalog.decoding import decoding_for
from benchmarks.catalog.grid import Row
from benchmarks.catalog.recipes import flatten
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.cells import cost_values, metric_name, row_values, run_facts
from benchmarks.reporting.records import TrackedRun
from benchmarks.reporting.weights import size_facts
from gliner_core.errors import InputError
from gliner_core.files import load_json, read_json, read_text

SAMPLE_LINES = 20  # of a prediction file, kept as an artifact


def tracked_run(workspace: Workspace, owner: str) -> TrackedRun:
    """Everything that is logged, read from the files of the run."""
    grid, scale = workspace.grid, workspace.settings.scale
    is_run = owner in grid.runs
    answers = [read_json(workspace.home / cell.folder / "receipt.json") for cell, _ in grid.owner_cells(owner)]
    folder = workspace.run(owner)
    receipt = read_json(folder / "receipt.json") if is_run else answers[0]
    report = read_json(folder / "training.json") if is_run else {}
    tags = grid.tags(owner) | {
        "scale": scale,
        "kind": "run" if is_run else "system",
        "commit": receipt["commit"],
        "dirty": str(receipt["dirty"]).lower(),
        "synthetic": str(workspace.registry.scales[scale].synthetic).lower(),
    }
    params: dict[str, Any] = flatten(grid.runs[owner].spec.to_json()) if is_run else {"system": owner}
    if is_run:
        tags["seed"] = str(grid.runs[owner].spec.seed)
    metrics = score_metrics(workspace, owner) | run_facts(report) | size_facts(folder) | cost_values(report, answers)
    files = ("spec.json", "receipt.json") if is_run else ()
    artifacts = {name: read_text(folder / name) for name in files}
    return TrackedRun(
        key=f"{scale}/{owner}",
        name=owner,
        params={key: str(value) for key, value in params.items()},
        metrics=metrics,
        history=_history(folder) if is_run else (),
        tags=tags,
        artifacts=artifacts | {f"{owner}.sample.jsonl": _sample(workspace, owner)},
        started=receipt["started"],
        ended=receipt["ended"],
        description=f"{tags['kind'].capitalize()} `{owner}` of scale {scale}; serves the studies {tags['studies']}.",
    )


def score_metrics(workspace: Workspace, owner: str) -> dict[str, float]:
    """MLflow metric name -> value in percent, of every score of one run or system."""
    found: dict[str, float] = {}
    for row in workspace.grid.owner_rows(owner):
        rows, _ = row_values(workspace.registry, workspace.grid, row, workspace.home)
        for name, values in zip(mlflow_names(workspace, row, rows), rows, strict=True):
            if found.setdefault(name, values["value"]) != values["value"]:
                raise AssertionError(f"two scores of {owner} share the MLflow name {name}")
    return found


def mlflow_names(workspace: Workspace, row: Row, values: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where `collect` finds the values of a grid row's tidy rows again."""
    usual = decoding_for(workspace.registry.protocols[row.protocol], {}).slug
    return [metric_name(row, usual, item["metric"], item["dataset"]) for item in values]


def _history(folder: Path) -> list[dict[str, float]]:
    path = folder / "history.jsonl"
    rows = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        try:
            rows.append(load_json(line))
        except json.JSONDecodeError as error:
            raise InputError(
                f"{path}:{number}: not valid JSON ({error.msg}); delete the folder {folder} and train again"
            ) from None
    return rows


def _sample(workspace: Workspace, owner: str) -> str:
    """Header and first lines of the first prediction file."""
    cell, _ = workspace.grid.owner_cells(owner)[0]
    lines = read_text(workspace.home / cell.folder / "predictions.jsonl").split("\n")[: SAMPLE_LINES + 1]
    return "\n".join(lines) + "\n"
