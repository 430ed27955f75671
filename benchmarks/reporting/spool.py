"""Records that wait for a tracking store that does not answer: one file each, in the order they came."""

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.reporting.records import TrackedRun
from gliner_core.errors import InputError
from gliner_core.files import atomic_write, is_without_locks, read_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Spool:
    """A folder of waiting records; `<time in ns>.<run or system>.json`, so that names sort by age."""

    folder: Path

    def put(self, run: TrackedRun) -> Path:
        """Keeps a record, complete or not at all; it takes the place of an older one of the same run."""
        older = [path for path in self.waiting() if _name(path) == run.name]
        path = self.folder / f"{time.time_ns():020d}.{run.name}.json"
        with atomic_write(path) as stream:
            stream.write(json.dumps(run.to_json(), ensure_ascii=False) + "\n")
        for old in older:
            old.unlink(missing_ok=True)
        return path

    def waiting(self) -> list[Path]:
        """Files of the waiting records, oldest first."""
        return sorted(path for path in self.folder.glob("*.json") if not path.name.startswith("."))

    def read(self, path: Path) -> TrackedRun | None:
        """One waiting record; None where a job on another machine, whose locks may not reach here, has replayed it."""
        try:
            return TrackedRun(**read_json(path))
        except TypeError:
            raise InputError(f"{path}: no record of a run; delete it, `collect` logs the run again") from None
        except InputError:
            if path.exists():
                raise
            return None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else replays meanwhile; the lock goes with its process, however that ends.

        Where the file system keeps no locks, two may replay at once: a record is logged once all the same.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / ".lock", "w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
            except OSError as error:
                if not is_without_locks(error):
                    raise
            yield


def _name(path: Path) -> str:
    return path.name.split(".", 1)[1].removesuffix(".json")
