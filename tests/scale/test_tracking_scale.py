"""Two hundred runs from sixteen writers into one SQLite store; `python -m tests.scale.postgres` does 10,000."""

from pathlib import Path

from benchmarks.reporting.tracking import Store, init_store, read_metrics_of
from tests.scale.tracking_load import faults, make_metrics, make_run, write_at_once

WRITERS, RUNS = 16, 200


def test_two_hundred_runs_from_sixteen_writers_arrive_whole_and_once(tmp_path: Path) -> None:
    store = Store(uri=f"sqlite:///{tmp_path}/mlflow.db", scale="demo", artifacts=(tmp_path / "artifacts").as_uri())
    init_store(store)
    load = write_at_once(store, range(RUNS), WRITERS)
    assert faults(store, range(RUNS)) == {"missing": 0, "doubled": 0, "unfinished": 0, "incomplete": 0}
    found = read_metrics_of(store.uri, load.ids)
    for number, run_id in enumerate(load.ids):
        last = {f"train/{key}": value for key, value in make_run(number).history[-1].items() if key != "step"}
        assert found[run_id] == make_metrics(number) | last
