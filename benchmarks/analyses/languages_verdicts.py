"""Which contrasts between groups of languages are shown, and which correlations: one family of tests each.

With few languages a permutation test has a least p-value that no result can fall below. A test that could not be shown
even if every test of its family came out at its least p-value is left out of the family, so that it costs the others
no power (Tarone 1990, A modified Bonferroni method for discrete data). That choice knows the numbers of languages and
no result: the least p-value is the same for every order of the same scores.
"""

from collections.abc import Sequence
from typing import Any

from benchmarks.reporting.missing import is_missing
from benchmarks.scoring.judging import ALPHA, agreed
from benchmarks.scoring.statistics import holm

TOO_FEW = "too few languages for a test"
BOUNDS = (("low", "high"), ("seed_low", "seed_high"))


def judge(rows: Sequence[dict[str, Any]]) -> None:
    """Adds `num_compared`, `p_adjusted` and `verdict` to the contrasts and correlations among the rows.

    Of contrasts that are equally hard to show, gains come first: a gain is taken on the same texts, while the F1 of two
    groups also differs by how hard their texts are.
    """
    kinds = {
        kind: [row for row in rows if row["kind"] == kind] for kind in ("gain contrast", "contrast", "correlation")
    }
    _judge_family([*kinds["gain contrast"], *kinds["contrast"]])
    _judge_family([row for row in kinds["correlation"] if row["value"] is not None])


def can_be_shown(least: Sequence[float]) -> list[int]:
    """Places of the tests that can be shown beside each other, given their least p-values; of equals the last goes."""
    kept = sorted(range(len(least)), key=least.__getitem__)  # stable
    while kept and max(holm([least[place] for place in kept])) >= ALPHA:
        kept.pop()
    return sorted(kept)


def _judge_family(rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        row["verdict"] = TOO_FEW
    tested = [rows[place] for place in can_be_shown([row["least_p"] for row in rows])]
    for row, p_adjusted in zip(tested, holm([row["p_languages"] for row in tested]), strict=True):
        row |= {
            "num_compared": len(tested),
            "p_adjusted": p_adjusted,
            "verdict": agreed(_bounds(row), p_adjusted),
        }


def _bounds(row: dict[str, Any]) -> list[tuple[float, float]]:
    """Intervals that must leave out zero; a correlation is judged by its test and its sign alone."""
    if row["kind"] == "correlation":
        return [(row["value"], row["value"])]
    return [(row[low], row[high]) for low, high in BOUNDS if not is_missing(row[low])]
