"""Tracking for teams on a real PostgreSQL: `python -m tests.scale.postgres [--runs 10000] [--writers 16]`.

Many writers at once, every metric read back, the database gone in the middle, dumped, restored and read again, and the
tiny workflow on it. Needs PostgreSQL's programs (apt-get install postgresql) and the extra `postgres`. 10,000 runs take
half an hour on two cores; everything is in a temporary folder and is gone afterwards.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from benchmarks.catalog.logins import PASSWORD_VARIABLE, login_address
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting import delivery
from benchmarks.reporting.metric_tables import metrics_by_table
from benchmarks.reporting.tracking import init_store, metrics_by_search
from gliner_core.files import write_json
from tests.faults.tracking_support import workspace
from tests.scale.postgres_server import Server, postgres
from tests.scale.tiny_workflow import CELLS, holders, tables, tiny_workflow
from tests.scale.tracking_load import faults, make_metrics, make_run, write_at_once

NOTHING = {"missing": 0, "doubled": 0, "unfinished": 0, "incomplete": 0}
COLLECT_SECONDS = 30.0
RESTORED = "restored"
Result = TypeVar("Result")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs all checks; an AssertionError is a failed one. Prints a line for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.scale.postgres")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--writers", type=int, default=16)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name, postgres() as server:
        os.environ[PASSWORD_VARIABLE] = server.password
        space = workspace(Path(name) / "results", server.uri(), wait=60)
        check_load(space, options.runs, options.writers)
        check_restored(server, space, options.runs)
        check_outage(server, space, options.runs)
        check_workflow(server, Path(name))


def check_load(space: Workspace, runs: int, writers: int) -> None:
    """All runs arrive whole and once, and every metric is read back in time."""
    store = delivery.store_of(space)
    init_store(store)
    load = write_at_once(store, range(runs), writers)
    report(f"{writers} writers, {runs} runs logged", load.seconds, load.bytes_writer)
    assert faults(store, range(runs)) == NOTHING
    for number, run_id in enumerate(load.ids):
        marker = space.tracking_folder / "demo" / f"{make_run(number).name}.json"
        write_json(marker, {"mlflow_run": run_id, "key": make_run(number).key})
    found = timed(f"collect reads {runs} runs", lambda: metrics(space, runs), COLLECT_SECONDS)
    for number in range(runs):
        row = found[make_run(number).name]
        assert {key: row[key] for key in make_metrics(number)} == make_metrics(number)
    part = load.ids[:1000]
    address = login_address(store.uri)
    slow = timed(f"{len(part)} of them by MLflow's search, for comparison", lambda: metrics_by_search(store.uri, part))
    assert slow == timed(f"{len(part)} of them from the tables", lambda: metrics_by_table(address, part))


def check_restored(server: Server, space: Workspace, runs: int) -> None:
    """A dump of the database, restored under another name, holds the same values."""
    before = metrics(space, runs)
    timed("pg_dump and pg_restore", lambda: restore(server, space.results))
    assert metrics(workspace(space.results, server.uri(RESTORED)), runs) == before
    server.run("dropdb", RESTORED)


def check_outage(server: Server, space: Workspace, runs: int) -> None:
    """A database that is stopped as by a power cut: the record waits, and arrives when it is back."""
    owner = make_run(runs).name
    delivery.tracked_run = lambda _, name: make_run(int(name.removeprefix("run-")))
    server.stop()
    timed("a job that logs while the database is gone", lambda: track(space, owner), COLLECT_SECONDS)
    assert len(delivery.spool_of(space).waiting()) == 1
    server.start()
    assert delivery.tracked_metrics(space, [owner])[owner]["f1/dataset_00"] == make_metrics(runs)["f1/dataset_00"]
    assert delivery.spool_of(space).waiting() == []


def check_workflow(server: Server, folder: Path) -> None:
    """The tiny workflow on PostgreSQL: cells as with SQLite and as from a restored database; no password on disk."""
    os.environ.pop(PASSWORD_VARIABLE)
    checkout = tiny_workflow(folder / "workflow")
    shared = str(folder / "shared")
    server.run("createdb", "tiny")
    uri, restored = (server.uri(name).replace("@", f":{server.password}@") for name in ("tiny", RESTORED))
    text = timed("the tiny workflow", lambda: checkout.make(tracking_uri=uri, tracking_artifacts=shared)).text
    before = tables(checkout)
    assert server.password not in text and holders(checkout, server.password) == []
    assert len([path for path in Path(shared).rglob("*.sample.jsonl")]) == 4
    os.environ[PASSWORD_VARIABLE] = server.password
    restore(server, folder, "tiny")
    for place in ({"tracking_uri": restored}, {}):  # {}: SQLite, from the files
        for name in CELLS:
            checkout.path(name).unlink()
        checkout.make(*CELLS, **place)
        assert tables(checkout) == before
    assert holders(checkout, server.password) == []
    print("the tiny workflow: cells.csv identical on PostgreSQL, restored and on SQLite; no file holds the password")


def restore(server: Server, folder: Path, database: str = "mlflow") -> None:
    """Dumps a database and restores the dump as another one."""
    dump = folder / "mlflow.dump"
    server.run("pg_dump", "--format=custom", f"--file={dump}", database)
    server.run("createdb", RESTORED)
    server.run("pg_restore", f"--dbname={RESTORED}", str(dump))
    print(f"dump: {dump.stat().st_size / 2**20:.1f} MiB")


def metrics(space: Workspace, runs: int) -> dict[str, dict[str, float]]:
    """What `collect` reads, of every run."""
    return delivery.tracked_metrics(space, [make_run(number).name for number in range(runs)])


def track(space: Workspace, owner: str) -> None:
    """What the rule `track` does."""
    delivery.track_owner(space, owner, space.tracking_folder / "demo" / f"{owner}.json")


def timed(what: str, action: Callable[[], Result], most: float | None = None) -> Result:
    """Reports how long an action takes; an AssertionError if that is too long."""
    begin = time.monotonic()
    result = action()
    seconds = time.monotonic() - begin
    report(what, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    assert most is None or seconds < most, f"{what}: {seconds:.1f} s, allowed {most:.0f} s"
    return result


def report(what: str, seconds: float, size: int) -> None:
    """One line: what, wall seconds, the largest process so far."""
    print(f"{what}: {seconds:.1f} s, {size / 2**20:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
