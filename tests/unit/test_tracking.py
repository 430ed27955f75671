"""The MLflow store: replaced when logged again, read back as written, made again when it is lost or damaged."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from benchmarks.catalog.store_state import experiment_name, store_fault
from benchmarks.reporting import delivery
from benchmarks.reporting.records import TrackedRun
from benchmarks.reporting.tracking import (
    Store,
    experiment_id,
    init_store,
    log_run,
    metrics_by_search,
    read_metrics_of,
)
from gliner_core.errors import InputError
from gliner_core.files import read_json
from tests.faults.tracking_support import workspace
from tests.scale.tracking_load import faults, make_run


def _run(key: str, metrics: Mapping[str, float], steps: int = 3, **changes: Any) -> TrackedRun:
    values: dict[str, Any] = {
        "key": key,
        "name": key.replace("/", "-"),
        "params": {"model.max_width": "12", "model.rnn": "True", "optim.grad_clip": "None"},
        "metrics": metrics,
        "history": [{"step": step, "loss": 10.0 / step, "lr": 1e-5} for step in range(1, steps + 1)],
        "tags": {"scale": "demo", "studies": "main_table,span_width"},
        "artifacts": {"sample.jsonl": "{}\n"},
        "started": "2026-01-01T00:00:00+00:00",
        "ended": "2026-01-01T01:00:00+00:00",
        "description": "A run.",
    }
    return TrackedRun(**values | changes)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with its tables and one experiment; making it takes seconds, so tests copy it."""
    folder = tmp_path_factory.mktemp("empty") / "tracking"
    init_store(Store(uri=f"sqlite:///{folder}/mlflow.db", scale="demo", artifacts=(folder / "artifacts").as_uri()))
    assert [path.name for path in folder.iterdir()] == ["mlflow.db"]
    return folder / "mlflow.db"


@pytest.fixture
def store(empty: Path, tmp_path: Path) -> Store:
    shutil.copy(empty, tmp_path / "mlflow.db")
    return Store(uri=f"sqlite:///{tmp_path}/mlflow.db", scale="demo", artifacts=(tmp_path / "artifacts").as_uri())


def test_logging_again_replaces(store: Store) -> None:
    first = log_run(store, _run("demo/a", {"f1/a": 1.0}))
    other = log_run(store, _run("demo/b", {"f1/a": 2.0}))
    second = log_run(store, _run("demo/a", {"f1/a": 3.0}))
    runs = MlflowClient(store.uri).search_runs([experiment_id(store.uri, "demo")])
    assert {run.info.run_id for run in runs} == {other, second} and first != second
    assert read_metrics_of(store.uri, [second])[second]["f1/a"] == 3.0


def test_what_is_logged_is_read_back_to_the_digit(store: Store) -> None:
    metrics = {f"f1/dataset_{number}": 100.0 / (number + 3) for number in range(300)} | {"f1/nan": float("nan")}
    params = {f"key_{number}": str(number) for number in range(150)}  # more than one request of each
    run_id = log_run(store, _run("demo/a", metrics, steps=700, params=params))
    found = read_metrics_of(store.uri, [run_id, "0" * 32])
    assert list(found) == [run_id]  # a run that the store does not know is left out
    assert repr({key: found[run_id][key] for key in metrics}) == repr(metrics)
    client = MlflowClient(store.uri)
    history = client.get_metric_history(run_id, "train/loss")
    assert [(item.step, item.value) for item in history] == [(step, 10.0 / step) for step in range(1, 701)]
    run = client.get_run(run_id)
    assert run.data.params == params and run.info.status == "FINISHED"
    assert run.data.tags["studies"] == "main_table,span_width"
    assert run.info.end_time - run.info.start_time == 3_600_000
    assert [item.path for item in client.list_artifacts(run_id)] == ["sample.jsonl"]


def test_the_tables_say_what_the_public_interface_says(store: Store) -> None:
    values = [{"f1/a": 1 / 3, "f1/b": 2e-308 * number} for number in range(3)]
    ids = [log_run(store, _run(f"demo/{number}", row, steps=number)) for number, row in enumerate(values)]
    MlflowClient(store.uri).delete_run(ids[0])  # its id may stand in another machine's marker
    tables = read_metrics_of(store.uri, ids)
    assert tables == metrics_by_search(store.uri, ids) and list(tables[ids[2]]) and set(tables) == set(ids)


def test_scales_have_experiments_of_their_own(store: Store) -> None:
    again = init_store(store)
    assert again == experiment_id(store.uri, "demo")
    paper = Store(uri=store.uri, scale="paper", artifacts=store.artifacts)
    assert init_store(paper) != again
    log_run(paper, _run("paper/a", {"f1/a": 1.0}))
    assert MlflowClient(store.uri).search_runs([again]) == []
    found = MlflowClient(store.uri).get_experiment(experiment_id(store.uri, "paper"))
    assert found.name == experiment_name("paper") == "gliner-bench/paper"


def test_a_scale_that_was_never_tracked_is_one_sentence(store: Store) -> None:
    with pytest.raises(InputError, match="holds no experiment gliner-bench/pilot; run `snakemake"):
        experiment_id(store.uri, "pilot")


def _damage(path: Path, kind: str) -> None:
    content = path.read_bytes()
    if kind == "deleted":
        path.unlink()
    elif kind == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    else:
        path.write_bytes(b"not a database" * 1000)


@pytest.mark.parametrize("kind", ["deleted", "truncated", "empty", "overwritten"])
def test_a_lost_or_damaged_store_is_made_again_from_the_files(
    kind: str, empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "tracked_run", lambda _, owner: make_run(int(owner[-1])))
    space = workspace(tmp_path / "results")
    path = space.tracking_folder / "mlflow.db"
    path.parent.mkdir(parents=True)
    shutil.copy(empty, path)
    owners = [make_run(number).name for number in (1, 2)]
    markers = [space.tracking_folder / "demo" / f"{owner}.json" for owner in owners]
    for owner, marker in zip(owners, markers, strict=True):
        delivery.track_owner(space, owner, marker)
    before = delivery.tracked_metrics(space, owners)
    ids = [read_json(marker)["mlflow_run"] for marker in markers]
    lost = path.with_name("other.db")  # MLflow keeps the connections of a path: the damage is done at a path of its own
    shutil.copy(path, lost)
    _damage(lost, kind)
    assert store_fault(path) is None and store_fault(lost) is not None
    other = workspace(tmp_path / "results", f"sqlite:///{lost}")
    assert delivery.tracked_metrics(other, owners) == before
    assert faults(delivery.store_of(other), (1, 2)) == {"missing": 0, "doubled": 0, "unfinished": 0, "incomplete": 0}
    assert not set(ids) & {read_json(marker)["mlflow_run"] for marker in markers}
    aside = [found.name for found in lost.parent.glob("other.db.damaged-*")]
    assert len(aside) == (0 if kind == "deleted" else 1), "what was damaged is kept beside it"
