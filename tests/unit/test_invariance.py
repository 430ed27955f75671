"""What a model is asked again: every score in one order, and roundings where nothing else may move."""

from pathlib import Path

import numpy as np
import pytest
from tiny_model import LABELS, TEXTS, make_backbone, tiny_network

from benchmarks.analyses import invariance_page, invariance_rows
from benchmarks.analyses.answered import Gold
from benchmarks.analyses.invariance_asking import CONDITIONS, Question, Texts, in_batches, other_end
from benchmarks.catalog.registry import load_registry
from gliner_core.examples import Span
from gliner_core.predict import SpanScores, candidate_spans
from gliner_core.prompt import EncodedBatch


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


def test_the_neighbour_stands_in_the_batch(question: Question, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch that is encoded is longer than the text alone would be, by what the neighbour needs."""
    prompts = question.network.prompts
    encode, widths = prompts.encode, []

    def encoded(_: object, texts: Texts, labels: Texts) -> EncodedBatch:
        batch = encode(texts, labels)
        widths.append(batch.input_ids.shape[1])
        return batch

    alone = [encode([words], [question.labels]).input_ids.shape[1] for words in question.texts]
    longest = encode([question.neighbour], [question.labels]).input_ids.shape[1]
    monkeypatch.setattr(type(prompts), "encode", encoded)
    CONDITIONS["padding"].ask(question)
    assert widths == [longest] * len(alone)
    assert longest > max(alone)


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


GOLD = Span(0, 0, "person")


def _scores(*found: float) -> SpanScores:
    """One word with two labels; the first is gold's."""
    return SpanScores(
        start=np.zeros(2, dtype=int), end=np.zeros(2, dtype=int), label=np.arange(2), score=np.array(found),
        lost_words=0,
    )  # fmt: skip


def test_the_change_is_after_minus_before() -> None:
    """Three of four sentences right before, one of four after, by hand: F1 75 and 25."""
    registry = load_registry(Path(__file__).resolve().parents[2])
    card = registry.datasets["demo_ml_en"].model_copy(update={"labels": ("person", "city"), "else_label": None})
    protocol = registry.protocols["gliner-official"]
    data = Gold(card=card, examples=(), items=())
    right, wrong = _scores(0.9, 0.1), _scores(0.1, 0.9)
    usual, other = [right, right, right, wrong], [wrong, right, wrong, wrong]
    truth = [frozenset({GOLD})] * 4
    compared = invariance_rows._compared(usual, other, truth, protocol, data)
    assert compared.usual_counts.tolist() == [[1, 1, 1]] * 3 + [[0, 1, 1]]
    assert compared.counts.tolist() == [[0, 1, 1], [1, 1, 1], [0, 1, 1], [0, 1, 1]]
    assert (compared.changed, compared.either) == (4, 6)
    rows = list(invariance_rows._rows("padding", CONDITIONS["padding"], ["x"], [compared], 100))
    for row in rows:
        assert row["difference_points"] == pytest.approx(-50)
        assert row["low"] <= -50 <= row["high"] <= 0
