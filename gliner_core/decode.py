"""Greedy span selection (paper section 2.3; ties as in the author's code).

Candidates are (start, end, label, score) with inclusive word indices. They are ranked by score; equal scores keep the
enumeration order of the author's loop: smaller start, then shorter span, then earlier label. A candidate is taken
unless it conflicts with one taken before. Because a decision depends on higher-ranked candidates only, the selection
at a threshold t is the part of the selection at any lower threshold whose score exceeds t: one decoding serves a
whole threshold sweep.
"""

from typing import Literal

import numpy as np

Overlap = Literal["flat", "flat_multi_label", "nested", "multi_label"]


def rank(start: np.ndarray, end: np.ndarray, label: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Order of decision: indices by falling score, ties by start, width and label. All arrays have shape [N]."""
    return np.lexsort((label, end, start, -score))


def select(
    start: np.ndarray, end: np.ndarray, label: np.ndarray, score: np.ndarray, overlap: Overlap = "flat"
) -> np.ndarray:
    """Indices [M] of the accepted candidates of ONE sentence, in rank order.

    `flat`: no two spans share a word. `nested`: containment is allowed, partial overlap and equal boundaries are not.
    `flat_multi_label` and `multi_label`: as `flat` and `nested`, and equal boundaries may carry several labels.
    """
    order = rank(start, end, label, score)
    if overlap == "flat":
        return _select_flat(start, end, order)
    return _select_pairwise(start, end, order, overlap)


def _select_flat(start: np.ndarray, end: np.ndarray, order: np.ndarray) -> np.ndarray:
    if not len(order):
        return order
    taken = bytearray(int(end.max()) + 1)  # one flag a word: O(width) a candidate instead of a scan over the selection
    chosen = []
    starts, ends = start.tolist(), end.tolist()
    for index in order.tolist():
        first, last = starts[index], ends[index] + 1
        if 1 not in taken[first:last]:
            taken[first:last] = b"\x01" * (last - first)
            chosen.append(index)
    return np.asarray(chosen, dtype=np.int64)


def _select_pairwise(start: np.ndarray, end: np.ndarray, order: np.ndarray, overlap: Overlap) -> np.ndarray:
    chosen: list[int] = []
    starts = np.empty(len(order), dtype=np.int64)
    ends = np.empty(len(order), dtype=np.int64)
    for index in order.tolist():
        first, last, size = start[index], end[index], len(chosen)
        other_first, other_last = starts[:size], ends[:size]
        meets = (first <= other_last) & (other_first <= last)
        equal = (first == other_first) & (last == other_last)
        inside = ((other_first <= first) & (last <= other_last)) | ((first <= other_first) & (other_last <= last))
        conflict = meets & ~equal if overlap == "flat_multi_label" else meets & ~inside
        if conflict.any() or (overlap == "nested" and equal.any()):
            continue
        starts[size], ends[size] = first, last
        chosen.append(index)
    return np.asarray(chosen, dtype=np.int64)
