"""What a study may be asked beyond its table: name of an analysis -> its module and what it reads.

A table of names, so that planning needs neither torch nor pandas. The module `rows` offers `gather(space, study)`,
which returns a tidy frame; the module `page` offers `present(rows, card, space)`, which turns that frame into a `Page`
(benchmarks/analyses/page.py). They are two, so that an edit of a figure gathers nothing again.
"""

from dataclasses import dataclass
from typing import Literal

Reads = Literal["scores", "cells", "costs", "models", "mixture", "data"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisEntry:
    """`reads` decides which results must exist before; `alone` holds all cores, for what is timed."""

    title: str
    rows: str
    page: str
    reads: tuple[Reads, ...]
    alone: bool = False


ANALYSES: dict[str, AnalysisEntry] = {
    "sensitivity": AnalysisEntry(
        title="what moves with the way of asking",
        rows="benchmarks.analyses.sensitivity_rows",
        page="benchmarks.analyses.sensitivity_page",
        reads=("scores", "data"),
    ),
    "calibration": AnalysisEntry(
        title="reliability of the scores and choice of the threshold",
        rows="benchmarks.analyses.calibration_rows",
        page="benchmarks.analyses.calibration_page",
        reads=("scores", "data"),
    ),
    "invariance": AnalysisEntry(
        title="batch, padding, company of the labels, full stop",
        rows="benchmarks.analyses.invariance_rows",
        page="benchmarks.analyses.invariance_page",
        reads=("models", "data"),
    ),
}
