"""Collects, reads, compares and tabulates one study of a million tidy cells (rows of cells.csv):

    python -m tests.scale.tables --cells 1000000

Every step is the function that the workflow's job calls, on values in memory; the intervals of averages resample 1,000
sentences of each of thirty data sets. Printed beside the sum: what it costs to read the score files behind the cells,
and to hold every variant against the first (a job of its own, `pair`), both measured on some and multiplied.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.catalog.workspace import open_workspace
from benchmarks.reporting.averages import add_intervals
from benchmarks.reporting.collect import checked_scores, write_frame
from benchmarks.reporting.compare import compare
from benchmarks.reporting.inputs import published_of
from benchmarks.reporting.paired import compared
from benchmarks.reporting.summary import read_cells
from benchmarks.reporting.tables import build_table, write_table
from benchmarks.scoring.scores import read_score
from gliner_core.files import write_json
from gliner_core.measure import peak_bytes
from tests.scale.measuring import MIB
from tests.scale.million import (
    DATASETS,
    SEEDS,
    Study,
    answered_batches,
    differences_of,
    make_sides,
    make_study,
    score_file,
)
from tests.workflow.checkout import ROOT

SECONDS = 60.0  # for all steps of a study of a million cells
COMPARED, FILES = 5, 200  # variants and score files of the costs beside the sum


def seconds_by_step(study: Study, folder: Path) -> dict[str, float]:
    """Step -> processor seconds; the files stay in the folder."""
    seconds: dict[str, float] = {}

    def timed(step: str, work: Callable[..., Any], *arguments: Any) -> Any:
        start = time.process_time()
        found = work(*arguments)
        seconds[step] = seconds.get(step, 0.0) + time.process_time() - start
        return found

    cells, card, space = folder / "cells.csv", study.card, study.space
    for batch in answered_batches(study):
        timed("intervals", add_intervals, study.rows[0].suite, batch, space.settings.resamples)
    frame = timed("join and check", checked_scores, space, study.rows, study.values, study.tracked)
    timed("write cells", write_frame, cells, frame)
    frame = timed("read cells", read_cells, cells)
    verdicts = timed("compare", compare, frame, card.references, space.settings.scale)
    titles, differences = space.dataset_titles(), differences_of(study)
    table = timed("build table", build_table, frame, card, published_of(card), titles, verdicts, differences)
    paths = [folder / f"table.{kind}" for kind in ("csv", "md", "tex")]
    timed("write table", lambda: write_table(table, *paths, caption=card.title))
    return seconds


def seconds_apart(study: Study, folder: Path) -> tuple[float, float]:
    """Processor seconds of reading one score file, and of holding one variant against another; means over several."""
    for number in range(FILES):
        write_json(folder / f"{number}.json", score_file(number))
    start = time.process_time()
    for number in range(FILES):
        read_score(folder / f"{number}.json")
    read = (time.process_time() - start) / FILES
    start = time.process_time()
    (base,) = make_sides(study, 1)
    for side in make_sides(study, COMPARED):
        compared(side, base)
    return read, (time.process_time() - start) / COMPARED


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
        read, paired = seconds_apart(study, Path(folder))
    for step, seconds in found.items():
        print(f"{step:<16}{seconds:7.1f} s")
    total = sum(found.values())
    print(f"{'all':<16}{total:7.1f} s of processor time for {study.num_cells} tidy cells", end="; ")
    print(f"peak {peak_bytes() / MIB:.0f} MiB, {before / MIB:.0f} of them the made-up values; bound {SECONDS:.0f} s")
    files, others = len(study.rows) * DATASETS, len(study.rows) // SEEDS - 1
    print(f"beside it: {files} score files at {1000 * read:.2f} ms, {files * read:.0f} s", end="; ")
    print(f"{others} paired variants at {paired:.2f} s, {others * paired:.0f} s")
    return 0 if total <= SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
