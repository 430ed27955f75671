"""Greedy span selection (paper section 2.3; ties as in the author's code).

Candidates are (start, end, label, score) with inclusive word indices. They are ranked by score; equal scores keep the
enumeration order of the author's loop: smaller start, then shorter span, then earlier label. A candidate is taken
unless it conflicts with one taken before. Because a decision depends on higher-ranked candidates only, the selection
at a threshold t is the part of the selection at any lower threshold whose score exceeds t: one decoding serves a
whole threshold sweep.

Candidates with equal boundaries share one fate: what a taken span refuses it refuses for each of their labels. So the
scan decides once per pair of boundaries, at its best rank, and looks at the words of that span only: n candidates of
at most K words cost O(n log n) for the ranking and O(n K) for the scan, where the author's loop compares n^2 pairs.
"""

from typing import Literal

import numpy as np

Overlap = Literal["flat", "flat_multi_label", "nested", "multi_label"]


def select(
    start: np.ndarray, end: np.ndarray, label: np.ndarray, score: np.ndarray, overlap: Overlap = "flat"
) -> np.ndarray:
    """Indices [M] of the accepted candidates of ONE sentence, in rank order.

    `flat`: no two spans share a word. `nested`: containment is allowed, partial overlap and equal boundaries are not.
    `flat_multi_label` and `multi_label`: as `flat` and `nested`, and equal boundaries may carry several labels.
    """
    if not len(start):
        return np.empty(0, dtype=np.int64)
    width = (end - start).astype(np.int64)
    place = start * (width.max() + 1) + width  # [N] one number per pair of boundaries, rising with start and width
    order = np.lexsort((place * (label.max() + 1) + label, -score))
    place = place[order]
    first_met = np.full(place.max() + 1, -1)
    first_met[place[::-1]] = np.arange(len(order) - 1, -1, -1)  # of equal places the last assignment, the best, stays
    best = np.sort(first_met[first_met >= 0])  # the rank at which each pair of boundaries is met first
    scan = _without_overlap if overlap.startswith("flat") else _without_crossing
    accepted = best[scan(start[order[best]].tolist(), end[order[best]].tolist())]
    if overlap in ("flat", "nested"):
        return order[accepted]
    taken = np.zeros(len(first_met), dtype=bool)
    taken[place[accepted]] = True
    return order[taken[place]]


def _without_overlap(starts: list[int], ends: list[int]) -> list[bool]:
    """Which of the ranked spans share no word with an accepted one."""
    taken = bytearray(max(ends) + 1)  # one flag a word
    accepted = []
    for start, end in zip(starts, ends, strict=True):
        free = 1 not in taken[start : end + 1]
        if free:
            taken[start : end + 1] = b"\x01" * (end + 1 - start)
        accepted.append(free)
    return accepted


def _without_crossing(starts: list[int], ends: list[int]) -> list[bool]:
    """Which of the ranked spans contain, lie in, or do not meet every accepted one."""
    leftmost = list(range(max(ends) + 1))  # the smallest start of the accepted spans that end at a word
    rightmost = list(leftmost)  # the largest end of the accepted spans that start at a word
    accepted = []
    for start, end in zip(starts, ends, strict=True):
        # One that ends before `end` must not start before `start`; one that starts after `start` must not end behind.
        fits = start == end or (min(leftmost[start:end]) >= start and max(rightmost[start + 1 : end + 1]) <= end)
        if fits:
            leftmost[end] = min(leftmost[end], start)
            rightmost[start] = max(rightmost[start], end)
        accepted.append(fits)
    return accepted
