"""Runs the first half of an analysis: results of a study -> tidy rows, `studies/<study>/<analysis>/rows.csv`."""

from importlib import import_module
from pathlib import Path

from benchmarks.catalog.analyses import ANALYSES
from benchmarks.catalog.workspace import Workspace
from gliner_core.files import atomic_write


def gather_rows(space: Workspace, study: str, analysis: str, out: Path) -> None:
    """Writes the tidy rows of one analysis of a study."""
    frame = import_module(ANALYSES[analysis].rows).gather(space, study)
    with atomic_write(out) as stream:
        frame.to_csv(stream, index=False, lineterminator="\n")
