"""What the rule of `scoring/judging.py` says of the gain from pretraining: at every size, and of its change.

`differences.csv` holds every variant of a scaling study against one of its points; the question is with against
without pretraining on the same data. So each size is tested here, in the same way and from the same draws: a pair that
stands in both files has the same intervals and the same p-value. Holm's family is the sizes.

The change of the gain is a difference of differences. Exchanging answers between the two starts would assume that
there is no gain at all, so its p-value is that of the paired bootstrap's standard error (normal approximation).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.analyses.resampling import normal_p_value
from benchmarks.analyses.scaling_points import Points
from benchmarks.reporting.paired import exchange_seed, judged
from benchmarks.reporting.sides import resampled_difference, resampled_f1
from benchmarks.scoring.judging import Evidence, evidence_of
from benchmarks.scoring.statistics import LEVEL, Comparison, approximate_randomisation, holm


def judge_gaps(
    first: Sequence[Points], second: Sequence[Points], suite: str, resamples: int
) -> Iterator[dict[str, Any]]:
    """Row fields of first minus second at each size, in points of the suite's mean F1, with the rule's verdict."""
    pairs = [(list(one.counts.values()), list(other.counts.values())) for one, other in zip(first, second, strict=True)]
    p_values = [approximate_randomisation(*pair, exchange_seed(suite)) for pair in pairs]
    drawn = [resampled_f1(suite, [point.counts for point in points], resamples) for points in (first, second)]
    differences = [resampled_difference(*sides) for sides in zip(*drawn, strict=True)]
    for pair, difference, p_value, p_adjusted in zip(pairs, differences, p_values, holm(p_values), strict=True):
        evidence = evidence_of(*pair, difference, num_seeds=len(pair[0][0]))
        yield _spread(evidence) | judged(evidence, p_value, p_adjusted, len(pairs))


def judge_change(values: np.ndarray, resampled: np.ndarray) -> dict[str, Any]:
    """The same fields of a change in points: of every seed [R], and in every resample of the sentences [B]."""
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) / 100
    over_sentences = Comparison(
        difference=float(values.mean()) / 100,
        low=float(low),
        high=float(high),
        standard_error=float(resampled.std(ddof=1)) / 100,
        level=LEVEL,
    )
    evidence = Evidence(over_sentences=over_sentences, seed_differences=tuple((values / 100).tolist()))
    p_value = normal_p_value(float(values.mean()), resampled)
    return _spread(evidence) | judged(evidence, p_value, p_value, 1)


def _spread(evidence: Evidence) -> dict[str, Any]:
    found, seeds = evidence.over_sentences, evidence.over_seeds
    return {
        "num_seeds": len(evidence.seed_differences), "value": 100 * found.difference, "low": 100 * found.low,
        "high": 100 * found.high, "seed_low": 100 * seeds.low if seeds else None,
        "seed_high": 100 * seeds.high if seeds else None, "seed_min": 100 * min(evidence.seed_differences),
        "seed_max": 100 * max(evidence.seed_differences),
    }  # fmt: skip
