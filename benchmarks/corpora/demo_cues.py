"""Writes the type's name behind some entities: "Lisbon , a city ,", "Java ( island )".

Real text names the kind of a thing now and then. In a corpus of a few thousand sentences such cues are what lets a
small model learn that a phrase belongs to the type the prompt names, rather than learn 60 types by heart. They stand
behind the entity only: the word before it must not give the type away.
"""

import random

from gliner_core.examples import Span

MAX_WORDS = 32
SHARE = 0.45  # of the outermost entities of a sentence
WITHOUT = frozenset({"date", "else", "person"})  # no sentence reads well with these names beside the entity
BRACKETS = 0.4  # of the cues; the others are appositions
_STOPS = frozenset({".", ",", ";", ":", "?", "!", ")"})


def with_cues(
    words: tuple[str, ...], spans: tuple[Span, ...], rng: random.Random, share: float = SHARE
) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    """The sentence with cues at a share of its outermost entities; spans move, their surfaces stay.

    A sentence that would grow beyond `MAX_WORDS` takes no further cue.
    """
    for span in sorted(_outermost(spans), reverse=True):  # from the right, so that earlier positions stay valid
        if rng.random() < share and span.type not in WITHOUT:
            longer = _add(words, spans, span, rng)
            words, spans = longer if len(longer[0]) <= MAX_WORDS else (words, spans)
    return words, spans


def _outermost(spans: tuple[Span, ...]) -> list[Span]:
    return [span for span in spans if all(_holds(span, other) for other in spans if _meet(span, other))]


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _meet(one: Span, other: Span) -> bool:
    return one.start <= other.end and other.start <= one.end


def _add(
    words: tuple[str, ...], spans: tuple[Span, ...], span: Span, rng: random.Random
) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    name = span.type.split()
    if rng.random() < BRACKETS:
        return _insert(words, spans, span.end + 1, ["(", *name, ")"])
    article = "an" if name[0][0] in "aeiou" else "a"
    closing = [] if words[span.end + 1 : span.end + 2] and words[span.end + 1] in _STOPS else [","]
    return _insert(words, spans, span.end + 1, [",", article, *name, *closing])


def _insert(
    words: tuple[str, ...], spans: tuple[Span, ...], at: int, added: list[str]
) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    moved = (
        Span(span.start + len(added), span.end + len(added), span.type) if span.start >= at else span for span in spans
    )
    return (*words[:at], *added, *words[at:]), tuple(moved)
