"""`gliner_core.decode.select` against the author's quadratic loop, and one decoding against a threshold sweep."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gliner_core.decode import Overlap, select

Candidate = tuple[int, int, int, float]

# Few distinct values, so that equal scores, equal boundaries and nesting are common.
candidates = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 5), st.integers(0, 2), st.sampled_from([0.1, 0.4, 0.5, 0.9, 1.0])),
    max_size=30,
    unique_by=lambda item: item[:3],
).map(lambda items: [(start, start + width, label, score) for start, width, label, score in items])
overlaps = st.sampled_from(["flat", "flat_multi_label", "nested", "multi_label"])


def _arrays(items: list[Candidate]) -> tuple[np.ndarray, ...]:
    table = np.array(items, dtype=float).reshape(-1, 4)
    return (*(table[:, column].astype(np.int64) for column in range(3)), table[:, 3])


def _selected(items: list[Candidate], overlap: str) -> list[Candidate]:
    return [items[index] for index in select(*_arrays(items), overlap)]


def _conflict(one: Candidate, other: Candidate, overlap: str) -> bool:
    if one[:2] == other[:2]:
        return overlap not in ("multi_label", "flat_multi_label")
    disjoint = one[1] < other[0] or other[1] < one[0]
    one_in_other = other[0] <= one[0] and one[1] <= other[1]
    other_in_one = one[0] <= other[0] and other[1] <= one[1]
    return not disjoint and (overlap.startswith("flat") or not (one_in_other or other_in_one))


def _by_the_loop(items: list[Candidate], overlap: str) -> list[Candidate]:
    enumerated = sorted(items, key=lambda item: (item[0], item[1], item[2]))
    taken: list[Candidate] = []
    for item in sorted(enumerated, key=lambda item: -item[3]):  # Python's sort is stable
        if not any(_conflict(item, other, overlap) for other in taken):
            taken.append(item)
    return taken


@settings(max_examples=400)
@given(candidates, overlaps)
def test_selection_is_the_quadratic_loop(items: list[Candidate], overlap: str) -> None:
    assert _selected(items, overlap) == _by_the_loop(items, overlap)


@given(candidates, overlaps, st.sampled_from([0.1, 0.3, 0.4, 0.5, 0.95]))
def test_a_higher_threshold_keeps_a_part_of_the_selection(
    items: list[Candidate], overlap: str, threshold: float
) -> None:
    directly = _selected([item for item in items if item[3] > threshold], overlap)
    assert [item for item in _selected(items, overlap) if item[3] > threshold] == directly


@given(candidates, overlaps, st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(items: list[Candidate], overlap: str, random) -> None:
    shuffled = random.sample(items, len(items))
    assert _selected(shuffled, overlap) == _selected(items, overlap)


@pytest.mark.parametrize(
    ("items", "winner"),
    [
        ([(1, 2, 0, 0.9), (0, 1, 0, 0.9)], (0, 1, 0, 0.9)),
        ([(0, 2, 0, 0.9), (0, 1, 1, 0.9)], (0, 1, 1, 0.9)),
        ([(0, 1, 1, 0.9), (0, 1, 0, 0.9)], (0, 1, 0, 0.9)),
        ([(0, 0, 0, 0.8), (0, 4, 0, 0.9)], (0, 4, 0, 0.9)),
    ],
    ids=["smaller start", "shorter", "earlier label", "higher score"],
)
def test_ties_fall_to(items: list[Candidate], winner: Candidate) -> None:
    assert _selected(items, "flat") == [winner]


@pytest.mark.parametrize("overlap", get_args(Overlap))
def test_no_candidates_select_nothing(overlap: str) -> None:
    assert len(select(*_arrays([]), overlap)) == 0
