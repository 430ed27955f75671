"""The MLflow store: nothing lost or doubled when jobs log at once, replaced when logged again, read back as written."""

import multiprocessing
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from mlflow import MlflowClient

from benchmarks.reporting.tracking import (
    KEY_TAG,
    TrackedRun,
    experiment_id,
    experiment_name,
    init_store,
    log_run,
    read_metrics,
)
from gliner_core.errors import InputError

PROCESSES = 8


def _run(key: str, metrics: Mapping[str, float], sample: Path, steps: int = 3) -> TrackedRun:
    return TrackedRun(
        key=key,
        name=key,
        params={"model.max_width": 12, "model.rnn": True, "optim.grad_clip": None},
        metrics=metrics,
        history=[{"step": step, "loss": 10.0 / step, "lr": 1e-5} for step in range(1, steps + 1)],
        tags={"scale": "demo", "studies": "main_table,span_width"},
        artifacts=[sample],
        started="2026-01-01T00:00:00+00:00",
        ended="2026-01-01T01:00:00+00:00",
        description="A run.",
    )


def _log_one(uri: str, number: int, sample: Path) -> str:
    return log_run(uri, "demo", _run(f"demo/run-{number}", {"f1/a": number + 0.1}, sample))


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    (tmp_path / "sample.jsonl").write_text("{}\n")
    return tmp_path / "sample.jsonl"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with its tables and one experiment; making it takes seconds, so tests copy it."""
    folder = tmp_path_factory.mktemp("empty") / "tracking"
    init_store(f"sqlite:///{folder}/mlflow.db", folder / "artifacts", "demo")
    return folder / "mlflow.db"


@pytest.fixture
def uri(empty: Path, tmp_path: Path) -> str:
    shutil.copy(empty, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path}/mlflow.db"


def test_jobs_that_log_at_once_lose_and_double_nothing(uri: str, sample: Path) -> None:
    # Fresh processes that share nothing but the store; the server they come from has imported mlflow once for all.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.reporting.tracking", "mlflow.store.tracking.sqlalchemy_store"])
    with context.Pool(PROCESSES) as pool:
        ids = pool.starmap(_log_one, [(uri, number, sample) for number in range(PROCESSES)], chunksize=1)
    runs = MlflowClient(uri).search_runs([experiment_id(uri, "demo")])
    assert sorted(run.info.run_id for run in runs) == sorted(ids) and len(set(ids)) == PROCESSES
    assert {run.data.tags[KEY_TAG] for run in runs} == {f"demo/run-{number}" for number in range(PROCESSES)}
    for number, run_id in enumerate(ids):
        assert read_metrics(uri, run_id) == {"f1/a": number + 0.1, "train/loss": 10.0 / 3, "train/lr": 1e-5}
    assert all(run.info.status == "FINISHED" for run in runs)


def test_logging_again_replaces(uri: str, sample: Path) -> None:
    first = log_run(uri, "demo", _run("demo/a", {"f1/a": 1.0}, sample))
    other = log_run(uri, "demo", _run("demo/b", {"f1/a": 2.0}, sample))
    second = log_run(uri, "demo", _run("demo/a", {"f1/a": 3.0}, sample))
    runs = MlflowClient(uri).search_runs([experiment_id(uri, "demo")])
    assert {run.info.run_id for run in runs} == {other, second} and first != second
    assert read_metrics(uri, second)["f1/a"] == 3.0


def test_what_is_logged_is_read_back_to_the_digit(uri: str, sample: Path) -> None:
    metrics = {f"f1/dataset_{number}": 100.0 / (number + 3) for number in range(300)}
    run_id = log_run(uri, "demo", _run("demo/a", metrics, sample, steps=700))  # more than one request of 1,000
    found = read_metrics(uri, run_id)
    assert {key: found[key] for key in metrics} == metrics
    client = MlflowClient(uri)
    history = client.get_metric_history(run_id, "train/loss")
    assert [(item.step, item.value) for item in history] == [(step, 10.0 / step) for step in range(1, 701)]
    run = client.get_run(run_id)
    assert run.data.params == {"model.max_width": "12", "model.rnn": "True", "optim.grad_clip": "None"}
    assert run.data.tags["studies"] == "main_table,span_width"
    assert run.info.end_time - run.info.start_time == 3_600_000
    assert [item.path for item in client.list_artifacts(run_id)] == ["sample.jsonl"]


def test_scales_have_experiments_of_their_own(uri: str, sample: Path, tmp_path: Path) -> None:
    again = init_store(uri, tmp_path / "tracking" / "artifacts", "demo")
    assert again == experiment_id(uri, "demo")
    paper = init_store(uri, tmp_path / "tracking" / "artifacts", "paper")
    assert paper != again
    log_run(uri, "paper", _run("paper/a", {"f1/a": 1.0}, sample))
    assert MlflowClient(uri).search_runs([again]) == []
    assert MlflowClient(uri).get_experiment(paper).name == experiment_name("paper") == "gliner-bench/paper"


def test_what_the_store_does_not_know_is_one_sentence(uri: str, sample: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_metrics(uri, "0" * 32)
    assert "cannot be read" in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(InputError, match="holds no experiment 'gliner-bench/pilot'"):
        log_run(uri, "pilot", _run("pilot/a", {}, sample))
