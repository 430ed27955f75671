"""Many writers at once: synthetic runs of the size of real ones, and what the store holds afterwards."""

import multiprocessing
import resource
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from benchmarks.catalog.logins import login_address
from benchmarks.reporting.delivery import log_patiently
from benchmarks.reporting.records import TrackedRun
from benchmarks.reporting.tracking import KEY_TAG, Store, experiment_id

PARAMS, METRICS, STEPS = 60, 60, 20  # of a run of the scale pilot: 52, 76 to 110, 16

ENDED = ("FINISHED", "KILLED", "FAILED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a number of writers did: seconds of the wall clock, the largest writer's bytes, run ids by number."""

    seconds: float
    bytes_writer: int
    ids: Sequence[str]


def make_run(number: int, scale: str = "demo") -> TrackedRun:
    """A run whose every value follows from its number."""
    return TrackedRun(
        key=f"{scale}/run-{number:05d}",
        name=f"run-{number:05d}",
        params={f"optim.key_{index}": str(index * number) for index in range(PARAMS)},
        metrics=make_metrics(number),
        history=[{"step": step, "loss": 10.0 / (step + number), "lr": 1e-5} for step in range(1, STEPS + 1)],
        tags={"scale": scale, "studies": "main_table", "seed": str(number % 3)},
        artifacts={"spec.json": "{}\n", "receipt.json": "{}\n"},
        started="2026-01-01T00:00:00+00:00",
        ended="2026-01-01T01:00:00+00:00",
        description=f"Run {number}.",
    )


def make_metrics(number: int) -> dict[str, float]:
    """The scores of a run; values that no decimal holds exactly."""
    return {f"f1/dataset_{index:02d}": 100.0 / (number + index + 3) for index in range(METRICS)}


def write_at_once(store: Store, numbers: Sequence[int], writers: int) -> Load:
    """Logs runs from so many processes that share nothing but the store."""
    # The server that the processes come from has imported mlflow once for all.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.reporting.delivery", "mlflow.store.tracking.sqlalchemy_store"])
    begin = time.monotonic()
    with context.Pool(writers) as pool:
        answers = pool.starmap(_write, [(store, number) for number in numbers], chunksize=1)
    seconds = time.monotonic() - begin
    return Load(seconds=seconds, bytes_writer=max(size for _, size in answers), ids=[run_id for run_id, _ in answers])


def _write(store: Store, number: int) -> tuple[str, int]:
    run_id = log_patiently(store, make_run(number))
    return run_id, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def stored_runs(store: Store) -> list[Run]:
    """Every run that the store shows."""
    return _runs(store, ViewType.ACTIVE_ONLY)


def faults(store: Store, numbers: Sequence[int]) -> dict[str, int]:
    """How many runs are missing, doubled, unfinished (also among the removed ones) or incomplete."""
    shown = stored_runs(store)
    keys = Counter(run.data.tags[KEY_TAG] for run in shown)
    expected = {make_run(number, store.scale).key: number for number in numbers}
    return {
        "missing": len(set(expected) - set(keys)),
        "doubled": sum(count - 1 for count in keys.values()),
        "unfinished": sum(run.info.status != "FINISHED" for run in shown)
        + sum(run.info.status not in ENDED for run in _runs(store, ViewType.DELETED_ONLY)),
        "incomplete": sum(not _is_complete(run, expected[run.data.tags[KEY_TAG]]) for run in shown),
    }


def _is_complete(run: Run, number: int) -> bool:
    wanted = make_run(number)
    last = {f"train/{key}": value for key, value in wanted.history[-1].items() if key != "step"}
    return run.data.params == wanted.params and run.data.metrics == {**wanted.metrics, **last}


def _runs(store: Store, view: int) -> list[Run]:
    client = MlflowClient(login_address(store.uri))
    experiment, found, token = experiment_id(store.uri, store.scale), [], None
    while token != "":
        page = client.search_runs([experiment], run_view_type=view, max_results=1000, page_token=token)
        found += page
        token = page.token or ""
    return found
