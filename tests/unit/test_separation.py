"""Statistics of matching against other pairs: equal to scikit-learn's, to the pairs copied out, and to a loop."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.analyses import separation
from benchmarks.analyses.pair_scores import DISJOINT, KINDS, LEFT_OUT, MATCHING, OVERLAPPING, WRONG_TYPE, pair_kinds
from benchmarks.analyses.separation import AGAINST, EDGES, Pairs, estimates, histogram
from gliner_core.examples import Span

SENTENCES = 7


def make_pairs(seed: int, decimals: int, num: int = 400) -> Pairs:
    """Matching pairs score higher on the whole; few decimals make ties; one sentence has no matching pair."""
    draw = np.random.default_rng(seed)
    sentences = draw.integers(0, SENTENCES, num)
    kinds = draw.choice(4, num, p=[0.1, 0.2, 0.3, 0.4])
    kinds[(sentences == 2) & (kinds == MATCHING)] = DISJOINT
    logits = draw.normal(2.0 * (kinds == MATCHING) - 1.0 * (kinds == DISJOINT) - 1, 2.0)
    return Pairs(
        logits=np.round(logits, decimals).astype(np.float32), kinds=kinds.astype(np.int8), sentences=sentences,
        num_sentences=SENTENCES,
    )  # fmt: skip


def copied(pairs: Pairs, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits and kinds with every sentence repeated as often as a resample takes it."""
    taken = np.concatenate([
        np.repeat(np.flatnonzero(pairs.sentences == sentence), weight) for sentence, weight in enumerate(weights)
    ])  # fmt: skip
    return pairs.logits[taken], pairs.kinds[taken]


WEIGHTS = np.random.default_rng(5).multinomial(SENTENCES, np.full(SENTENCES, 1 / SENTENCES), 12)


@pytest.mark.parametrize("decimals", [0, 1, 6])
@pytest.mark.parametrize("seed", [1, 2])
def test_values_are_those_of_scikit_learn(seed: int, decimals: int) -> None:
    pairs = make_pairs(seed, decimals)
    found = estimates(pairs, WEIGHTS)
    for metric, kinds in AGAINST.items():
        kept = np.isin(pairs.kinds, (MATCHING, *kinds))
        expected = roc_auc_score(pairs.kinds[kept] == MATCHING, pairs.logits[kept])
        assert found[metric].value == pytest.approx(expected, abs=1e-12)
    expected = average_precision_score(pairs.kinds == MATCHING, pairs.logits)
    assert found["average_precision"].value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("decimals", [0, 6])
def test_a_resample_is_its_sentences_copied(decimals: int) -> None:
    pairs = make_pairs(3, decimals)
    found = estimates(pairs, WEIGHTS)
    for place, weights in enumerate(WEIGHTS):
        logits, kinds = copied(pairs, weights)
        truth = kinds == MATCHING
        assert found["auroc"].resampled[place] == pytest.approx(roc_auc_score(truth, logits), abs=1e-12)
        hard = truth | (kinds == WRONG_TYPE)
        assert found["auroc_wrong_type"].resampled[place] == pytest.approx(
            roc_auc_score(truth[hard], logits[hard]), abs=1e-12
        )
        assert found["average_precision"].resampled[place] == pytest.approx(
            average_precision_score(truth, logits), abs=1e-12
        )
        gap = np.median(logits[truth]) - np.median(logits[~truth])
        if decimals:  # among ties of whole logits a median of an even number may lie between two values
            assert found["median_gap"].resampled[place] == pytest.approx(gap, abs=0.4)
        bins = np.arange(-30, 31)
        shares = [np.histogram(logits[side], bins)[0] / side.sum() for side in (truth, ~truth)]
        assert found["overlap_coefficient"].resampled[place] == pytest.approx(np.minimum(*shares).sum(), abs=1e-12)


def test_the_median_gap_is_exact_for_the_sample_and_near_it_for_resamples() -> None:
    pairs = make_pairs(4, 6, num=20_000)
    truth = pairs.kinds == MATCHING
    gap = float(np.median(pairs.logits[truth]) - np.median(pairs.logits[~truth]))
    found = estimates(pairs, np.ones((2, SENTENCES), dtype=int))["median_gap"]
    assert found.value == pytest.approx(gap, abs=1e-6)
    assert found.resampled == pytest.approx([gap, gap], abs=separation.FINE)


def test_without_matching_pairs_nothing_is_estimated() -> None:
    pairs = make_pairs(1, 6)
    weights = np.zeros((1, SENTENCES), dtype=int)
    weights[0, 2] = SENTENCES  # the sentence without a matching pair
    for metric, found in estimates(pairs, weights).items():
        assert np.isfinite(found.value) and np.isnan(found.resampled).all(), metric
    none = Pairs(logits=pairs.logits, kinds=np.full_like(pairs.kinds, DISJOINT), sentences=pairs.sentences,
                 num_sentences=SENTENCES)  # fmt: skip
    assert all(np.isnan(found.value) for found in estimates(none, WEIGHTS).values())


def test_every_pair_stands_in_one_bin_also_beyond_the_ends() -> None:
    pairs = make_pairs(1, 6)
    far = pairs.logits.copy()
    far[:2], far[2:4] = -500, 500
    counts = histogram(Pairs(logits=far, kinds=pairs.kinds, sentences=pairs.sentences, num_sentences=SENTENCES))
    assert counts.shape == (SENTENCES, len(KINDS), len(EDGES) - 1) and counts.sum() == len(far)
    expected = np.histogram(np.clip(far, EDGES[0], EDGES[-1]), EDGES)[0]
    assert counts.sum(axis=(0, 1)).tolist() == expected.tolist()


def test_kinds_of_pairs_are_those_of_a_loop() -> None:
    labels = ["person", "city", "river"]
    gold = [Span(0, 1, "person"), Span(0, 1, "city"), Span(3, 3, "river"), Span(3, 5, "person")]
    gold += [Span(5, 6, "unasked"), Span(7, 8, "unasked"), Span(7, 8, "city")]
    start, width = (values.ravel() for values in np.indices((9, 4)))
    inside = start + width < 9
    start, end = start[inside], (start + width)[inside]
    found = pair_kinds(start, end, labels, gold)
    for row, (first, last) in enumerate(zip(start.tolist(), end.tolist(), strict=True)):
        words = set(range(first, last + 1))
        for column, label in enumerate(labels):
            if Span(first, last, label) in gold:
                expected = MATCHING
            elif Span(first, last, "unasked") in gold:
                expected = LEFT_OUT  # a label may be another word for the type that gold has
            elif any((span.start, span.end) == (first, last) for span in gold):
                expected = WRONG_TYPE
            elif any(words & set(range(span.start, span.end + 1)) for span in gold):
                expected = OVERLAPPING
            else:
                expected = DISJOINT
            assert found[row, column] == expected
