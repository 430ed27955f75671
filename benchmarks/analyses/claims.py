"""Differences that a page claims and differences.csv does not hold, judged by the rule of scoring/judging.py.

All claims of one page are one family of Holm's correction; what a page prints beside them is described and not tested.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.scoring.counts import Metric
from benchmarks.scoring.judging import Evidence, reach, smallest_visible, verdict
from benchmarks.scoring.statistics import LEVEL, Comparison, approximate_randomisation, holm
from gliner_core.seeding import derive_seed

JUDGED = ("p_value", "p_holm", "num_compared", "visible_points", "verdict", "reach")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One difference, first minus second: its row, and what it is made of.

    `row` has the value and interval in percent points, and takes the outcome. `first` and `second` hold counts
    [N, S, 3] of every dataset for N seeds; `values` [N] and `resampled` [R] are the difference in percent points.
    """

    row: dict[str, Any]
    first: Sequence[np.ndarray]
    second: Sequence[np.ndarray]
    metric: Metric
    values: np.ndarray
    resampled: np.ndarray


def judge(claims: Sequence[Claim], *purpose: str) -> None:
    """Writes the fields `JUDGED` into the rows of all claims of a page; `purpose` seeds the exchanges."""
    seed = derive_seed(0, "exchanged", *purpose)  # one seed: all claims see the same exchanges of the same sentences
    p_values = [approximate_randomisation(one.first, one.second, seed, metric=one.metric) for one in claims]
    for claim, p_value, p_holm in zip(claims, p_values, holm(p_values), strict=True):
        evidence = _evidence(claim)
        visible = 100 * smallest_visible(evidence, len(claims))
        found = (p_value, p_holm, len(claims), visible, verdict(evidence, p_holm), reach(len(claim.values)))
        claim.row.update(zip(JUDGED, found, strict=True))


def _evidence(claim: Claim) -> Evidence:
    over_sentences = Comparison(
        difference=claim.row["value"] / 100, low=claim.row["low"] / 100, high=claim.row["high"] / 100,
        standard_error=float(claim.resampled.std(ddof=1)) / 100, level=LEVEL,
    )  # fmt: skip
    return Evidence(over_sentences=over_sentences, seed_differences=tuple((claim.values / 100).tolist()))
