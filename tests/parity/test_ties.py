"""Equal and saturated scores: which of several equally likely spans is taken is the published package's choice."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from official import (
    OVERLAPS,
    SHAPES,
    TEXTS,
    as_rows,
    labels_of,
    make_official,
    our_scores,
    their_answer,
    their_entities,
    write_backbones,
)

from gliner_core import GLiNER
from gliner_core.predict import SpanScores, best_spans, candidate_spans

pytestmark = pytest.mark.skipif(
    find_spec("gliner") is None, reason="the published package is not installed; pip install 'gliner-bench[peers]'"
)


def _equal_types(model: Any) -> None:
    last = model.prompt_rep_layer[3]
    last.weight.zero_()
    last.bias.normal_()


def _equal_spans(model: Any) -> None:
    head = model.span_rep_layer.span_rep_layer.out_project
    last = head if isinstance(head, torch.nn.Linear) else head[3]
    last.weight.zero_()
    last.bias.normal_()


def _all_equal(model: Any) -> None:
    _equal_types(model)
    _equal_spans(model)
    model.prompt_rep_layer[3].bias.copy_(model.span_rep_layer.span_rep_layer.out_project[-1].bias)


def _one_half(model: Any) -> None:
    """Every probability is exactly 0.5, which does not exceed a threshold of 0.5."""
    for weight in model.prompt_rep_layer[3].parameters():
        weight.zero_()


def _saturated(model: Any) -> None:
    """Scores of about -90 to 90: above 17 an fp32 probability is exactly 1."""
    for weight in model.prompt_rep_layer[3].parameters():
        weight *= 15


CHANGES: dict[str, tuple[str, Callable[[Any], None]]] = {
    "equal types": ("deberta, sentence pieces", _equal_types),
    "equal spans": ("deberta, sentence pieces", _equal_spans),
    "all equal": ("deberta, sentence pieces", _all_equal),
    "one half": ("deberta, sentence pieces", _one_half),
    "saturated": ("deberta, sentence pieces", _saturated),
    "equal types, marker": ("bert, projected, marker, 10 types", _equal_types),
    "equal spans, marker": ("bert, projected, marker, 10 types", _equal_spans),
    "saturated, marker": ("bert, projected, marker, 10 types", _saturated),
}
WORDS = [text for text in TEXTS if text]


Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tied:
    """Our and the package's model with many equal scores, our candidates of each text, and the package's answers."""

    labels: list[str]
    found: list[SpanScores]
    theirs: Any
    answer_to_ours: list[Any]  # per text, to the scores that our candidates have
    answer: Any  # to its own scores

    def ours(self, threshold: float, overlap: Any) -> list[Rows]:
        """Our entities of each text."""
        return [as_rows(best_spans(candidates, threshold, overlap), self.labels) for candidates in self.found]


@pytest.fixture(scope="module", params=CHANGES)
def tied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tied:
    shape, change = SHAPES[CHANGES[request.param][0]], CHANGES[request.param][1]
    theirs = make_official(shape, write_backbones(tmp_path_factory.mktemp("backbones")))
    torch.manual_seed(1)
    with torch.no_grad():
        change(theirs.model)
    folder = tmp_path_factory.mktemp("checkpoint")
    theirs.save_pretrained(str(folder), safe_serialization=True)
    ours, labels = GLiNER.from_pretrained(folder, device="cpu"), labels_of(shape)
    scores = [our_scores(ours, [text], labels)[1] for text in WORDS]
    return Tied(
        labels=labels,
        found=[candidate_spans(ours.network, [text], labels, floor=0.0)[0] for text in WORDS],
        theirs=theirs,
        answer_to_ours=[their_answer(theirs, [text], labels, own) for text, own in zip(WORDS, scores, strict=True)],
        answer=their_answer(theirs, WORDS, labels),
    )


@pytest.mark.parametrize("overlap", OVERLAPS)
@pytest.mark.parametrize("threshold", [0.001, 0.5, 0.99])
def test_the_same_spans_win(tied: Tied, threshold: float, overlap: Any) -> None:
    """The package decodes the very scores that we decode."""
    reference = [their_entities(tied.theirs, answer, threshold, overlap)[0] for answer in tied.answer_to_ours]
    assert tied.ours(threshold, overlap) == reference


@pytest.mark.parametrize("tied", ["equal spans", "all equal", "saturated", "saturated, marker"], indirect=True)
@pytest.mark.parametrize("overlap", OVERLAPS)
def test_the_same_spans_win_by_the_packages_own_scores(tied: Tied, overlap: Any) -> None:
    """Equal types are left out: in a matrix product the rounding of a column may depend on its place."""
    reference = their_entities(tied.theirs, tied.answer, 0.5, overlap)
    assert tied.ours(0.5, overlap) == reference and any(reference)


def test_many_scores_are_equal(tied: Tied) -> None:
    scores = tied.found[2].score
    assert len(set(scores.tolist())) < 0.7 * len(scores)
