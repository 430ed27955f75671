"""Long texts -> overlapping windows, and the windows' candidates -> one set of candidates for the text.

Stitching rule: a span is judged in one window only, the one in which its nearer edge is farthest away, because a span
at an edge is read without the words behind it. Of equally good windows the earlier one counts. So every
(start, end, label) has one score, whatever the number of windows that contain it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from gliner_core.errors import InputError

Range = tuple[int, int]  # word indices, end exclusive


def window_ranges(sizes: Sequence[int], max_words: int, room: float, overlap: int) -> list[Range]:
    """Cuts a text whose words have `sizes` sub-tokens into windows of at most `max_words` words and `room` sub-tokens.

    Each window is as long as it may be, and the next one starts `overlap` words before its end. A text that fits is
    one window. Raises `InputError` where a window would not get past the overlap.
    """
    ends = list(accumulate(sizes, initial=0))
    ranges, first = [], 0
    while True:
        last = min(first + max_words, len(sizes), bisect_right(ends, ends[first] + room) - 1)
        ranges.append((first, last))
        if last == len(sizes):
            return ranges
        if last - first <= overlap:
            raise InputError(
                f"the window that begins at word {first} holds {max(last - first, 0)} words, no more than the overlap "
                f"of {overlap}; lower the overlap or ask for fewer types at once"
            )
        first = last - overlap


def best_window(ranges: Sequence[Range], start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """For spans [N] of a text (`end` inclusive) the index [N] of the window that judges each."""
    first, last = (np.array(column)[:, None] for column in zip(*ranges, strict=True))  # [W, 1]
    to_edge = np.minimum(start - first, last - 1 - end)  # [W, N] words between the span and the nearer edge
    inside = (first <= start) & (end < last)
    return np.where(inside, to_edge, -1).argmax(axis=0)  # the first of equals
