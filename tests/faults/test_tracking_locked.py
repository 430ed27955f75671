"""One SQLite store, many writers: together, behind a foreign lock, after a killed one, and all of the same key.

`python -m tests.scale.postgres` does it with more runs.
"""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from benchmarks.reporting.tracking import KEY_TAG, LOGGED_TAG, RECORD_TAG, Store, init_store, log_run
from tests.faults.tracking_support import wait_until
from tests.scale.tracking_load import faults, make_run, stored_runs, write_at_once

WRITERS = 16
NOTHING = {"missing": 0, "doubled": 0, "unfinished": 0, "incomplete": 0}
# Holds the lock that a copy or a backup takes, longer than the 20 s that MLflow's connections wait for it.
LOCKER = """
import sqlite3, sys, time
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.execute("begin exclusive")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
"""
# A job that dies between two requests of a run.
VICTIM = """
import os, pathlib, signal, sys, time
from mlflow import MlflowClient
from benchmarks.reporting.tracking import Store, log_run
from tests.scale.tracking_load import make_run
def stop(*_):
    pathlib.Path(sys.argv[2]).touch()
    time.sleep(600)
MlflowClient.log_artifacts = stop
log_run(Store(uri=sys.argv[1], scale="demo", artifacts=""), make_run(1))
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(uri=f"sqlite:///{tmp_path}/mlflow.db", scale="demo", artifacts=(tmp_path / "artifacts").as_uri())
    init_store(store)
    return store


def test_sixteen_writers_behind_a_foreign_lock_lose_and_double_nothing(store: Store, tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOCKER, str(tmp_path / "mlflow.db"), "25"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as locker:
        assert locker.stdout is not None and locker.stdout.readline() == "locked\n"
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite3.connect(tmp_path / "mlflow.db", timeout=0).execute("select * from experiments")
        load = write_at_once(store, range(2 * WRITERS), WRITERS)
    assert load.seconds > 20 and len(set(load.ids)) == 2 * WRITERS
    assert faults(store, range(2 * WRITERS)) == NOTHING


def test_writers_of_the_same_key_leave_one_run(store: Store) -> None:
    load = write_at_once(store, [1] * WRITERS, WRITERS)
    assert faults(store, [1]) == NOTHING
    (kept,) = stored_runs(store)
    assert kept.info.run_id in load.ids


def test_two_writers_that_each_remove_the_other_leave_one_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    client, experiment, run, end = MlflowClient(store.uri), init_store(store), make_run(1), MlflowClient.set_terminated
    tags = {KEY_TAG: run.key, RECORD_TAG: run.digest(), LOGGED_TAG: "0"}
    slow = client.create_run(experiment, tags=tags).info.run_id  # logged first, and finished last
    removed: list[str] = []

    def finish_the_slow_one_first(client: MlflowClient, run_id: str, status: str, **options: int) -> None:
        if run_id == slow and status == "KILLED":  # the quick writer has just taken the slow one for unfinished
            end(client, slow, "FINISHED")
            removed.extend(found.info.run_id for found in stored_runs(store) if found.info.run_id != slow)
            assert log_run(store, run) == slow
        end(client, run_id, status, **options)

    monkeypatch.setattr(MlflowClient, "set_terminated", finish_the_slow_one_first)
    kept = log_run(store, run)
    assert len(removed) == 1 and kept not in (slow, *removed)
    assert [found.info.run_id for found in stored_runs(store)] == [kept]
    assert faults(store, [1]) == NOTHING


def test_a_changed_record_replaces_the_old_one_and_an_equal_one_does_not(store: Store) -> None:
    first = log_run(store, make_run(1))
    assert log_run(store, make_run(1)) == first
    changed = dict(make_run(1).to_json(), metrics={"f1/a": 3.0})
    second = log_run(store, type(make_run(1))(**changed))
    (kept,) = stored_runs(store)
    assert kept.info.run_id == second != first and kept.data.metrics["f1/a"] == 3.0


def test_a_killed_writer_leaves_nothing_that_stays_running(store: Store, tmp_path: Path) -> None:
    reached = tmp_path / "reached"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", VICTIM, store.uri, str(reached)], env=environment) as victim:
        try:
            wait_until(reached.exists, 120)
        finally:
            os.kill(victim.pid, signal.SIGKILL)
    (left,) = stored_runs(store)
    assert left.info.status == "RUNNING"
    run_id = log_run(store, make_run(1))
    assert run_id != left.info.run_id
    assert faults(store, [1]) == NOTHING
