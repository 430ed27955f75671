"""Adapters of peer packages without the packages: dispatch, the documented answer of gliner2, and missing things."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from benchmarks.catalog.adapters import ADAPTERS
from benchmarks.catalog.cards import SystemCard
from benchmarks.catalog.decoding import Decoding
from benchmarks.peers import gliner2_answering, package_answering
from benchmarks.peers.answering import Found, span_scores, words_of
from benchmarks.peers.gliner2_answering import Gliner2Peer, split_at_spaces
from benchmarks.scoring import answer
from benchmarks.scoring.answer import answer_cell, max_width_of, open_answerer
from benchmarks.scoring.predictions import read_predictions
from gliner_core.errors import InputError

LABELS = ["person", "city"]


class Documented:
    """Answers in the form of the README of gliner2 2.1.0, `include_confidence` and `include_spans` on."""

    config = SimpleNamespace(max_width=8)

    def batch_extract_entities(self, texts: list[str], types: list[str], **options: Any) -> Iterator[dict[str, Any]]:
        assert options["overlap_policy"] == "allow" and options["include_spans"] and options["include_confidence"]
        assert types == LABELS
        self.texts = texts
        for text in texts:
            spans: list[dict[str, Any]] = [
                {"text": part, "confidence": score, "start": f"{text}.".index(part)}
                for part, score in (("anna", 0.9), ("anna left", 0.4), ("oslo", options["threshold"]), ("oslo.", 0.8))
                if part in f"{text}."  # the package ends a text with a full stop
            ]
            spans = [span | {"end": span["start"] + len(span["text"])} for span in spans]
            yield {"entities": {"person": spans[:2], "city": spans[2:]}}


def test_documented_answers_become_candidates() -> None:
    model = Documented()
    found = Gliner2Peer(model).candidates(
        [["so", "anna", "left", "oslo"], [], ["x y"]], LABELS, floor=0.05, batch_size=2
    )
    assert model.texts == ["so anna left oslo", "x_y"]
    assert [(f.start.tolist(), f.end.tolist(), f.label.tolist()) for f in found] == [
        ([1, 1], [1, 2], [0, 0]), ([], [], []), ([], [], []),
    ]  # fmt: skip
    assert found[0].score.tolist() == pytest.approx([0.9, 0.4])  # oslo stands at the floor, not above it


def test_an_answer_that_cuts_a_word_is_refused() -> None:
    with pytest.raises(InputError, match="'anna', which does not begin and end with words"):
        Gliner2Peer(Documented()).candidates([["hanna"]], LABELS, floor=0.05, batch_size=1)


def test_its_splitter_gives_back_the_words() -> None:
    assert list(split_at_spaces("Rome-X  \u00c5s .")) == [("rome-x", 0, 6), ("\u00e5s", 8, 10), (".", 11, 12)]
    assert next(iter(split_at_spaces("Rome", lower=False)))[0] == "Rome"


def test_words_of_a_character_range() -> None:
    bounds = [(0, 2), (3, 7), (8, 9)]
    assert words_of(bounds, 3, 9) == (1, 2)
    assert words_of(bounds, 3, 8) is None and words_of(bounds, 1, 7) is None and words_of(bounds, 8, 2) is None


def test_candidates_are_in_order() -> None:
    found = span_scores([Found(2, 3, 0, 0.5), Found(1, 4, 1, 0.6), Found(1, 4, 0, 0.7)], 3)
    assert (found.start.tolist(), found.label.tolist(), found.lost_words) == ([1, 1, 2], [0, 1, 0], 3)


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    rows = [{"id": "a", "words": ["so", "anna", "left"], "spans": []}]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_a_system_is_asked_through_its_adapter(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("stub_adapter")
    asked: list[Any] = []
    module.open_peer = lambda *given: asked.append(given) or Gliner2Peer(Documented())
    monkeypatch.setitem(sys.modules, "stub_adapter", module)
    monkeypatch.setitem(answer.ADAPTERS, "gliner2", "stub_adapter")
    card = SimpleNamespace(name="toy", labels=LABELS, else_label=None)
    answerer = open_answerer(SystemCard(name="g", title="g", kind="gliner2", hub="a/b", revision="r"), "cpu")
    assert asked == [("a/b", "r", "cpu")]
    cost = answer_cell(answerer, card, toy / "test.jsonl", Decoding(), toy / "out.jsonl")  # type: ignore[arg-type]
    assert cost["max_width"] == max_width_of(answerer, Decoding()) == 8
    assert json.loads((toy / "out.jsonl").read_text().split("\n")[0])["selection"] == "all_candidates"
    (sentence,) = read_predictions(toy / "out.jsonl").sentences
    assert (sentence.start.tolist(), sentence.end.tolist()) == ([1, 1], [1, 2])


@pytest.mark.parametrize("module", [package_answering, gliner2_answering])
def test_a_missing_package_is_one_sentence(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.peers.answering.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs the package gliner2?, which is not installed"):
        module.open_peer("a/b", None, "cpu")


@pytest.mark.parametrize("module", [package_answering, gliner2_answering])
def test_a_missing_folder_is_one_sentence(module: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("benchmarks.peers.answering.find_spec", lambda name: True)
    with pytest.raises(InputError, match="no such folder"):
        module.open_peer(tmp_path / "none", None, "cpu")


@pytest.mark.parametrize("kind", sorted(ADAPTERS))
def test_a_peer_needs_a_place(kind: str) -> None:
    with pytest.raises(ValidationError, match="needs either `hub` and `revision` or `folder`"):
        SystemCard(name="x", title="x", kind=kind)  # type: ignore[arg-type]
