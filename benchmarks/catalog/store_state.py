"""Is the tracking store still there? Answered for SQLite files in milliseconds, without MLflow.

Snakemake sees markers, not the store. A store that is gone or damaged while its markers lie there would stay lost.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.catalog.workspace import Workspace
from gliner_core.errors import InputError
from gliner_core.files import read_json

SQLITE = "sqlite:///"
EXPERIMENTS = "select name from experiments"
PREFIX = "gliner-bench"


def experiment_name(scale: str) -> str:
    """One experiment per scale, so that a demo number never stands beside a paper number."""
    return f"{PREFIX}/{scale}"


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite store; None for any other store."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def lost_store(space: Workspace) -> str | None:
    """Why the store that this scale was logged to must be made again; None if it is there or cannot be asked."""
    path = sqlite_file(space.tracking_uri)
    if path is None or not _marker(space).is_file():
        return None
    return store_fault(path, experiment_name(space.settings.scale))


def store_generation(space: Workspace) -> int:
    """How often this scale's store was made again; a job parameter, so that one more makes everything logged again."""
    if not _marker(space).is_file():
        return 0
    marker = read_json(_marker(space))
    if not isinstance(marker, dict):
        raise InputError(f"{_marker(space)}: not a store marker; delete it and give the same command again")
    return marker.get("generation", 0)


def _marker(space: Workspace) -> Path:
    return space.tracking_folder / space.settings.scale / "store.json"


def store_fault(path: Path, experiment: str | None = None) -> str | None:
    """What is wrong with an SQLite store in a few words: gone, damaged, or without the experiment; None if nothing."""
    if not path.is_file():
        return f"{path} is missing"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as store:
            return next(_faults(store, path, experiment), None)
    except sqlite3.OperationalError:  # locked by another process, or not readable: somebody is there
        return None
    except sqlite3.DatabaseError as error:
        return f"{path} is damaged ({error})"


def _faults(store: sqlite3.Connection, path: Path, experiment: str | None) -> Iterator[str]:
    (found,) = store.execute("pragma quick_check(1)").fetchone()
    if found != "ok":
        yield f"{path} is damaged ({' '.join(found.split())})"
    tables = {name for (name,) in store.execute("select name from sqlite_master where type = 'table'")}
    if not {"experiments", "runs", "latest_metrics", "alembic_version"} <= tables:
        yield f"{path} lacks tables"
    elif experiment is not None and (experiment,) not in store.execute(EXPERIMENTS).fetchall():
        yield f"{path} holds no experiment {experiment}"
