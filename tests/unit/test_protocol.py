"""Protocol cards and what they make of labels, gold spans and prediction files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.catalog.cards import DatasetCard, ProtocolCard
from benchmarks.scoring.asking import ask
from benchmarks.scoring.predictions import Candidates, Predictions
from benchmarks.scoring.protocol import (
    Mention,
    decoded_spans,
    decoding_of,
    gold_items,
    gold_spans,
    normalise,
    predicted_spans,
    scored_items,
    unresolved_gold,
    with_decoding,
)
from gliner_core.decode import select
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span

CARDS = Path(__file__).parents[2] / "benchmarks" / "protocols"
NAMES = sorted(path.stem for path in CARDS.glob("*.yaml"))


def protocol(name: str, **changes: Any) -> ProtocolCard:
    card = yaml.safe_load((CARDS / f"{name}.yaml").read_text(encoding="utf-8"))
    return ProtocolCard.model_validate(card | changes)


def music(**changes: Any) -> DatasetCard:
    """A small twin of CrossNER music with its label fault."""
    card = {
        "name": "music",
        "title": "Music",
        "domain": "music",
        "licence": "none",
        "generator": "demo",
        "labels": ["song", "TV show", "else", "organization"],
        "else_label": "else",
        "gold_repairs": {"organisation": "organization", "misc": "else"},
    }
    return DatasetCard.model_validate(card | changes)


def predictions(labels: tuple[str, ...], *rows: list[tuple[int, int, int, float]], floor: float = 0.05) -> Predictions:
    """A prediction file with one sentence of 9 words per list of (start, end, label, score)."""
    sentences = []
    for number, row in enumerate(rows):
        columns = np.array(row, dtype=float).reshape(-1, 4)
        start, end, label = (columns[:, place].astype(np.int64) for place in range(3))
        one = Candidates(
            id=str(number), num_words=9, lost_words=0, start=start, end=end, label=label, score=columns[:, 3]
        )
        sentences.append(one)
    return Predictions(dataset="music", labels=labels, floor=floor, decoding={}, sentences=tuple(sentences))


GOLD = Example(
    id="0",
    words=("A", "The", "Song", ".", "by", "the", "song", "label", "etc"),
    spans=(Span(1, 2, "song"), Span(5, 6, "song"), Span(7, 7, "organisation"), Span(8, 8, "misc"), Span(0, 0, "else")),
)


@pytest.mark.parametrize("name", NAMES)
def test_card_is_valid_and_carries_its_source(name: str) -> None:
    card = protocol(name)
    assert card.name == name
    assert card.title and card.notes


def test_the_documented_protocols_exist() -> None:
    expected = {"gliner-official", "gliner-fixed", "no-else", "uniner-string", "gliner-lower", "gliner-title"}
    assert expected <= set(NAMES)


def test_scoring_variants_share_one_prediction_file() -> None:
    official = decoding_of(protocol("gliner-official"))
    assert official == {"ask_else": True, "label_case": "as_is", "label_order": "card"}
    assert decoding_of(protocol("gliner-fixed")) == official
    assert decoding_of(protocol("no-else")) == decoding_of(protocol("uniner-string")) != official
    assert decoding_of(protocol("gliner-lower")) != official != decoding_of(protocol("gliner-title"))


@pytest.mark.parametrize(
    ("name", "changes", "asked"),
    [
        ("gliner-official", {}, ("song", "TV show", "else", "organization")),
        ("no-else", {}, ("song", "TV show", "organization")),
        ("gliner-lower", {}, ("song", "tv show", "else", "organization")),
        ("gliner-title", {}, ("Song", "TV Show", "Else", "Organization")),
        ("gliner-lower", {"label_order": "sorted"}, ("else", "organization", "song", "tv show")),
        ("no-else", {"label_order": "reversed"}, ("organization", "TV show", "song")),
    ],
)
def test_labels_asked(name: str, changes: dict[str, str], asked: tuple[str, ...]) -> None:
    assert ask(protocol(name, **changes), music()) == asked


def test_decoding_axes_change_what_is_asked_and_nothing_else() -> None:
    changed = with_decoding(protocol("gliner-fixed"), {"label_order": "reversed", "max_width": 6})
    assert ask(changed, music()) == ("organization", "else", "TV show", "song")
    assert changed == protocol("gliner-fixed", label_order="reversed")


def test_labels_that_meet_in_one_case_are_refused() -> None:
    with pytest.raises(InputError, match=r"benchmarks/datasets/music.yaml: `labels` 'Song' and 'song'"):
        ask(protocol("gliner-lower"), music(labels=["Song", "song", "else"]))


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("gliner-official", ["song", "song", "organisation", "misc", "else"]),
        ("gliner-fixed", ["song", "song", "organization", "else", "else"]),
        ("no-else", ["song", "song", "organization"]),
    ],
)
def test_gold_that_counts(name: str, types: list[str]) -> None:
    assert [span.type for span in gold_spans(protocol(name), music(), [GOLD])[0]] == types


def test_unrepaired_names_of_else_go_with_it() -> None:
    unrepaired = protocol("no-else", repair_gold=False)
    assert [span.type for span in gold_spans(unrepaired, music(), [GOLD])[0]] == ["song", "song", "organisation"]


def test_unresolved_gold_follows_the_protocol() -> None:
    listed = [["0", "organisation", 1, 2], ["0", "misc", None, None], ["0", "organisation", 1, 2]]
    types = {
        name: sorted(item.type for item in unresolved_gold(protocol(name), music(), [GOLD], listed)[0])
        for name in ("gliner-official", "gliner-fixed", "no-else")
    }
    assert types == {
        "gliner-official": ["misc", "organisation", "organisation"],
        "gliner-fixed": ["else", "organization", "organization"],
        "no-else": ["organization", "organization"],
    }


def test_unresolved_gold_of_another_file_is_refused() -> None:
    with pytest.raises(InputError, match=r"sentence 'x', which music lacks; prepare it again"):
        unresolved_gold(protocol("gliner-official"), music(), [GOLD], [["x", "song", 0, 1]])


def test_answers_come_back_under_the_labels_of_the_card() -> None:
    card, title = music(), protocol("gliner-title", label_order="reversed")
    found = predicted_spans(title, card, predictions(ask(title, card), [(0, 0, 2, 0.9), (3, 4, 0, 0.8)]))
    assert found == [(Span(0, 0, "TV show"), Span(3, 4, "organization"))]


def test_an_asked_but_unscored_else_competes_and_is_then_dropped() -> None:
    card, silent = music(), protocol("gliner-official", score_else=False)
    found = predicted_spans(silent, card, predictions(ask(silent, card), [(0, 1, 2, 0.9), (1, 2, 0, 0.8)]))
    assert found == [()]


def test_the_threshold_is_strict_in_float32() -> None:
    card, at = music(), protocol("gliner-official", threshold=0.3)
    equal, next_up = np.float32(0.3), np.nextafter(np.float32(0.3), np.float32(1))
    rows = [(0, 0, 0, float(f"{equal:.9g}")), (2, 2, 0, float(f"{next_up:.9g}"))]
    assert predicted_spans(at, card, predictions(ask(at, card), rows)) == [(Span(2, 2, "song"),)]


scores = st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.6, 0.9])
candidate = st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 3), scores)
files = st.lists(st.lists(candidate, max_size=8, unique_by=lambda row: row[:3]), min_size=1, max_size=3)


@given(files, st.sampled_from(["flat", "nested", "multi_label"]), st.sampled_from([0.05, 0.3, 0.5, 0.7]))
def test_one_decoding_answers_every_threshold(drawn: list, overlap: str, threshold: float) -> None:
    rows = [[(start, start + width, label, score) for start, width, label, score in row] for row in drawn]
    card, at = music(), protocol("gliner-official", overlap=overlap, threshold=threshold)
    answered = predictions(ask(at, card), *rows)
    for found, item in zip(predicted_spans(at, card, answered), answered.sentences, strict=True):
        kept = item.score > threshold
        start, end, label, score = (array[kept] for array in (item.start, item.end, item.label, item.score))
        chosen = select(start, end, label, score, overlap)
        assert set(found) == {Span(int(start[i]), int(end[i]), card.labels[label[i]]) for i in chosen}


def test_other_labels_than_asked_are_refused() -> None:
    with pytest.raises(InputError, match=r"predictions of music answer .* protocol no-else asks music for"):
        decoded_spans(protocol("no-else"), music(), predictions(music().labels, []))


def test_a_threshold_below_the_floor_is_refused() -> None:
    low = protocol("gliner-official", threshold=0.01)
    with pytest.raises(InputError, match=r"gliner-official.yaml: `threshold` 0.01 lies below the floor 0.05"):
        decoded_spans(low, music(), predictions(music().labels, []))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("The  Song", "song"),
        ("A.I. and an Ode", "ai and ode"),
        ("theatre", "theatre"),
        ("Rock-n-Roll!", "rocknroll"),
        ("...", ""),
    ],
)
def test_normal_form_of_strings(text: str, form: str) -> None:
    assert normalise(text) == form


def test_strings_merge_mentions_of_a_type_and_keep_the_best_score() -> None:
    strings, card = protocol("uniner-string"), music()
    gold = gold_items(strings, [GOLD], gold_spans(strings, card, [GOLD]))
    assert gold == [frozenset({Mention("song", "song"), Mention("label", "organization")})]
    rows = [(1, 2, 0, 0.4), (6, 6, 0, 0.7), (7, 7, 0, 0.6)]
    decoded = decoded_spans(strings, card, predictions(ask(strings, card), rows))
    items = scored_items(strings, [GOLD], decoded)
    assert items == [{Mention("song", "song"): pytest.approx(0.7), Mention("label", "song"): pytest.approx(0.6)}]
