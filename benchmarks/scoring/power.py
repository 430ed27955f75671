"""From which true difference on a verdict would be given 4 times in 5: both conditions of the rule at once.

The condition over sentences and the one over seeds look at the same observed difference. It scatters around the true
one by the luck of the sentences and by the luck of the seeds, taken as normal and independent of each other and as
large as they were here. A size that passes either condition alone 4 times in 5 passes both less often: 2 times in 3
where they are equally hard.
"""

from collections.abc import Sequence
from math import hypot, sqrt
from statistics import NormalDist

import numpy as np

from benchmarks.scoring.statistics import LEVEL, minimum_detectable_difference, t_quantile, visible_over_seeds

POWER = 0.8
_STEPS = 40  # halvings: the result is known to a millionth of a millionth of its bracket


def visible_difference(sentence_error: float, seed_differences: Sequence[float], level: float) -> float:
    """The true difference, in the unit given, that passes both conditions with probability `POWER`.

    `sentence_error` is the standard error over sentences and `level` the confidence asked of them. With fewer than two
    seed differences there is no condition over seeds, and the luck of seeds is no part of what a verdict speaks of.
    """
    over_sentences = minimum_detectable_difference(sentence_error, POWER, level)
    if len(seed_differences) < 2:
        return over_sentences
    over_seeds = visible_over_seeds(seed_differences, POWER)
    low, high = max(over_sentences, over_seeds), over_sentences + over_seeds  # too small, and more than enough
    seed_error = float(np.std(seed_differences, ddof=1)) / sqrt(len(seed_differences))
    for _ in range(_STEPS if low < high else 0):
        middle = (low + high) / 2
        share = joint_power(middle, sentence_error, seed_error, level, len(seed_differences) - 1)
        low, high = (middle, high) if share < POWER else (low, middle)
    return low


def joint_power(true: float, sentence_error: float, seed_error: float, level: float, degrees: int) -> float:
    """How often both conditions find a true difference > 0; at least one of the two errors is above zero.

    Given W = sqrt(chi2 / degrees), by which the seeds' own spread is off, both are bounds on the observed difference;
    the larger decides. W is integrated over a grid.
    """
    spread = np.linspace(0, 1 + 8 / sqrt(degrees), 2001)[1:]
    weight = spread ** (degrees - 1) * np.exp(-degrees / 2 * (spread**2 - 1))
    normal = NormalDist()
    over_seeds = t_quantile((1 + LEVEL) / 2, degrees) * seed_error * spread
    bounds = np.maximum(normal.inv_cdf((1 + level) / 2) * sentence_error, over_seeds)
    scatter = hypot(sentence_error, seed_error)
    beyond = [normal.cdf((true - bound) / scatter) for bound in bounds.tolist()]
    return float(np.dot(weight, beyond) / weight.sum())
