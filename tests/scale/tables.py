"""Collects, reads, compares and tabulates one study of a million tidy cells (rows of cells.csv):

    python -m tests.scale.tables --cells 1000000

Every step is the function that the workflow's job calls, on values in memory. Not in it, because they grow with files
and sentences and not with cells: reading score files, and the bootstrap behind an average's interval or a difference.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.catalog.workspace import open_workspace
from benchmarks.reporting.collect import checked_scores, write_frame
from benchmarks.reporting.compare import compare
from benchmarks.reporting.inputs import published_of
from benchmarks.reporting.summary import read_cells
from benchmarks.reporting.tables import build_table, write_table
from gliner_core.measure import peak_bytes
from tests.scale.measuring import MIB
from tests.scale.million import Study, differences_of, make_study
from tests.workflow.checkout import ROOT

SECONDS = 60.0  # for all steps of a study of a million cells


def seconds_by_step(study: Study, folder: Path) -> dict[str, float]:
    """Step -> processor seconds; the files stay in the folder."""
    seconds: dict[str, float] = {}

    def timed(step: str, work: Callable[..., Any], *arguments: Any) -> Any:
        start = time.process_time()
        found = work(*arguments)
        seconds[step] = time.process_time() - start
        return found

    cells, card, space = folder / "cells.csv", study.card, study.space
    frame = timed("join and check", checked_scores, space, study.rows, study.values, study.tracked)
    timed("write cells", write_frame, cells, frame)
    frame = timed("read cells", read_cells, cells)
    verdicts = timed("compare", compare, frame, card.references, space.settings.scale)
    titles, differences = space.dataset_titles(), differences_of(study)
    table = timed("build table", build_table, frame, card, published_of(card), titles, verdicts, differences)
    paths = [folder / f"table.{kind}" for kind in ("csv", "md", "tex")]
    timed("write table", lambda: write_table(table, *paths, caption=card.title))
    return seconds


def paper_study(num_cells: int) -> Study:
    """A study of so many tidy cells at the scale that gives verdicts."""
    config = {"scale": "paper", "device": "cpu", "studies": ["main_table"], "seeds": [1]}
    return make_study(open_workspace(ROOT, config), num_cells)


def main() -> int:
    """Prints the cost of each step; exit code 1 where all together miss the bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=1_000_000)
    study = paper_study(parser.parse_args().cells)
    before = peak_bytes()
    with tempfile.TemporaryDirectory(prefix="gliner-bench-scale-") as folder:
        found = seconds_by_step(study, Path(folder))
    for step, seconds in found.items():
        print(f"{step:<16}{seconds:7.1f} s")
    total = sum(found.values())
    print(f"{'all':<16}{total:7.1f} s of processor time for {study.num_cells} tidy cells", end="; ")
    print(f"peak {peak_bytes() / MIB:.0f} MiB, {before / MIB:.0f} of them the made-up values; bound {SECONDS:.0f} s")
    return 0 if total <= SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
