"""How gold overlaps, sentence by sentence: nested, crossing, several types, and what each decoding could reach."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.analyses.overlap_ceiling import Place, ceiling, crosses, depth, lies_in
from benchmarks.analyses.resampling import share_interval
from benchmarks.scoring.breakdown import unreachable
from benchmarks.scoring.protocol import Item
from gliner_core.decode import Overlap
from gliner_core.examples import Span
from gliner_core.seeding import derive_seed

DECODINGS: tuple[Overlap, ...] = ("flat", "flat_multi_label", "nested", "multi_label")
LEVELS = ("not nested", "outermost of nested", "depth 1", "depth 2 and more")
INSIDE_WORD = "inside a word"
SHORTFALL = "ceiling minus greedy count, nested"


def levels_of(items: frozenset[Item]) -> dict[Item, str]:
    """The nesting level of every gold item of a sentence."""
    places = _places(items)
    return {item: _level((item.start, item.end), places) if isinstance(item, Span) else INSIDE_WORD for item in items}


def census(name: str, gold: Sequence[frozenset[Item]], max_width: int, resamples: int) -> Iterator[dict[str, Any]]:
    """Rows of one corpus: shares of its gold, with bootstrap bounds over sentences."""
    whole = np.array([len(items) for items in gold])
    if not whole.sum():
        return
    counts = [_counts(items, max_width) for items in gold]
    for measure in counts[0]:
        part = np.array([found[measure] for found in counts])
        value, low, high = share_interval(part, whole, derive_seed(0, "overlap", name, measure), resamples)
        yield {
            "kind": "census", "place": name, "slice": measure, "value": value, "low": low, "high": high,
            "count": int(part.sum()), "gold": int(whole.sum()),
        }  # fmt: skip
    yield {
        "kind": "census", "place": name, "slice": SHORTFALL, "gold": int(whole.sum()),
        "count": _greedy_shortfall(gold),
    }  # fmt: skip


def _counts(items: frozenset[Item], max_width: int) -> dict[str, int]:
    spans = [item for item in items if isinstance(item, Span)]
    places = _places(items)
    levels = list(levels_of(items).values())
    at = [(span.start, span.end) for span in spans]
    found = {level: levels.count(level) for level in (*LEVELS, INSIDE_WORD)}
    found["lies in another"] = sum(depth(place, places) > 0 for place in at)
    found["nested"] = len(spans) - found[LEVELS[0]]
    found["crosses another"] = sum(any(crosses(place, other) for other in places) for place in at)
    found["same words, several types"] = sum(at.count(place) > 1 for place in at)
    found["wider than K"] = sum(span.width > max_width for span in spans)
    narrow = [span for span in spans if span.width <= max_width]
    for overlap in DECODINGS:
        found[f"reachable, {overlap}"] = ceiling(spans, overlap)
        found[f"reachable within K, {overlap}"] = ceiling(narrow, overlap)
    return found


def _greedy_shortfall(gold: Sequence[frozenset[Item]]) -> int:
    """Spans that the greedy bound of the score files loses against the exact ceiling of nested decoding."""
    spans = [frozenset(item for item in items if isinstance(item, Span)) for items in gold]
    longest = max((span.end + 1 for found in spans for span in found), default=1)
    types = {span.type for found in spans for span in found}
    lost = unreachable(spans, [longest] * len(spans), types, longest, "nested")["overlap"]
    return sum(ceiling(found, "nested") for found in spans) - (sum(map(len, spans)) - lost)


def _places(items: frozenset[Item]) -> set[Place]:
    return {(item.start, item.end) for item in items if isinstance(item, Span)}


def _level(place: Place, places: set[Place]) -> str:
    if inside := depth(place, places):
        return LEVELS[2] if inside == 1 else LEVELS[3]
    return LEVELS[1] if any(lies_in(other, place) for other in places) else LEVELS[0]
