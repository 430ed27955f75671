"""When a difference between two variants counts as shown: the one rule, in words and as a function.

Tables, figures, sentences and `differences.csv` take their verdicts from here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.scoring.counts import suite_rate
from benchmarks.scoring.power import visible_difference
from benchmarks.scoring.statistics import LEVEL, Comparison, Interval, comparison, seed_interval

HIGHER, LOWER, NOT_SHOWN = "higher", "lower", "no difference shown"
ONE_SEED = "for these trained models only, one seed"
NO_SEED = "for these trained models only, a system has no seeds"
ALPHA = round(1 - LEVEL, 9)
RULE = (
    "Every other variant and every system of a study is held against one variant, its baseline: under the same "
    "protocol, on the same sentences, seed by seed.",
    f"A suite average is called higher or lower only where all of this holds: approximate randomisation, which "
    f"exchanges the two answers to a sentence at random, gives a p-value below {ALPHA:g} after Holm's correction; the "
    f"95 % interval of the paired bootstrap over sentences leaves out zero; and, with two or more seeds, so does "
    f"Student's 95 % interval over the differences of equal seeds. Otherwise no difference is shown.",
    "Holm's correction covers all averages that a study compares under one protocol. It guards against the luck of the "
    "sentences; the interval over seeds is not corrected, so among many variants that differ by the luck of their "
    "seeds alone, about one in twenty may still pass.",
    "With one seed, and for systems, which have none, a verdict holds for these trained models only: another training "
    "may turn it.",
    "Differences on single datasets are described by their intervals and not tested.",
    "Where nothing is shown, tables say from which size on a true difference would have been found 4 times in 5, that "
    "is, would have met the conditions over sentences, at the strictest level of Holm's correction, and over seeds at "
    "once. The luck of sentences and that of seeds are taken as normal, independent and as large as they were here.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one difference, in 0..1: its interval over sentences, and the difference of every seed."""

    over_sentences: Comparison
    seed_differences: tuple[float, ...]  # empty for a system, which has no seeds

    @property
    def over_seeds(self) -> Interval | None:
        """Student's interval; None where fewer than two seeds leave nothing to compute it from."""
        return seed_interval(self.seed_differences) if len(self.seed_differences) > 1 else None


def evidence_of(
    first: Sequence[np.ndarray], second: Sequence[np.ndarray], resampled: np.ndarray, num_seeds: int
) -> Evidence:
    """First minus second from counts [R, S, 3] of each dataset; the first `num_seeds` of both are equal seeds.

    `resampled` [B] is their difference in every resample of the sentences.
    """
    by_seed = [
        suite_rate([part[place] for part in first]) - suite_rate([part[place] for part in second])
        for place in range(num_seeds)
    ]
    over_sentences = comparison(suite_rate(first) - suite_rate(second), resampled)
    return Evidence(over_sentences=over_sentences, seed_differences=tuple(by_seed))


def verdict(evidence: Evidence, p_adjusted: float) -> str:
    """`higher`, `lower` or `no difference shown`: the second paragraph of `RULE`."""
    intervals = [evidence.over_sentences, *([evidence.over_seeds] if evidence.over_seeds else [])]
    return agreed([(interval.low, interval.high) for interval in intervals], p_adjusted)


def agreed(bounds: Iterable[tuple[float, float]], p_adjusted: float) -> str:
    """The verdict that a p-value and all intervals (low, high) allow."""
    ends = list(bounds)
    if p_adjusted < ALPHA and all(low > 0 for low, _ in ends):
        return HIGHER
    if p_adjusted < ALPHA and all(high < 0 for _, high in ends):
        return LOWER
    return NOT_SHOWN


def reach(num_seeds: int) -> str:
    """What a verdict does not cover, in words; nothing where seeds were compared."""
    return {0: NO_SEED, 1: ONE_SEED}.get(num_seeds, "")


def smallest_visible(evidence: Evidence, num_compared: int) -> float:
    """Smallest true difference (0..1) that would have got a verdict 4 times in 5.

    Over sentences at level 1 - alpha / m for m comparisons: what Holm asks of the smallest p-value.
    """
    level = 1 - ALPHA / num_compared
    return visible_difference(evidence.over_sentences.standard_error, evidence.seed_differences, level)
