"""Windows of long texts: every span is whole in one of them, and the stitching rule gives it one score."""

from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_model import LABELS, MAX_TOKENS, tiny_network

from gliner_core import GLiNER
from gliner_core.errors import InputError
from gliner_core.predict import SpanScores, candidate_spans
from gliner_core.windows import best_window, window_ranges

WORDS = ["anna", "visited", "paris", "rome-x", "and", "\x01", "saw", "the", "river", "qxz", "left", "oslo", "."]
LONG = [WORDS[(7 * number + number // 5) % len(WORDS)] for number in range(150)]
sizes = st.lists(st.integers(0, 6), min_size=1, max_size=60)
# (max_words, room, overlap) that let every window get past the overlap, whatever the words' sizes.
limits = st.tuples(st.integers(1, 12), st.integers(0, 20), st.integers(1, 9)).map(
    lambda drawn: (drawn[2] + drawn[0], 6 * (drawn[2] + 1) + drawn[1], drawn[2])
)


def _cells(found: SpanScores) -> dict[tuple[int, int, int], float]:
    rows = zip(found.start, found.end, found.label, found.score, strict=True)
    return {(int(start), int(end), int(label)): float(score) for start, end, label, score in rows}


@given(sizes, limits)
def test_each_window_fits_and_no_span_is_torn(own: list[int], limit: tuple[int, int, int]) -> None:
    max_words, room, overlap = limit
    ranges = window_ranges(own, max_words, room, overlap)
    assert ranges[0][0] == 0 and ranges[-1][1] == len(own)
    for first, last in ranges:
        assert last - first <= max_words and sum(own[first:last]) <= room
    for (first, last), (following, _) in pairwise(ranges):
        assert following == last - overlap > first
        assert last - first == max_words or sum(own[first : last + 1]) > room  # as long as it may be
    for start, width in product(range(len(own)), range(overlap)):
        if start + width < len(own):
            assert any(first <= start and start + width < last for first, last in ranges)


@given(sizes, limits, st.data())
def test_the_window_with_most_context_judges(own: list[int], limit: tuple[int, int, int], data: st.DataObject) -> None:
    ranges, overlap = window_ranges(own, *limit), limit[2]
    start = data.draw(st.integers(0, len(own) - 1))
    end = min(start + data.draw(st.integers(0, overlap - 1)), len(own) - 1)

    def context(number: int) -> float:
        first, last = ranges[number]
        if not (first <= start and end < last):
            return -1
        return min(start - first if first else 1e9, last - 1 - end if last < len(own) else 1e9)

    best = max(range(len(ranges)), key=lambda number: (context(number), -number))
    assert best_window(ranges, np.array([start]), np.array([end])).tolist() == [best]


def test_a_window_that_cannot_get_past_its_overlap_is_refused() -> None:
    assert window_ranges([1] * 6, 4, 100, 3) == [(0, 4), (1, 5), (2, 6)]
    with pytest.raises(InputError, match="holds 4 words, no more than the overlap of 4"):
        window_ranges([1] * 6, 4, 100, 4)
    with pytest.raises(InputError, match="begins at word 1 holds 0 words"):
        window_ranges([1, 9, 1], 4, 5, 0)
    with pytest.raises(InputError, match="holds 0 words"):
        window_ranges([1, 1], 4, -3, 1)


@pytest.mark.parametrize("limit", ["words", "sub-tokens"])
def test_a_long_text_is_read_to_its_end(backbone: Path, limit: str) -> None:
    network = tiny_network(backbone, model_max_words=40 if limit == "words" else 384)
    cut, whole = (candidate_spans(network, [LONG], LABELS, floor=0.0, window_overlap=n)[0] for n in (None, 7))
    assert cut.lost_words > 0 == whole.lost_words
    spans = [(i, i + k) for i, k in product(range(len(LONG)), range(4)) if i + k < len(LONG)]
    assert list(_cells(whole)) == [(*span, label) for span in spans for label in range(len(LABELS))]
    assert len(whole.score) == len(_cells(whole))


def test_scores_are_those_of_the_window_that_judges(backbone: Path) -> None:
    network = tiny_network(backbone, model_max_words=40)
    found = _cells(candidate_spans(network, [LONG], LABELS, floor=0.0, window_overlap=10)[0])
    room = network.prompts.room(LABELS)
    own = [len(pieces) for pieces in network.prompts.tokens.split([LONG])[0]]
    ranges = window_ranges(own, 40, room, 10)
    assert len(ranges) > 4
    alone = [_cells(candidate_spans(network, [LONG[a:b]], LABELS, floor=0.0)[0]) for a, b in ranges]
    for (start, end, label), score in found.items():
        number = int(best_window(ranges, np.array([start]), np.array([end]))[0])
        first = ranges[number][0]
        assert score == pytest.approx(alone[number][start - first, end - first, label], abs=1e-5)


def test_texts_that_fit_are_as_without_windows(backbone: Path) -> None:
    network = tiny_network(backbone)
    texts = [LONG[:20], [], LONG[20:21], LONG[30:45]]
    usual, windowed = (candidate_spans(network, texts, LABELS, floor=0.0, window_overlap=n) for n in (None, 5))
    for one, other in zip(usual, windowed, strict=True):
        assert all(
            np.array_equal(getattr(one, name), getattr(other, name)) for name in ("start", "end", "label", "score")
        )
    assert network.prompts.max_tokens == MAX_TOKENS


def test_entities_of_a_long_text_do_not_overlap_across_windows(backbone: Path) -> None:
    found = GLiNER(tiny_network(backbone, model_max_words=20)).predict([LONG], LABELS, threshold=0.3, window_overlap=5)[
        0
    ]
    words = [index for entity in found for index in range(entity.start, entity.end + 1)]
    assert len(words) == len(set(words)) and max(words) > 140
