"""Counting equals seqeval's strict IOB2 scores on flat data, and the plain definitions at the edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2

from benchmarks.scoring.counts import Counts, rate, sentence_counts, suite_rate, total

Spans = set[tuple[int, int, str]]


def _tags(choices: list[tuple[str, bool]]) -> list[str]:
    """Valid IOB2 from (type or O, continue?) pairs."""
    tags: list[str] = []
    for kind, goes_on in choices:
        continues = goes_on and bool(tags) and tags[-1][2:] == kind
        tags.append("O" if kind == "O" else f"{'I' if continues else 'B'}-{kind}")
    return tags


def _spans(tags: list[str]) -> Spans:
    found: list[tuple[int, int, str]] = []
    for position, tag in enumerate(tags):
        if tag.startswith("B-"):
            found.append((position, position, tag[2:]))
        elif tag.startswith("I-"):
            found[-1] = (found[-1][0], position, found[-1][2])
    return set(found)


words = st.tuples(st.sampled_from(["O", "person", "place"]), st.booleans())
sentences = st.lists(st.lists(st.tuples(words, words), min_size=1, max_size=9), min_size=1, max_size=5)


@given(sentences)
def test_micro_scores_equal_seqeval_strict(drawn: list) -> None:
    gold = [_tags([pair[0] for pair in sentence]) for sentence in drawn]
    predicted = [_tags([pair[1] for pair in sentence]) for sentence in drawn]
    counts = total(sentence_counts([_spans(tags) for tags in gold], [_spans(tags) for tags in predicted]))
    precision, recall, f1, support = precision_recall_fscore_support(
        gold, predicted, average="micro", scheme=IOB2, zero_division=0
    )
    assert (counts.precision, counts.recall, counts.f1) == pytest.approx((precision, recall, f1))
    assert counts.gold == support


def test_boundaries_and_type_must_both_be_exact() -> None:
    rows = sentence_counts([{(0, 1, "a"), (3, 3, "b")}], [{(0, 1, "b"), (3, 4, "b"), (0, 1, "a")}])
    assert rows.tolist() == [[1, 3, 2]]


def test_repeated_items_count_once_inside_a_sentence_only() -> None:
    rows = sentence_counts([["x", "x"], ["x"]], [["x", "x", "x"], ["x"]])
    assert rows.tolist() == [[1, 1, 1], [1, 1, 1]]


def test_different_numbers_of_sentences_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        sentence_counts([{"x"}, {"y"}], [{"x"}])


@pytest.mark.parametrize("row", [(0, 0, 0), (0, 3, 0), (0, 0, 3), (0, 2, 2)])
def test_zero_divisions_are_zero(row: tuple[int, int, int]) -> None:
    counts = Counts(true_positive=row[0], predicted=row[1], gold=row[2])
    assert (counts.precision, counts.recall, counts.f1) == (0.0, 0.0, 0.0)


def test_rates_of_many_sums_at_once() -> None:
    sums = np.array([[[1, 2, 4], [0, 0, 0]], [[3, 3, 3], [2, 4, 2]]])
    assert rate(sums, "precision").tolist() == [[0.5, 0.0], [1.0, 0.5]]
    assert rate(sums, "recall").tolist() == [[0.25, 0.0], [1.0, 1.0]]
    assert rate(sums).ravel().tolist() == pytest.approx([1 / 3, 0.0, 1.0, 2 / 3])


def test_a_suite_is_the_unweighted_mean_of_micro_values() -> None:
    small = np.array([[1, 1, 1]])
    large = np.array([[1, 10, 10]] * 100)
    assert suite_rate([small, large]) == pytest.approx((1.0 + 0.1) / 2)
