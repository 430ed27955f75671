"""A tracking store that is locked, damaged or of another scale, and the records that wait for it."""

import sqlite3
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mlflow import MlflowClient
from sqlalchemy.exc import OperationalError
from tracking_support import workspace

from benchmarks.catalog import store_state
from benchmarks.catalog.store_state import lost_store, store_fault
from benchmarks.reporting import delivery, tracking
from benchmarks.reporting.spool import Spool
from benchmarks.reporting.tracking import KEY_TAG, LOGGED_TAG, RECORD_TAG, Store, experiment_id, init_store, log_run
from gliner_core.errors import InputError
from tests.scale.tracking_load import make_run, stored_runs


def test_a_locked_store_is_not_taken_for_a_damaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as store:
        for table in ("experiments", "runs", "latest_metrics", "alembic_version"):
            store.execute(f"create table {table} (name text)")
        store.execute("insert into experiments values ('gliner-bench/demo')")
    store.close()
    assert store_state.store_fault(path, "gliner-bench/demo") is None
    usual = sqlite3.connect
    monkeypatch.setattr(store_state.sqlite3, "connect", lambda *a, **k: usual(*a, **k, timeout=0))
    locker = usual(path, isolation_level=None)
    locker.execute("begin exclusive")
    assert store_state.store_fault(path, "gliner-bench/demo") is None
    locker.close()


def test_a_store_of_another_scale_is_lost_for_this_one(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as store:
        for table in ("experiments", "runs", "latest_metrics", "alembic_version"):
            store.execute(f"create table {table} (name text)")
    store.close()
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "store.json").write_text("{}")
    space: Any = SimpleNamespace(
        tracking_uri=f"sqlite:///{path}", tracking_folder=tmp_path, settings=SimpleNamespace(scale="demo")
    )
    assert lost_store(space) == f"{path} holds no experiment gliner-bench/demo"


def test_a_page_that_quick_check_alone_finds_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as store:
        for table in ("experiments", "runs", "alembic_version"):
            store.execute(f"create table {table} (name text)")
        store.execute("create table latest_metrics (name text)")
        store.executemany("insert into latest_metrics values (?)", [(f"{n:0500}",) for n in range(200)])
    store.close()
    content = bytearray(path.read_bytes())
    content[-4096:-2048] = b"\xff" * 2048  # in the last data page
    path.write_bytes(content)
    assert "damaged" in str(store_fault(path))


def test_a_newer_record_of_a_run_takes_the_place_of_the_older(tmp_path: Path) -> None:
    spool = Spool(folder=tmp_path)
    spool.put(make_run(1))
    spool.put(make_run(2))
    spool.put(make_run(1))
    assert [spool.read(path).name for path in spool.waiting()] == [make_run(2).name, make_run(1).name]


def test_one_process_at_a_time_replays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = workspace(tmp_path)
    spool = delivery.spool_of(space)
    spool.put(make_run(1))
    calls: list[int] = []
    monkeypatch.setattr(delivery, "log_run", lambda *_: calls.append(1) or "id")
    with spool.alone():
        thread = threading.Thread(target=delivery.replay, args=(space,))
        thread.start()
        time.sleep(0.3)
        assert calls == []
    thread.join(10)
    assert calls == [1]


@pytest.fixture
def store(tmp_path: Path) -> Any:
    store = Store(uri=f"sqlite:///{tmp_path}/mlflow.db", scale="demo", artifacts=(tmp_path / "artifacts").as_uri())
    init_store(store)
    return store


def test_of_two_good_runs_the_first_stays_and_its_files_lie_where_was_asked(store: Any, tmp_path: Path) -> None:
    run = make_run(1)
    first = log_run(store, run)
    assert list((tmp_path / "artifacts").rglob(next(iter(run.artifacts))))
    client = MlflowClient(store.uri)
    tags = {KEY_TAG: run.key, RECORD_TAG: run.digest(), LOGGED_TAG: "9" * 20}
    client.set_terminated(client.create_run(experiment_id(store.uri, "demo"), tags=tags).info.run_id)
    assert log_run(store, run) == first and [left.info.run_id for left in stored_runs(store)] == [first]


def test_a_job_that_is_stopped_while_it_logs_leaves_no_running_run(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:

    def stop(*_: object) -> None:
        raise SystemExit(143)

    monkeypatch.setattr(MlflowClient, "log_artifacts", stop)
    with pytest.raises(SystemExit):
        log_run(store, make_run(1))
    assert [run.info.status for run in stored_runs(store)] == ["KILLED"]


def test_a_wrong_password_is_refused_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:

    def refuse(_: str) -> None:
        raise OperationalError("select 1", None, Exception('FATAL: password authentication failed for user "bob"'))

    monkeypatch.setattr(tracking, "_probe", refuse)
    with pytest.raises(InputError, match=r"password authentication failed.*check the address, the login"):
        tracking.read_metrics_of("postgresql://bob@host/db", ["a"])


def test_the_journal_of_a_damaged_store_is_put_aside_with_it(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db-journal").write_bytes(b"of a store that was deleted")
    init_store(Store(uri=f"sqlite:///{tmp_path}/mlflow.db", scale="demo", artifacts=(tmp_path / "a").as_uri()))
    (aside,) = tmp_path.glob("mlflow.db-journal.damaged-*")
    assert aside.read_bytes() == b"of a store that was deleted" and not (tmp_path / "mlflow.db-journal").exists()
    assert store_fault(tmp_path / "mlflow.db") is None
