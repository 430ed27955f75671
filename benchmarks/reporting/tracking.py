"""One MLflow run per trained run or system; the only file that imports mlflow.

Logging is idempotent: a run is found by its key tag and replaced, so a rerun or a rebuilt store never holds it twice.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException

from gliner_core.errors import InputError

KEY_TAG = "gliner_bench.key"
PREFIX = "gliner-bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedRun:
    """What is logged of one run or system."""

    key: str
    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    history: Sequence[Mapping[str, float]]
    tags: Mapping[str, str]
    artifacts: Sequence[Path]
    started: str
    ended: str
    description: str


def experiment_name(scale: str) -> str:
    """One experiment per scale, so that a demo number never stands beside a paper number."""
    return f"{PREFIX}/{scale}"


def init_store(uri: str, artifacts: Path, scale: str) -> str:
    """Creates the store's tables and the experiment; returns the experiment id.

    One job does this before any other logs: processes that create the tables at the same time break the database.
    """
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(experiment_name(scale))
    if experiment is not None:
        return experiment.experiment_id
    location = None if uri.startswith("http") else (artifacts / scale).resolve().as_uri()
    note = f"# GLiNER Bench, scale {scale}\nOne run per training or system. Metrics: `f1/<dataset>`, in percent."
    return client.create_experiment(
        experiment_name(scale), artifact_location=location, tags={"mlflow.note.content": note}
    )


def log_run(uri: str, scale: str, run: TrackedRun) -> str:
    """Logs one run, replacing an earlier one of the same key; returns the MLflow run id."""
    client = MlflowClient(uri)
    experiment = _experiment(client, uri, scale)
    for old in client.search_runs([experiment], f"tags.`{KEY_TAG}` = '{run.key}'"):
        client.delete_run(old.info.run_id)
    tags = {**run.tags, KEY_TAG: run.key, "mlflow.note.content": run.description}
    created = client.create_run(experiment, start_time=_millis(run.started), tags=tags, run_name=run.name)
    run_id = created.info.run_id
    try:
        _log_params(client, run_id, run.params)
        _log_metrics(client, run_id, run)
        for path in run.artifacts:
            client.log_artifact(run_id, str(path))
    except BaseException:  # SystemExit too: a job that is told to stop leaves no run that looks as if it went on
        client.set_terminated(run_id, "KILLED")
        raise
    client.set_terminated(run_id, "FINISHED", end_time=_millis(run.ended))
    return run_id


def read_metrics(uri: str, run_id: str) -> dict[str, float]:
    """Latest value of every metric of a run; a store that does not know the run is an `InputError`."""
    try:
        return dict(MlflowClient(uri).get_run(run_id).data.metrics)
    except MlflowException as error:
        raise InputError(
            f"{uri}: MLflow run {run_id} cannot be read ({error.message.splitlines()[0]}); delete results/tracking and "
            "start the workflow again, it rebuilds the store from the files"
        ) from None


def experiment_id(uri: str, scale: str) -> str:
    """Id of the scale's experiment."""
    return _experiment(MlflowClient(uri), uri, scale)


def _experiment(client: MlflowClient, uri: str, scale: str) -> str:
    experiment = client.get_experiment_by_name(experiment_name(scale))
    if experiment is None:
        raise InputError(
            f"{uri}: holds no experiment {experiment_name(scale)!r}; delete results/tracking and start again"
        )
    return experiment.experiment_id


def _log_params(client: MlflowClient, run_id: str, params: Mapping[str, Any]) -> None:
    items = [Param(key, str(value)) for key, value in params.items()]
    client.log_batch(run_id, params=items)


def _log_metrics(client: MlflowClient, run_id: str, run: TrackedRun) -> None:
    time = _millis(run.ended)
    items = [Metric(key, float(value), time, 0) for key, value in run.metrics.items()]
    for row in run.history:
        step = int(row["step"])
        items += [Metric(f"train/{key}", float(value), time, step) for key, value in row.items() if key != "step"]
    for offset in range(0, len(items), 1000):  # MLflow accepts 1,000 metrics a request
        client.log_batch(run_id, metrics=items[offset : offset + 1000])


def _millis(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp() * 1000)
