"""What a study may be asked beyond its table: name of an analysis -> its module and what it reads.

A table of names, so that planning needs neither torch nor pandas. The module `rows` offers `gather(space, study)`,
which returns a tidy frame; the module `page` offers `present(rows, card, space)`, which turns that frame into a `Page`
(benchmarks/analyses/page.py). They are two, so that an edit of a figure gathers nothing again.
"""

from dataclasses import dataclass
from typing import Literal

Reads = Literal["scores", "cells", "differences", "costs", "models", "mixture", "data"]


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
        reads=("scores", "differences", "data"),
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
    "languages": AnalysisEntry(
        title="languages by script, in the backbone's pretraining or not",
        rows="benchmarks.analyses.languages_rows",
        page="benchmarks.analyses.languages_page",
        reads=("scores", "models", "data"),
    ),
    "score_distributions": AnalysisEntry(
        title="scores of matching and of other span-type pairs",
        rows="benchmarks.analyses.score_distributions_rows",
        page="benchmarks.analyses.score_distributions_page",
        reads=("models", "data"),
    ),
    "similarity_map": AnalysisEntry(
        title="scores of one sentence, span by type",
        rows="benchmarks.analyses.similarity_map_rows",
        page="benchmarks.analyses.similarity_map_page",
        reads=("models", "scores", "data"),
    ),
    "training_bias": AnalysisEntry(
        title="what the training data prefer",
        rows="benchmarks.analyses.training_bias_rows",
        page="benchmarks.analyses.training_bias_page",
        reads=("mixture",),
    ),
    "bias_effect": AnalysisEntry(
        title="what is found of what training has seen",
        rows="benchmarks.analyses.bias_effect_rows",
        page="benchmarks.analyses.bias_effect_page",
        reads=("scores", "mixture", "data"),
    ),
    "overlap": AnalysisEntry(
        title="reach by construction, flat and nested decoding",
        rows="benchmarks.analyses.overlap_rows",
        page="benchmarks.analyses.overlap_page",
        reads=("scores", "mixture", "data"),
    ),
    "width": AnalysisEntry(
        title="K against quality, speed, latency and memory",
        rows="benchmarks.analyses.width_rows",
        page="benchmarks.analyses.width_page",
        reads=("cells", "differences", "models", "mixture", "data"),
        alone=True,
    ),
    "pareto": AnalysisEntry(
        title="F1 against speed, and the Pareto front",
        rows="benchmarks.analyses.pareto_rows",
        page="benchmarks.analyses.pareto_page",
        reads=("cells", "differences", "models", "data"),
        alone=True,
    ),
    "scaling": AnalysisEntry(
        title="F1 against labelled examples, and what pretraining adds",
        rows="benchmarks.analyses.scaling_rows",
        page="benchmarks.analyses.scaling_page",
        reads=("scores", "mixture"),
    ),
}
