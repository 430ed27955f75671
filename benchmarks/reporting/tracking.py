"""One MLflow run per trained run or system; the only file that imports mlflow.

Logging is idempotent, also when several processes log the same key or one is killed: a run counts only when it is
FINISHED and carries the digest of its record. Whoever finds or makes such a run removes all others of its key.
"""

import os
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from sqlalchemy.exc import SQLAlchemyError

# Before mlflow is imported. Its client would ask a dead server for four minutes; records wait in a spool instead.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException

from benchmarks.catalog.logins import login_address, redact
from benchmarks.catalog.store_state import experiment_name, sqlite_file, store_fault
from benchmarks.reporting.metric_tables import log_in, metrics_by_table
from benchmarks.reporting.records import TrackedRun
from gliner_core.errors import InputError
from gliner_core.files import atomic_write, disk_full, is_disk_full

KEY_TAG, RECORD_TAG, LOGGED_TAG = "gliner_bench.key", "gliner_bench.record", "gliner_bench.logged"
TRANSIENT = ("TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "DEADLINE_EXCEEDED")
NO_ANSWER = ("failed with exception", "failed with timeout exception")  # of mlflow.utils.rest_utils.http_request
PARAMS_A_REQUEST, METRICS_A_REQUEST = 100, 850  # MLflow accepts 100 and 1,000, and 1,000 of all kinds together
IDS_A_REQUEST = 500
NO_LOGIN = ("authentication failed", "no password supplied", "Access denied")  # of PostgreSQL and MySQL
ATTEMPTS = 20  # to log a run that other writers of its key keep removing
PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
PROBE_SECONDS = 5

Item = TypeVar("Item")


class StoreUnreachable(Exception):
    """The store does not answer now; what was asked may be asked again later, as often as one likes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Where the runs of one scale are tracked; `artifacts` matters to databases only, a server has its own."""

    uri: str
    scale: str
    artifacts: str


def init_store(store: Store) -> str:
    """Creates the store's tables and the experiment; returns the experiment id.

    One job does this before any other logs: processes that create the tables at the same time break the database. An
    SQLite file appears with all its tables or not at all; a damaged one is put aside under another name.
    """
    path = sqlite_file(store.uri)
    if path is not None and store_fault(path) is not None:
        _create_sqlite(path)
    with _client(store.uri) as client:
        return _experiment(client, store)


def log_run(store: Store, run: TrackedRun) -> str:
    """Logs one run, replacing what else the store holds of its key; returns the MLflow run id.

    A run that is already there with the same content is kept. Raises `StoreUnreachable`.
    """
    with _client(store.uri) as client:
        experiment = _experiment(client, store)
        for _ in range(ATTEMPTS):
            run_id = _kept(client, experiment, run) or _logged(client, experiment, run)
            if run_id is not None:
                return run_id
        raise StoreUnreachable(f"{store.uri}: other writers keep replacing {run.key}")


def read_metrics_of(uri: str, run_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """Latest value of every metric, by run id; runs that the store does not know are left out.

    Removed runs count: their id may stand in another machine's marker. Raises `StoreUnreachable`.
    """
    path = sqlite_file(uri)
    if path is not None and store_fault(path) is not None:
        return {}
    with _asking(uri):
        if not uri.startswith("http"):
            return metrics_by_table(login_address(uri), run_ids)
        parts = _parts(run_ids, IDS_A_REQUEST)
        return {run_id: row for part in parts for run_id, row in metrics_by_search(uri, part).items()}


def metrics_by_search(uri: str, run_ids: Sequence[str]) -> dict[str, dict[str, float]]:
    """`read_metrics_of` by MLflow's public interface, which servers offer too; one request."""
    client = MlflowClient(login_address(uri))
    wanted = ", ".join(f"'{run_id}'" for run_id in run_ids)
    experiments = [item.experiment_id for item in client.search_experiments(view_type=ViewType.ALL)]
    runs = client.search_runs(experiments, f"attributes.run_id IN ({wanted})", ViewType.ALL, max_results=len(run_ids))
    return {run.info.run_id: dict(run.data.metrics) for run in runs}


def experiment_id(uri: str, scale: str) -> str:
    """Id of the scale's experiment; an `InputError` if there is none."""
    path = sqlite_file(uri)
    if path is not None and (fault := store_fault(path, experiment_name(scale))) is not None:
        raise InputError(f"{fault}; run `snakemake --cores all` again, it rebuilds the store from the files")
    with _client(uri) as client:
        experiment = client.get_experiment_by_name(experiment_name(scale))
    if experiment is None:
        raise InputError(f"{uri}: holds no experiment {experiment_name(scale)!r}; run the workflow at this scale first")
    return experiment.experiment_id


@contextmanager
def _client(uri: str) -> Iterator[MlflowClient]:
    """A client, and its errors as `_asking` tells them."""
    with _asking(uri):
        yield MlflowClient(login_address(uri))


@contextmanager
def _asking(uri: str) -> Iterator[None]:
    """A store that is away or busy is `StoreUnreachable`, any other refusal an `InputError`."""
    try:
        _probe(uri)
        yield
    except MlflowException as error:
        raise _translated(uri, error, _is_transient(error)) from None
    except PermissionError as error:
        raise _translated(uri, error, is_transient=False) from None
    except (OSError, SQLAlchemyError) as error:  # requests' errors are OSErrors
        is_refused = any(text in str(error) for text in NO_LOGIN)
        raise _translated(uri, error, is_transient=not is_refused) from None
    except ImportError as error:
        raise InputError(
            f"`tracking_uri` {uri}: its driver is missing ({error}); install the extra `postgres`"
        ) from None


def _translated(uri: str, error: Exception, is_transient: bool) -> Exception:
    if (path := sqlite_file(uri)) is not None and is_disk_full(error):
        return InputError(disk_full(path))
    reason = redact(str(error)).strip().splitlines()[0]
    if is_transient:
        return StoreUnreachable(f"{uri}: {reason}")
    return InputError(f"`tracking_uri` {uri}: MLflow refuses ({reason}); check the address, the login and the store")


def _is_transient(error: MlflowException) -> bool:
    return error.error_code in TRANSIENT or any(text in str(error) for text in NO_ANSWER)


def _probe(uri: str) -> None:
    """Knocks at the port, and at a database's door: MLflow asks a dead or closed database for 100 seconds.

    A server behind a proxy is asked by MLflow alone: its port may be out of reach from here.
    """
    parts = urlsplit(uri)
    if uri.startswith("http") and not proxy_bypass(parts.netloc) and {parts.scheme, "all"} & getproxies().keys():
        return
    port = parts.port or PORTS.get(parts.scheme.partition("+")[0])
    if parts.hostname and port:
        socket.create_connection((parts.hostname, port), timeout=PROBE_SECONDS).close()
        if not uri.startswith("http"):
            log_in(login_address(uri))


def _create_sqlite(path: Path) -> None:
    partial = path.with_name(f".{path.name}.partial")
    for name in (partial, partial.with_name(f"{partial.name}-journal")):
        name.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _client(f"sqlite:///{partial}") as client:
        client.get_experiment_by_name("")  # the first question creates the tables
    for name in (path, path.with_name(f"{path.name}-journal")):
        if name.is_file():
            name.rename(name.with_name(f"{name.name}.damaged-{time.time_ns()}"))
    partial.rename(path)


def _experiment(client: MlflowClient, store: Store) -> str:
    name = experiment_name(store.scale)
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        location = None if store.uri.startswith("http") else store.artifacts
        note = f"# GLiNER Bench, scale {store.scale}\nOne run per training or system. Metrics: `f1/<dataset>`, percent."
        try:
            return client.create_experiment(name, artifact_location=location, tags={"mlflow.note.content": note})
        except MlflowException as error:  # another process was faster
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            experiment = client.get_experiment_by_name(name)
    if experiment is None or experiment.lifecycle_stage != "active":
        raise InputError(
            f"{store.uri}: the experiment {name!r} was deleted; `mlflow experiments restore` brings it back"
        )
    return experiment.experiment_id


def _kept(client: MlflowClient, experiment: str, run: TrackedRun) -> str | None:
    """The finished run of this record, if the store has one; every other run of the key is then removed.

    Of several the first logged is kept, so that an id once handed out stays good. None also where the kept run went
    meanwhile: its writer and that of a run which finished after this question can each have chosen their own. Whoever
    removes asks once more, so the last of them knows whether none is left.
    """
    found = list(client.search_runs([experiment], f"tags.`{KEY_TAG}` = '{run.key}'"))
    good = [old for old in found if old.info.status == "FINISHED" and old.data.tags.get(RECORD_TAG) == run.digest()]
    if not good:
        return None
    kept = min(good, key=lambda old: (old.data.tags[LOGGED_TAG], old.info.run_id)).info.run_id
    others = [old for old in found if old.info.run_id != kept]
    for old in others:
        _remove(client, old)
    return None if others and not _is_good(client, kept) else kept


def _logged(client: MlflowClient, experiment: str, run: TrackedRun) -> str | None:
    """Logs the record as a new run; None if another writer of the key removed it meanwhile."""
    tags = {**run.tags, KEY_TAG: run.key, RECORD_TAG: run.digest(), "mlflow.note.content": run.description}
    run_id = client.create_run(experiment, start_time=_millis(run.started), tags=tags, run_name=run.name).info.run_id
    try:
        _log_content(client, run_id, run)
        client.set_terminated(run_id, "FINISHED", end_time=_millis(run.ended))
    except MlflowException as error:
        if _is_transient(error) or not _is_removed(client, run_id):
            raise
    except SystemExit:  # a job that is told to stop leaves no run that looks as if it went on
        client.set_terminated(run_id, "KILLED")
        raise
    return _kept(client, experiment, run)


def _log_content(client: MlflowClient, run_id: str, run: TrackedRun) -> None:
    params = _parts([Param(key, value) for key, value in run.params.items()], PARAMS_A_REQUEST)
    metrics = _parts(_metrics(run), METRICS_A_REQUEST)
    for some_params, some_metrics in zip_longest(params, metrics, fillvalue=()):
        client.log_batch(run_id, params=some_params, metrics=some_metrics)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in run.artifacts.items():
            with atomic_write(Path(folder) / name) as stream:  # names this disk, not the store's, where it is full
                stream.write(text)
        client.log_artifacts(run_id, folder)
    client.log_batch(run_id, tags=[RunTag(LOGGED_TAG, f"{time.time_ns():020d}")])


def _metrics(run: TrackedRun) -> list[Metric]:
    ended = _millis(run.ended)
    items = [Metric(key, float(value), ended, 0) for key, value in run.metrics.items()]
    for row in run.history:
        step = int(row["step"])
        items += [Metric(f"train/{key}", float(value), ended, step) for key, value in row.items() if key != "step"]
    return items


def _remove(client: MlflowClient, run: Run) -> None:
    """Deletes a run; one that a dead writer left RUNNING is ended first."""
    try:
        if run.info.status == "RUNNING":
            client.set_terminated(run.info.run_id, "KILLED")
        client.delete_run(run.info.run_id)
    except MlflowException as error:
        if _is_transient(error) or not _is_removed(client, run.info.run_id):
            raise


def _is_good(client: MlflowClient, run_id: str) -> bool:
    info = client.get_run(run_id).info
    return info.status == "FINISHED" and info.lifecycle_stage == "active"


def _is_removed(client: MlflowClient, run_id: str) -> bool:
    return client.get_run(run_id).info.lifecycle_stage == "deleted"


def _parts(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _millis(iso: str) -> int:
    return int(datetime.fromisoformat(iso).timestamp() * 1000)
