"""Where a score comes from: per type, per gold width, per kind of error, and what no answer could have reached."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from benchmarks.scoring.counts import Counts
from benchmarks.scoring.protocol import Item
from gliner_core.decode import Overlap, select
from gliner_core.examples import Span

WIDTHS = (("1", 1), ("2", 2), ("3", 3), ("4", 4), ("5-8", 8), ("9-12", 12))
WIDEST = ">12"

Sets = Sequence[frozenset[Item]]
SpanSets = Sequence[frozenset[Span]]


def per_type(gold: Sets, predicted: Sets) -> list[dict[str, Any]]:
    """Counts and rates of every type that occurs in gold or predictions, sorted by type."""
    in_gold = Counter(item.type for items in gold for item in items)
    in_predicted = Counter(item.type for items in predicted for item in items)
    hits = Counter(item.type for one, other in zip(gold, predicted, strict=True) for item in one & other)
    return [
        {"type": name, **describe(Counts(true_positive=hits[name], predicted=in_predicted[name], gold=in_gold[name]))}
        for name in sorted(in_gold | in_predicted)
    ]


def describe(counts: Counts) -> dict[str, Any]:
    """Counts and their rates in percent, unrounded."""
    return {
        "true_positive": counts.true_positive,
        "predicted": counts.predicted,
        "gold": counts.gold,
        "precision_pct": 100 * counts.precision,
        "recall_pct": 100 * counts.recall,
        "f1_pct": 100 * counts.f1,
    }


def per_width(gold: SpanSets, predicted: SpanSets) -> list[dict[str, Any]]:
    """Gold spans and how many of them were found, by width in words."""
    in_gold = Counter(_width_class(span) for spans in gold for span in spans)
    found = Counter(_width_class(span) for one, other in zip(gold, predicted, strict=True) for span in one & other)
    names = [*(name for name, _ in WIDTHS), WIDEST]
    return [{"width": name, "gold": in_gold[name], "found": found[name]} for name in names]


def errors(gold: SpanSets, predicted: SpanSets) -> dict[str, int]:
    """Error classes: predicted = true positives + boundary + type + spurious; missed counts gold.

    `type`: boundaries of a gold span under another type. `boundary`: overlaps a gold span of its type. `spurious`:
    any other wrong span. `missed`: a gold span neither found nor explained by a boundary or type error.
    """
    sums: Counter[str] = Counter(boundary=0, type=0, missed=0, spurious=0)
    for truth, answer in zip(gold, predicted, strict=True):
        open_gold = truth - answer
        explained: set[Span] = set()
        for span in answer - truth:
            kind, touched = _classify(span, truth)
            sums[kind] += 1
            explained |= touched
        sums["missed"] += len(open_gold - explained)
    return dict(sums)


def unreachable(
    gold: SpanSets, visible_words: Sequence[int], labels: Iterable[str], max_width: int, overlap: Overlap
) -> dict[str, int]:
    """Gold spans that no scores could have found, by the first reason that holds.

    `label`: its type is not asked. `width`: longer than the model's widest span. `window`: reaches into words that the
    model did not see. `overlap`: excluded by other reachable gold under the decoding (exact for `flat`).
    """
    asked = frozenset(labels)
    sums: Counter[str] = Counter(label=0, width=0, window=0, overlap=0)
    for spans, visible in zip(gold, visible_words, strict=True):
        rest = []
        for span in spans:
            reason = _reason(span, asked, max_width, visible)
            if reason:
                sums[reason] += 1
            else:
                rest.append(span)
        sums["overlap"] += len(rest) - _num_compatible(rest, overlap)
    return dict(sums)


def _width_class(span: Span) -> str:
    return next((name for name, limit in WIDTHS if span.width <= limit), WIDEST)


def _classify(span: Span, truth: frozenset[Span]) -> tuple[str, set[Span]]:
    if same := {other for other in truth if (other.start, other.end) == (span.start, span.end)}:
        return "type", same
    if near := {other for other in truth if other.type == span.type and _overlap(other, span)}:
        return "boundary", near
    return "spurious", set()


def _overlap(one: Span, other: Span) -> bool:
    return one.start <= other.end and other.start <= one.end


def _reason(span: Span, asked: frozenset[str], max_width: int, visible: int) -> str | None:
    if span.type not in asked:
        return "label"
    if span.width > max_width:
        return "width"
    return "window" if span.end >= visible else None


def _num_compatible(spans: Sequence[Span], overlap: Overlap) -> int:
    # Taking the earliest end first is the optimal interval schedule, so the flat ceiling is exact.
    ordered = sorted(spans)
    start, end = (np.array([getattr(span, key) for span in ordered], dtype=np.int64) for key in ("start", "end"))
    return len(select(start, end, np.arange(len(ordered)), -end.astype(np.float64), overlap))
