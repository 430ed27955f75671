"""Decoding, counting and statistics: symmetries, and twins that compute the same from the definition."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2

from benchmarks.scoring.counts import rate, sentence_counts, total
from benchmarks.scoring.protocol import above, gold_items, scored_items
from benchmarks.scoring.statistics import approximate_randomisation, bootstrap_interval, holm, paired_bootstrap
from gliner_core.decode import select
from gliner_core.examples import Example, Span
from gliner_core.predict import best_spans, candidate_spans
from tests.faults.profiles import drawn
from tests.tiny_model import tiny_network

OVERLAPS = ("flat", "flat_multi_label", "nested", "multi_label")
LABELS = ("person", "big city", "river")

spans = st.builds(
    lambda start, width, kind: Span(start, start + width, kind),
    st.integers(0, 5), st.integers(0, 2), st.sampled_from(LABELS),
)  # fmt: skip
scored = st.dictionaries(spans, st.sampled_from([0.2, 0.5, 0.50000006, 0.7, 0.9]), max_size=12)


def _decoded(scores: dict[Span, float], order: Sequence[Span], overlap: str) -> set[Span]:
    columns = [np.array([value(span) for span in order]) for value in (lambda s: s.start, lambda s: s.end)]
    label = np.array([LABELS.index(span.type) for span in order], dtype=np.int64)
    score = np.array([scores[span] for span in order], dtype=np.float32)
    chosen = select(*(column.astype(np.int64) for column in columns), label, score, overlap)
    return {order[index] for index in chosen}


def _twin(scores: dict[Span, float], overlap: str) -> set[Span]:
    """Greedy selection word by word: a candidate is taken if the set of words of each taken one allows it."""
    ranked = sorted(scores, key=lambda s: (-float(np.float32(scores[s])), s.start, s.end, LABELS.index(s.type)))
    taken: list[Span] = []
    for span in ranked:
        mine = set(range(span.start, span.end + 1))
        theirs = [set(range(other.start, other.end + 1)) for other in taken]
        if overlap.startswith("flat"):
            free = [not mine & other for other in theirs]
        else:
            free = [mine != other and (not mine & other or mine < other or other < mine) for other in theirs]
        if overlap.endswith("multi_label"):
            free = [ok or mine == other for ok, other in zip(free, theirs, strict=True)]
        if all(free):
            taken.append(span)
    return set(taken)


@drawn(200)
@given(scored, st.sampled_from(OVERLAPS), st.randoms(use_true_random=False))
def test_decoding_equals_its_twin_in_any_order(scores: dict[Span, float], overlap: str, random: object) -> None:
    order = list(scores)
    random.shuffle(order)
    assert _decoded(scores, order, overlap) == _twin(scores, overlap)


@pytest.fixture(scope="module")
def network(backbone: object) -> object:
    return tiny_network(backbone)


vocabulary = st.sampled_from(["anna", "visited", "paris", "the", "river", "in", "oslo", "from", "rome-x", "."])
texts = st.lists(st.lists(vocabulary, min_size=1, max_size=9), min_size=1, max_size=5)


@drawn(15)
@given(texts, st.integers(1, 5), st.sampled_from(OVERLAPS), st.randoms(use_true_random=False))
def test_entities_depend_on_neither_batch_nor_padding_nor_order(
    network: object, sentences: list[list[str]], batch_size: int, overlap: str, random: object
) -> None:
    def answers(asked: list[list[str]], size: int) -> list[list[tuple[int, int, int, float]]]:
        with torch.no_grad():
            found = candidate_spans(network, asked, list(LABELS), floor=0.05, batch_size=size)
        best = [best_spans(item, 0.3, overlap) for item in found]
        return [
            list(zip(*(getattr(b, k).tolist() for k in ("start", "end", "label", "score")), strict=True)) for b in best
        ]

    alone = [answers([sentence], 1)[0] for sentence in sentences]
    # A score within rounding of the threshold, or of a rival, may fall on either side.
    with torch.no_grad():
        raw = candidate_spans(network, sentences, list(LABELS), floor=0.05, batch_size=1)
    assume(all(abs(score - 0.3) > 1e-4 for item in raw for score in item.score.tolist()))
    assume(all(min(np.diff(np.sort(item.score.tolist())), default=1) > 1e-5 for item in raw))
    places = list(range(len(sentences)))
    random.shuffle(places)
    long = ["visited"] * 20  # everything else in its batch is padded to it
    together = answers([*(sentences[place] for place in places), long], batch_size)
    for place, found in zip(places, together, strict=False):
        assert [entity[:3] for entity in found] == [entity[:3] for entity in alone[place]]
        assert np.allclose([e[3] for e in found], [e[3] for e in alone[place]], atol=1e-5)


sets = st.lists(st.tuples(st.frozensets(spans, max_size=5), st.frozensets(spans, max_size=5)), min_size=1, max_size=6)


def _brute(pairs: list[tuple[frozenset[Span], frozenset[Span]]]) -> tuple[int, int, int]:
    hits = sum(any(answer == truth for truth in gold) for gold, predicted in pairs for answer in predicted)
    return hits, sum(1 for _, predicted in pairs for _ in predicted), sum(1 for gold, _ in pairs for _ in gold)


@drawn(150)
@given(sets)
def test_counts_equal_brute_force_in_any_order(pairs: list[tuple[frozenset[Span], frozenset[Span]]]) -> None:
    hits, predicted, gold = _brute(pairs)
    for order in (pairs, pairs[::-1]):
        counts = total(sentence_counts([g for g, _ in order], [p for _, p in order]))
        assert (counts.true_positive, counts.predicted, counts.gold) == (hits, predicted, gold)
    swapped = total(sentence_counts([p for _, p in pairs], [g for g, _ in pairs]))
    assert (swapped.precision, swapped.recall, swapped.f1) == (counts.recall, counts.precision, counts.f1)
    assert counts.f1 == pytest.approx(2 * hits / (predicted + gold) if predicted + gold else 0.0)


@drawn(60)
@given(st.lists(st.tuples(scored, scored), min_size=1, max_size=4))
def test_flat_scores_equal_seqeval(pairs: list[tuple[dict[Span, float], dict[Span, float]]]) -> None:
    chosen = [(_twin(gold, "flat"), _twin(found, "flat")) for gold, found in pairs]
    assume(any(gold for gold, _ in chosen) and any(found for _, found in chosen))
    tags = [[_bio(side) for side in pair] for pair in chosen]
    truth, answer = [pair[0] for pair in tags], [pair[1] for pair in tags]
    expected = precision_recall_fscore_support(truth, answer, average="micro", scheme=IOB2, zero_division=0)[:3]
    counts = total(sentence_counts([gold for gold, _ in chosen], [found for _, found in chosen]))
    assert (counts.precision, counts.recall, counts.f1) == pytest.approx(expected)


def _bio(found: set[Span]) -> list[str]:
    tags = ["O"] * 9
    for span in found:
        kind = span.type.replace(" ", "_")
        tags[span.start : span.end + 1] = [f"B-{kind}"] + [f"I-{kind}"] * (span.width - 1)
    return tags


@drawn(80)
@given(scored, st.sampled_from(["span", "string"]), st.sampled_from([0.2, 0.5, 0.7]))
def test_units_and_thresholds_by_definition(scores: dict[Span, float], unit: str, threshold: float) -> None:
    from benchmarks.catalog.cards import ProtocolCard

    protocol = ProtocolCard(name="p", title="P", ask_else=True, score_else=True, unit=unit, threshold=threshold)
    example = Example(id="a", words=("The", "Anna", "anna", ".", "rome", "a", "Rome!", "b"), spans=tuple(scores))
    scores = {span: float(np.float32(score)) for span, score in scores.items()}  # as a prediction file holds them
    items = above(scored_items(protocol, [example], [scores])[0], threshold)
    kept = {span for span, score in scores.items() if np.float32(score) > np.float32(threshold)}
    assert set(items) == gold_items(protocol, [example], [tuple(kept)])[0]


rows = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)).map(lambda t: (t[0], t[0] + t[1], t[0] + t[2])),
    min_size=2, max_size=12,
)  # fmt: skip
two = rows.flatmap(
    lambda one: st.tuples(st.just(one), st.lists(st.sampled_from(one), min_size=len(one), max_size=len(one)))
)


@drawn(60)
@given(two, st.integers(0, 1000))
def test_swapping_the_sides_negates_the_difference(pair: tuple[list, list], seed: int) -> None:
    one, other = [np.array(pair[0])], [np.array(pair[1])]
    there, back = paired_bootstrap(one, other, seed, 200), paired_bootstrap(other, one, seed, 200)
    assert there.difference == pytest.approx(-back.difference, abs=1e-12)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-12)
    assert there.standard_error == pytest.approx(back.standard_error)
    p_there = approximate_randomisation(one, other, seed, 400)
    assert 1 / 401 <= p_there <= 1
    assert p_there == pytest.approx(approximate_randomisation(other, one, seed, 400))


@drawn(30)
@given(rows, st.integers(0, 1000))
def test_equal_answers_do_not_differ(drawn_rows: list, seed: int) -> None:
    same = [np.array(drawn_rows)]
    comparison = paired_bootstrap(same, same, seed, 200)
    assert (comparison.difference, comparison.low, comparison.high) == (0, 0, 0)
    assert approximate_randomisation(same, same, seed, 400) == 1


@drawn(40)
@given(rows, st.integers(0, 1000))
def test_an_interval_lies_between_the_extremes_and_repeats_with_its_seed(drawn_rows: list, seed: int) -> None:
    counts = np.array(drawn_rows)
    interval = bootstrap_interval(counts, seed, 200)
    assert 0 <= interval.low <= interval.high <= 1
    assert interval == bootstrap_interval(counts, seed, 200)
    assert interval.value == pytest.approx(float(rate(counts.sum(axis=0))))
    constant = np.repeat(counts[:1], len(counts), axis=0)
    fixed = bootstrap_interval(constant, seed, 200)
    assert fixed.low == pytest.approx(fixed.high) == pytest.approx(fixed.value)


@drawn(60)
@given(st.lists(st.floats(0.0001, 1), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_holm_goes_with_its_p_value(p_values: list[float], random: object) -> None:
    adjusted = holm(p_values)
    assert all(p <= a <= min(1.0, p * len(p_values) + 1e-12) or math.isclose(a, max(adjusted)) or p <= a <= 1
               for p, a in zip(p_values, adjusted, strict=True))  # fmt: skip
    order = list(range(len(p_values)))
    random.shuffle(order)
    assert holm([p_values[place] for place in order]) == pytest.approx([adjusted[place] for place in order])
