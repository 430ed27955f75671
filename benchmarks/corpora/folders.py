"""Whole-folder writes: a prepared folder appears complete or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gliner_core.errors import InputError
from gliner_core.files import PARTIAL, disk_full, is_disk_full


@contextmanager
def atomic_folder(out: Path) -> Iterator[Path]:
    """Gives a temporary sibling of `out` to fill, and puts it in the place of `out` only if the block succeeds."""
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.", suffix=PARTIAL))
    try:
        fresh, old = work / "new", work / "old"
        fresh.mkdir()
        yield fresh
        _swap(fresh, out, old)
    except Exception as error:
        if is_disk_full(error):
            raise InputError(disk_full(out)) from error
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _swap(fresh: Path, out: Path, old: Path) -> None:
    """Puts `fresh` in the place of `out`, which moves to `old`, or comes back where that fails."""
    if out.exists():
        out.rename(old)
    try:
        fresh.rename(out)
    except BaseException:
        if old.exists():
            old.rename(out)
        raise
