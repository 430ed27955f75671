"""Figures of prepared examples (sizes, types, widths, nesting, repeats), for the data cards."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from gliner_core.examples import Example


def describe(examples: Sequence[Example]) -> dict[str, Any]:
    """Counts of one split; `widths` maps a span width in words to the number of spans."""
    spans = [span for example in examples for span in example.spans]
    types = Counter(span.type for span in spans)
    return {
        "sentences": len(examples),
        "words": sum(len(example.words) for example in examples),
        "spans": len(spans),
        "negatives": sum(len(example.negatives) for example in examples),
        "empty_sentences": sum(not example.spans for example in examples),
        "nested_spans": sum(_overlapping(example) for example in examples),
        "duplicate_sentences": len(examples) - len(sentences(examples)),
        "types": dict(sorted(types.items(), key=lambda item: (-item[1], item[0]))),
        "widths": {str(width): count for width, count in sorted(Counter(span.width for span in spans).items())},
    }


def sentences(examples: Sequence[Example]) -> set[tuple[str, ...]]:
    """The distinct word sequences, as they are."""
    return {example.words for example in examples}


def _overlapping(example: Example) -> int:
    """Spans that share a word with a wider or an earlier span of the sentence."""
    ordered = sorted(example.spans, key=lambda span: (span.start, -span.end))
    furthest, count = -1, 0
    for span in ordered:
        count += span.start <= furthest
        furthest = max(furthest, span.end)
    return count
