"""Long passages to windows of at most N words, cut where it hurts least."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gliner_core.examples import Example, Span

# Sentence-final marks of the scripts in the suites: Latin, Arabic, Devanagari, Chinese.
_FINAL = frozenset(".!?;\u2026\u3002\uff01\uff1f\u061f\u0964")


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """The windows of one example, and the number of spans that a cut went through."""

    examples: tuple[Example, ...]
    lost_spans: int


def cut(example: Example, size: int | None) -> Windows:
    """Cuts an example into windows; a window id is the example's id and a running number."""
    if size is None or len(example.words) <= size:
        return Windows(examples=(example,), lost_spans=0)
    windows = []
    for number, (start, end) in enumerate(_bounds(example, size)):
        inside = [span for span in example.spans if start <= span.start and span.end < end]
        spans = tuple(Span(span.start - start, span.end - start, span.type) for span in inside)
        identity = f"{example.id}#{number}"
        windows.append(replace(example, id=identity, words=example.words[start:end], spans=spans))
    kept = sum(len(window.spans) for window in windows)
    return Windows(examples=tuple(windows), lost_spans=len(example.spans) - kept)


def _bounds(example: Example, size: int) -> Iterator[tuple[int, int]]:
    crossed = {index for span in example.spans for index in range(span.start + 1, span.end + 1)}
    start, total = 0, len(example.words)
    while total - start > size:
        # The second half of the window only, so that windows stay long; the latest of the best places wins.
        places = range(start + max(1, size // 2), start + size + 1)
        end = max(places, key=lambda at: (at not in crossed, example.words[at - 1] in _FINAL, at))
        yield start, end
        start = end
    yield start, total
