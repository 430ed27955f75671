"""A few sentences with nested gold beside both answers, chosen by a rule and cut short: a citation, not a copy."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks.analyses.answered import Gold
from benchmarks.analyses.overlap_ceiling import depth
from gliner_core.examples import Example, Span

NUM_EXAMPLES, MOST_WORDS = 6, 20
Spans = frozenset[Span]


class _Case(NamedTuple):
    """One sentence; the order of the first four fields is the order of choice."""

    is_same: bool
    num_words: int
    dataset: str
    id: str
    example: Example
    gold: Spans
    flat: Spans
    nested: Spans


def examples_of(gold: Sequence[Gold], pair: Sequence[Sequence[Sequence[Spans]]]) -> Iterator[dict[str, Any]]:
    """Rows `example` of the first seed: sentences where the answers differ come first, then the shortest.

    `pair` holds the flat and the nested answers [dataset][sentence].
    """
    cases = [
        _Case(flat == nested, len(example.words), data.card.name, example.id, example, spans, flat, nested)
        for data, *sides in zip(gold, *pair, strict=True)
        for example, spans, flat, nested in zip(data.examples, data.spans, *sides, strict=True)
        if _first_nested(spans) is not None
    ]
    for case in sorted(cases, key=lambda case: case[:4])[:NUM_EXAMPLES]:
        yield {"kind": "example", "place": case.dataset, **_shown(case)}


def _first_nested(spans: Spans) -> Span | None:
    """The first span that lies in another."""
    places = {(span.start, span.end) for span in spans}
    return min((span for span in spans if depth((span.start, span.end), places)), default=None)


def _shown(case: _Case) -> dict[str, str]:
    """At most `MOST_WORDS` words around the first nested span, and the spans that lie in them whole."""
    first = _first_nested(case.gold)
    middle = first.start if first else 0
    start = max(0, min(middle - MOST_WORDS // 2, len(case.example.words) - MOST_WORDS))
    stop = min(start + MOST_WORDS, len(case.example.words))
    words = " ".join(case.example.words[start:stop])
    before, after = "... " if start else "", " ..." if stop < len(case.example.words) else ""
    sides = {"gold_words": case.gold, "flat_words": case.flat, "nested_words": case.nested}
    told = {name: _told(case.example, spans, start, stop) for name, spans in sides.items()}
    return {"words": f"{before}{words}{after}", **told}


def _told(example: Example, spans: Spans, start: int, stop: int) -> str:
    inside = sorted(span for span in spans if start <= span.start and span.end < stop)
    return "; ".join(f"{example.text(span)} ({span.type})" for span in inside) or "none"
