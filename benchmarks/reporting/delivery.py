"""Brings records to the tracking store and values back, also when the store is away for a while.

What the store does not take waits in the spool and is replayed, oldest first, by whoever comes next: a job that logs
or one that collects. A run that the store has lost is logged again from the files.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.records import TrackedRun
from benchmarks.reporting.spool import Spool
from benchmarks.reporting.track import tracked_run
from benchmarks.reporting.tracking import Store, StoreUnreachable, init_store, log_run, read_metrics_of
from gliner_core import progress
from gliner_core.errors import InputError
from gliner_core.files import read_json, write_json

HICCUP_SECONDS = 5.0  # how long a job that only logs asks a store that is away
BUSY_SECONDS = 120.0  # and an SQLite file that others write to
LONGEST_PAUSE = 15.0

Result = TypeVar("Result")


def store_of(space: Workspace) -> Store:
    """Where the runs of this invocation's scale are tracked."""
    given = space.settings.tracking_artifacts
    folder = Path(given or space.tracking_folder / "artifacts")
    location = given if given and "://" in given else folder.resolve().as_uri()
    return Store(uri=space.tracking_uri, scale=space.settings.scale, artifacts=f"{location}/{space.settings.scale}")


def open_store(space: Workspace, marker: Path, generation: int) -> None:
    """Creates tables and experiment and writes {"uri", "experiment", "generation"}; no id while the store is away."""
    store = store_of(space)
    experiment = None
    try:
        experiment = _patiently(lambda: init_store(store), _patience(store))
    except StoreUnreachable as error:
        _tell(f"{error}; results wait on disk until it answers")
    write_json(marker, {"uri": store.uri, "experiment": experiment, "generation": generation})


def track_owner(space: Workspace, owner: str, marker: Path) -> None:
    """Logs one run or system and writes {"mlflow_run": id, "key": ...}; null while its record waits in the spool."""
    run, spool, store = tracked_run(space, owner), spool_of(space), store_of(space)
    if not spool.waiting():
        try:
            _write_marker(marker, store, run, log_patiently(store, run))
            return
        except StoreUnreachable as error:
            _tell(f"{error}; the record waits in {spool.folder}")
    _write_marker(marker, store, run, None)  # before the record: whoever replays that one completes the marker
    spool.put(run)
    try:
        replay(space)
    except StoreUnreachable as error:
        _tell(f"{error}; {len(spool.waiting())} records wait in {spool.folder}")


def log_patiently(store: Store, run: TrackedRun) -> str:
    """`log_run`, repeated for a while when the store is busy or just restarting; returns the MLflow run id."""
    return _patiently(lambda: log_run(store, run), _patience(store))


def tracked_metrics(space: Workspace, owners: Sequence[str]) -> dict[str, dict[str, float]]:
    """Run or system -> every metric as the store holds it; waits `tracking_wait` seconds for a store that is away."""
    wait = space.settings.tracking_wait
    try:
        return _patiently(lambda: _delivered(space, owners), wait)
    except StoreUnreachable as error:
        waiting = len(spool_of(space).waiting())
        raise InputError(
            f"the tracking store did not answer for {wait} s ({error}); nothing is lost ({waiting} records wait in "
            f"{spool_of(space).folder}): start the store and give the same command again"
        ) from None


def replay(space: Workspace) -> None:
    """Logs what waits in the spool, oldest first; each record leaves it when the store has it."""
    spool, store = spool_of(space), store_of(space)
    if not spool.waiting():
        return
    with spool.alone():
        for path in spool.waiting():
            run = spool.read(path)
            if run is None:
                continue
            _write_marker(_marker(space, run.name), store, run, log_run(store, run))
            path.unlink(missing_ok=True)


def spool_of(space: Workspace) -> Spool:
    """Where this scale's records wait."""
    return Spool(folder=space.tracking_folder / space.settings.scale / "spool")


def _delivered(space: Workspace, owners: Sequence[str]) -> dict[str, dict[str, float]]:
    replay(space)
    store = store_of(space)
    ids = {owner: read_json(_marker(space, owner))["mlflow_run"] for owner in owners}
    found = read_metrics_of(store.uri, [run_id for run_id in ids.values() if run_id])
    lost = [owner for owner, run_id in ids.items() if run_id not in found]
    if lost:
        with spool_of(space).alone():
            init_store(store)
    for owner in lost:
        print(f"{store.uri}: does not hold {owner}; logged again from the files")
        run = tracked_run(space, owner)
        ids[owner] = log_run(store, run)
        _write_marker(_marker(space, owner), store, run, ids[owner])
    found |= read_metrics_of(store.uri, [ids[owner] for owner in lost])
    return {owner: found[run_id] for owner, run_id in ids.items()}


def _patience(store: Store) -> float:
    return BUSY_SECONDS if store.uri.startswith("sqlite:") else HICCUP_SECONDS


def _patiently(action: Callable[[], Result], seconds: float) -> Result:
    """Repeats an action while the store is unreachable, at growing intervals, for so many seconds."""
    deadline, pause = time.monotonic() + seconds, 0.5
    while True:
        try:
            return action()
        except StoreUnreachable as error:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
            pause = min(2 * pause, LONGEST_PAUSE, left)
            _tell(f"{error}; asked again in {pause:.0f} s, for {left:.0f} s more")
            time.sleep(pause)


def _tell(line: str) -> None:
    print(line, flush=True)
    if progress.terminal is not None:
        print(f"[{progress.label}] {line}", file=progress.terminal, flush=True)


def _marker(space: Workspace, owner: str) -> Path:
    return space.tracking_folder / space.settings.scale / f"{owner}.json"


def _write_marker(marker: Path, store: Store, run: TrackedRun, run_id: str | None) -> None:
    """Writes a marker, in place of an older one with its time: for Snakemake a replayed record changes nothing."""
    times: Any = os.stat(marker) if marker.is_file() else None
    write_json(marker, {"mlflow_run": run_id, "key": run.key, "tracking_uri": store.uri})
    if times is not None:
        os.utime(marker, ns=(times.st_atime_ns, times.st_mtime_ns))
