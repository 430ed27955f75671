"""What a model is asked again: every score in one order, and roundings where nothing else may move."""

from pathlib import Path

import numpy as np
import pytest
from tiny_model import LABELS, TEXTS, make_backbone, tiny_network

from benchmarks.analyses import invariance_page, invariance_rows
from benchmarks.analyses.invariance_asking import CONDITIONS, Question, in_batches, other_end
from gliner_core.predict import SpanScores, candidate_spans


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> Question:
    network = tiny_network(make_backbone(tmp_path_factory.mktemp("encoder")))
    neighbour = ["visited", "the", "river"] * 8
    return Question(network=network, texts=[*TEXTS, []], labels=tuple(LABELS), neighbour=neighbour)


def _cells(found: SpanScores) -> list[tuple[int, int, int]]:
    return list(zip(found.start.tolist(), found.end.tolist(), found.label.tolist(), strict=True))


def test_every_span_and_label_is_scored_in_one_order(question: Question) -> None:
    width = question.network.spec.max_width
    for words, found in zip(question.texts, in_batches(8)(question), strict=True):
        spans = [(s, e) for s in range(len(words)) for e in range(s, min(s + width, len(words)))]
        assert _cells(found) == [(s, e, label) for s, e in spans for label in range(3)]


@pytest.mark.parametrize("name", [name for name, condition in CONDITIONS.items() if condition.is_exact])
def test_company_in_the_batch_moves_roundings_only(name: str, question: Question) -> None:
    usual, other = in_batches(8)(question), CONDITIONS[name].ask(question)
    for one, two in zip(usual, other, strict=True):
        assert _cells(one) == _cells(two)
        assert np.abs(one.score - two.score).max(initial=0) <= invariance_rows.BOUND


def test_padding_is_padding(question: Question) -> None:
    lengths = question.network.prompts.lengths([question.texts[2], question.neighbour], [LABELS, LABELS])
    assert lengths[1] > lengths[0] + 20  # the short text is filled up by so many sub-tokens


def test_halved_labels_are_two_prompts_put_together(question: Question) -> None:
    found = CONDITIONS["labels_halved"].ask(question)
    parts = [candidate_spans(question.network, question.texts, own, floor=-1) for own in (LABELS[:2], LABELS[2:])]
    for usual, both, first, second in zip(in_batches(8)(question), found, *parts, strict=True):
        assert _cells(both) == _cells(usual)
        assert both.score[both.label < 2].tolist() == pytest.approx(first.score.tolist(), abs=1e-6)
        assert both.score[both.label == 2].tolist() == pytest.approx(second.score.tolist(), abs=1e-6)
    moved = [np.abs(a.score - b.score).max(initial=0) for a, b in zip(found, in_batches(8)(question), strict=True)]
    assert max(moved) > 1e-3  # the labels of a prompt see each other


def test_the_last_word_is_taken_off_or_put_on() -> None:
    assert other_end(["a", "."]) == ["a"] and other_end(["a"]) == ["a", "."] and other_end(["."]) == [".", "."]


def test_scores_are_compared_on_the_words_that_both_hold(question: Question) -> None:
    usual, dotted = in_batches(8)(question)[2], CONDITIONS["full_stop"].ask(question)[2]  # "clara" and "clara ."
    differences = invariance_rows._differences(usual, dotted)
    assert len(differences) == 3
    assert differences.tolist() == pytest.approx(np.abs(usual.score - dotted.score[:3]).tolist())


def test_the_bound_is_the_one_that_the_page_names() -> None:
    assert invariance_page.BOUND == invariance_rows.BOUND
    assert Path(invariance_rows.__file__).with_name("invariance_page.py").is_file()
