"""Permutation tests over languages: groups dealt out in other ways, lengths paired with other scores.

Where there are at most `MOST` assignments all are taken, else so many are drawn at random, from a fixed seed, and the
observed one counts as one more. Beside its p-value each test gives the least p-value that the same numbers could have
had in any order: with few languages that is too large for any verdict, whatever the models do.
"""

from itertools import combinations, permutations
from math import comb, factorial

import numpy as np
import pandas as pd

from gliner_core.seeding import derive_seed

MOST = 20_000  # assignments: a p-value of 0.05 is then known to 0.003 (two standard errors)
_TIE = 1e-9  # sums of the same numbers in another order


def dealt_out(values: np.ndarray, members: np.ndarray) -> dict[str, float]:
    """Test over languages of the difference in means, members minus others, of `values` [D]; `members` [D] is a mask.

    `num_splits` ways to choose as many members; `p_languages` is the share of them with at least this difference in
    absolute value, the observed one included; `least_p` the share with the largest of all.
    """
    num, size = len(values), int(members.sum())
    if comb(num, size) <= MOST:
        chosen = np.array(list(combinations(range(num), size)))
    else:
        draw = np.random.default_rng(derive_seed(0, "languages", "dealt out"))
        drawn = np.array([draw.permutation(num)[:size] for _ in range(MOST)])
        chosen = np.concatenate([drawn, np.flatnonzero(members)[None]])
    sums = values[chosen].sum(axis=1)
    differences = sums / size - (values.sum() - sums) / (num - size)
    return _shares(differences, values[members].mean() - values[~members].mean())


def shuffled(first: np.ndarray, second: np.ndarray) -> dict[str, float]:
    """Test of Spearman's rank correlation of [D] with [D], neither of them constant; the same fields."""
    one, other = (pd.Series(side).rank().to_numpy() for side in (first, second))
    one, other = one - one.mean(), other - other.mean()
    num = len(one)
    if factorial(num) <= MOST:
        orders = np.array(list(permutations(range(num))))
    else:
        draw = np.random.default_rng(derive_seed(0, "languages", "shuffled"))
        drawn = np.array([draw.permutation(num) for _ in range(MOST)])
        orders = np.concatenate([drawn, np.arange(num)[None]])
    return _shares(other[orders] @ one, float(other @ one))


def _shares(found: np.ndarray, observed: float) -> dict[str, float]:
    """Shares of all assignments [N] as far out as the observed one, and as the one that is farthest out."""
    sizes = np.abs(found)
    shares = [float((sizes >= bound - _TIE).mean()) for bound in (abs(observed), sizes.max())]
    return {"num_splits": len(found), "p_languages": shares[0], "least_p": shares[1]}
