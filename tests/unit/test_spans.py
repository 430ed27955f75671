"""The span grid against loops over every cell."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from gliner_core.examples import Example, Span
from gliner_core.spans import gold_cells, valid_cells

LONG = Example(
    id="x",
    words=tuple("abcdefgh"),
    spans=(
        Span(0, 0, "p"),
        Span(0, 0, "p"),  # a repeat
        Span(0, 0, "q"),
        Span(1, 4, "p"),  # wider than 3
        Span(5, 6, "p"),  # beyond a window of 6 words
        Span(2, 3, "not asked"),
    ),
)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 3)), min_size=1, max_size=4), st.integers(1, 8))
def test_a_cell_is_valid_where_a_loop_says_so(sizes: list[tuple[int, int]], max_width: int) -> None:
    words, types = (torch.tensor(column) for column in zip(*sizes, strict=True))
    length, columns = int(words.max()), int(types.max())
    valid = valid_cells(words, types, length, max_width, columns)
    assert valid.shape == (len(sizes), length, max_width, columns)
    for row, (num_words, num_types) in enumerate(sizes):
        for start in range(length):
            for width in range(max_width):
                for column in range(columns):
                    expected = start + width < num_words and column < num_types
                    assert bool(valid[row, start, width, column]) is expected


def test_gold_becomes_cells_and_every_loss_is_counted() -> None:
    cells, too_wide, outside = gold_cells(LONG, ("q", "p"), num_words=6, max_width=3)
    assert cells == [(0, 0, 0), (0, 0, 1)]
    assert (too_wide, outside) == (1, 1)
    assert gold_cells(LONG, ("q", "p"), num_words=8, max_width=4) == (
        [(0, 0, 0), (0, 0, 1), (1, 3, 1), (5, 1, 1)],
        0,
        0,
    )


def test_gold_cells_are_valid_cells() -> None:
    cells, _, _ = gold_cells(LONG, ("p", "q"), num_words=8, max_width=4)
    valid = valid_cells(torch.tensor([8]), torch.tensor([2]), 8, 4, 2)
    assert all(bool(valid[(0, *cell)]) for cell in cells)
