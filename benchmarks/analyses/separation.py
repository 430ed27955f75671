"""How far scores of matching pairs stand from those of other pairs, with intervals over sentences.

The pairs of one sentence depend on each other, so sentences are resampled, not pairs. Every statistic is computed
exactly from the pairs and, for a resample that takes sentence s w_s times, exactly from the pairs so weighted:

- AUROC: the share of (matching, other) couples, across all sentences, in which the matching pair has the higher score,
  ties half. With U[s, t] = couples won by matching pairs of s over others of t (Mann and Whitney's U in parts) it is
  w' U w / ((w' p) (w' n)), where p and n are the numbers of pairs.
- Average precision: the mean over matching pairs of the precision at their score, ties counted as found.
- Overlap coefficient: the sum over bins of one logit of the smaller of both shares; 1 = the same distribution.
- Median gap: difference of the medians; for resamples read from bins of 0.05 logits.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.analyses.pair_scores import DISJOINT, KINDS, MATCHING, OVERLAPPING, WRONG_TYPE

AUROC = "auroc"
AGAINST = {  # metric -> kinds that are not matching
    AUROC: (WRONG_TYPE, OVERLAPPING, DISJOINT),
    "auroc_wrong_type": (WRONG_TYPE,),
    "auroc_overlapping": (OVERLAPPING,),
    "auroc_disjoint": (DISJOINT,),
}
FARTHEST, FINE, FINE_IN_ONE = 30.0, 0.05, 20  # bins of 0.05 logits from -30 to 30; 20 of them are a bin of one logit
EDGES = np.linspace(-FARTHEST, FARTHEST, round(2 * FARTHEST / FINE) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """All pairs of some sentences: logits [N], places in `KINDS` [N], sentence numbers [N] below `num_sentences`."""

    logits: np.ndarray
    kinds: np.ndarray
    sentences: np.ndarray
    num_sentences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A statistic of one dataset and its values [R] in the resamples; NaN where a side has no pair."""

    value: float
    resampled: np.ndarray


def histogram(pairs: Pairs) -> np.ndarray:
    """Number of pairs by sentence, kind and bin between `EDGES`, [S, kinds, bins]; what lies beyond is at the ends."""
    bins = len(EDGES) - 1
    inside = np.clip(np.floor((pairs.logits.astype(float) + FARTHEST) * FINE_IN_ONE), 0, bins - 1).astype(int)
    flat = np.ravel_multi_index((pairs.sentences, pairs.kinds, inside), (pairs.num_sentences, len(KINDS), bins))
    counts = np.bincount(flat, minlength=pairs.num_sentences * len(KINDS) * bins)
    return counts.reshape(pairs.num_sentences, len(KINDS), bins)


def estimates(pairs: Pairs, weights: np.ndarray) -> dict[str, Estimate]:
    """All statistics of one dataset; `weights` [R, S] say how often a resample takes a sentence."""
    all_weights = np.vstack([np.ones(pairs.num_sentences), weights])  # the first row is the sample itself
    counts = histogram(pairs)
    found = {name: _auroc(pairs, kinds, all_weights) for name, kinds in AGAINST.items()}
    found["average_precision"] = _average_precision(pairs, all_weights)
    found["overlap_coefficient"] = _overlap(counts, all_weights)
    found["median_gap"] = _median_gap(pairs, counts, all_weights)
    return {name: Estimate(value=float(values[0]), resampled=values[1:]) for name, values in found.items()}


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where whole is zero."""
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole != 0)


def _not_below(values: np.ndarray, pairs: Pairs, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each value [P] and sentence: how many chosen pairs score at least as much, how many score more; [P, S]."""
    at_least, above = (np.zeros((len(values), pairs.num_sentences)) for _ in range(2))
    for sentence in range(pairs.num_sentences):
        mine = np.sort(pairs.logits[chosen & (pairs.sentences == sentence)])
        at_least[:, sentence] = len(mine) - np.searchsorted(mine, values, side="left")
        above[:, sentence] = len(mine) - np.searchsorted(mine, values, side="right")
    return at_least, above


def _auroc(pairs: Pairs, kinds: tuple[int, ...], weights: np.ndarray) -> np.ndarray:
    matching, others = pairs.kinds == MATCHING, np.isin(pairs.kinds, kinds)
    at_least, above = _not_below(pairs.logits[matching], pairs, others)
    positives = np.bincount(pairs.sentences[matching], minlength=pairs.num_sentences)  # [S]
    negatives = np.bincount(pairs.sentences[others], minlength=pairs.num_sentences)
    won = np.zeros((pairs.num_sentences, pairs.num_sentences))
    np.add.at(won, pairs.sentences[matching], negatives - (at_least + above) / 2)
    return _ratio(((weights @ won) * weights).sum(axis=1), (weights @ positives) * (weights @ negatives))


def _average_precision(pairs: Pairs, weights: np.ndarray) -> np.ndarray:
    matching = pairs.kinds == MATCHING
    values, of_value = pairs.logits[matching], weights[:, pairs.sentences[matching]]  # [P], [R, P]
    right = weights @ _not_below(values, pairs, matching)[0].T  # [R, P]
    wrong = weights @ _not_below(values, pairs, ~matching)[0].T
    precision = np.divide(right, right + wrong, out=np.zeros_like(right), where=right > 0)
    return _ratio((of_value * precision).sum(axis=1), of_value.sum(axis=1))


def _shares(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Shares [R, bins] of counts [S, bins]."""
    sums = weights @ counts
    return _ratio(sums, sums.sum(axis=1, keepdims=True))


def _overlap(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    wide = counts.reshape(*counts.shape[:2], -1, FINE_IN_ONE).sum(axis=-1)
    matching, others = _shares(wide[:, MATCHING], weights), _shares(wide[:, WRONG_TYPE:].sum(axis=1), weights)
    return np.minimum(matching, others).sum(axis=1)


def _median_gap(pairs: Pairs, counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    matching = pairs.kinds == MATCHING
    gaps = _medians(counts[:, MATCHING], weights) - _medians(counts[:, WRONG_TYPE:].sum(axis=1), weights)
    if matching.any() and not matching.all():
        gaps[0] = np.median(pairs.logits[matching]) - np.median(pairs.logits[~matching])
    return gaps


def _medians(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Middle of the bin in which half of the weighted pairs are reached, [R]; NaN without pairs."""
    reached = np.cumsum(_shares(counts, weights), axis=1)
    medians = (EDGES[:-1] + FINE / 2)[np.argmax(reached >= 0.5, axis=1)]
    return np.where(np.isnan(reached[:, -1]), np.nan, medians)
