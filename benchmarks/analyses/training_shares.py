"""Shares that describe a training set, as a numerator and a denominator for every sentence.

Surfaces and types are compared in lower case, except where casing or exact tokens are the question.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.corpora.overlap import Words
from benchmarks.scoring.breakdown import WIDEST, WIDTHS
from gliner_core.examples import Example, Span

CASINGS = ("lower case", "capitalised", "all caps", "mixed case", "no letters")
WIDTH_CLASSES = (*(name for name, _ in WIDTHS), WIDEST)
QUARTERS = ("1st quarter", "2nd quarter", "3rd quarter", "4th quarter")
DENSITIES = (("0", 0), ("1", 1), ("2-3", 3), ("4-7", 7))
LABELLED = (("1", 1), ("2-4", 4), ("5-19", 19), ("20-99", 99))
DENSEST, MOST_LABELLED = "8+", "100+"
TIMES = (*(name for name, _ in LABELLED), MOST_LABELLED)
# A single word in lower case ("it", "data") may well be no entity elsewhere; a name or a phrase seldom is.
FORMS = ("one word, lower case", "one word, other case", "two or more words")


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`part` and `whole` are counts per sentence [S]; the share is the quotient of their sums."""

    topic: str
    group: str
    part: np.ndarray
    whole: np.ndarray


def casing_of(text: str) -> str:
    """The casing of a word or a mention; scripts without case have no upper or lower letters."""
    if not any(sign.isupper() or sign.islower() for sign in text):
        return "no letters"
    if not any(sign.isupper() for sign in text):
        return "lower case"
    # Roman numerals and circled letters (U+2160, U+24B6) have case and are no letters.
    letters = [sign for sign in text if sign.isalpha() or sign.isupper() or sign.islower()]
    if len(letters) > 1 and all(sign.isupper() for sign in letters):
        return "all caps"
    return "capitalised" if letters[0].isupper() else "mixed case"


def class_of(number: int, classes: Sequence[tuple[str, int]], beyond: str) -> str:
    """The first class whose limit holds the number."""
    return next((name for name, limit in classes if number <= limit), beyond)


def folded_mentions(example: Example) -> list[tuple[str, str]]:
    """(surface, type) of every mention, both in lower case."""
    return [(example.text(span).lower(), span.type.lower()) for span in example.spans]


def casing_shares(examples: Sequence[Example]) -> Iterator[Share]:
    """Casing of mentions, of the words outside them, and sentences without an upper-case letter."""
    mentions = [[casing_of(example.text(span)) for span in example.spans] for example in examples]
    outside = [[casing_of(word) for word in _words_outside(example)] for example in examples]
    yield from _class_shares("casing of mentions", CASINGS, mentions)
    yield from _class_shares("casing of words outside mentions", CASINGS, outside)
    lower = [["yes" if not any(map(_has_upper, example.words)) else "no"] for example in examples]
    yield from _class_shares("sentences without an upper-case letter", ("yes",), lower)


def length_shares(examples: Sequence[Example], limits: Sequence[int]) -> Iterator[Share]:
    """Mentions by width in words, and those wider than each K of `limits`."""
    widths = [[span.width for span in example.spans] for example in examples]
    classes = [[class_of(width, WIDTHS, WIDEST) for width in found] for found in widths]
    yield from _class_shares("width of mentions", WIDTH_CLASSES, classes)
    for limit in limits:
        beyond = [["beyond" if width > limit else "within" for width in found] for found in widths]
        yield from (
            Share(topic="mentions wider than K", group=f"{limit}", part=share.part, whole=share.whole)
            for share in _class_shares("", ("beyond",), beyond)
        )


def place_shares(examples: Sequence[Example]) -> Iterator[Share]:
    """Where in the sentence mentions begin, and how many mentions a sentence holds."""
    starts = [[QUARTERS[4 * span.start // len(example.words)] for span in example.spans] for example in examples]
    yield from _class_shares("where mentions begin", QUARTERS, starts)
    counts = [[class_of(len(example.spans), DENSITIES, DENSEST)] for example in examples]
    yield from _class_shares("mentions per sentence", (*(name for name, _ in DENSITIES), DENSEST), counts)


def nesting_share(examples: Sequence[Example]) -> Share:
    """Mentions that share a word with another mention."""
    part = [sum(any(_meet(span, other) for other in item.spans if other != span) for span in item.spans)
            for item in examples]  # fmt: skip
    whole = np.array([len(item.spans) for item in examples])
    return Share(topic="mentions that overlap another", group="all", part=np.array(part), whole=whole)


def ambiguity_share(examples: Sequence[Example]) -> Share:
    """Mentions whose surface carries two or more types in these examples."""
    mentions = [folded_mentions(example) for example in examples]
    types = Counter(surface for surface, _ in {pair for found in mentions for pair in found})
    part = np.array([sum(types[surface] > 1 for surface, _ in found) for found in mentions])
    whole = np.array([len(found) for found in mentions])
    return Share(topic="mentions of ambiguous surfaces", group="all", part=part, whole=whole)


def unlabelled_shares(examples: Sequence[Example], topic: str) -> Iterator[Share]:
    """Occurrences of surfaces that are labelled somewhere in `examples` and are not labelled here, as groups of two
    kinds: by how often the surface is labelled, and by its form.

    A surface occurs where its exact words stand. `whole` counts labelled and free occurrences; one that shares a word
    with a labelled mention of other boundaries is left out, for there the annotators did look.
    """
    known = Counter(_surface(example, place) for example in examples for place in _places(example))
    widths: dict[str, set[int]] = {}
    for surface in known:
        widths.setdefault(surface[0], set()).add(len(surface))
    groups = (*TIMES, *FORMS)
    columns = {surface: [groups.index(name) for name in _groups_of(surface, num)] for surface, num in known.items()}
    free, labelled = (np.zeros((len(examples), len(groups)), dtype=np.int64) for _ in range(2))
    for row, example in enumerate(examples):
        for place in _places(example):
            labelled[row, columns[_surface(example, place)]] += 1
        for surface in _free_occurrences(example, known, widths):
            free[row, columns[surface]] += 1
    both, times = free + labelled, len(TIMES)
    yield Share(topic=topic, group="all", part=free[:, :times].sum(axis=1), whole=both[:, :times].sum(axis=1))
    for place, name in enumerate(groups):
        yield Share(topic=topic, group=name, part=free[:, place], whole=both[:, place])


def _groups_of(surface: Words, num: int) -> tuple[str, str]:
    """How often it is labelled, and its form."""
    times = class_of(num, LABELLED, MOST_LABELLED)
    if len(surface) > 1:
        return times, FORMS[2]
    return times, FORMS[0] if casing_of(surface[0]) in ("lower case", "no letters") else FORMS[1]


def _free_occurrences(example: Example, known: Counter[Words], widths: dict[str, set[int]]) -> Iterator[Words]:
    """Known surfaces that stand in the sentence without touching a labelled mention."""
    words = example.words
    taken = [False] * len(words)
    for span in example.spans:
        taken[span.start : span.end + 1] = [True] * span.width
    for start, word in enumerate(words):
        for width in widths.get(word, ()):
            surface = words[start : start + width]
            if surface in known and len(surface) == width and not any(taken[start : start + width]):
                yield surface


def _places(example: Example) -> set[tuple[int, int]]:
    """Boundaries of the mentions, each once though it may carry several types."""
    return {(span.start, span.end) for span in example.spans}


def _surface(example: Example, place: tuple[int, int]) -> Words:
    return example.words[place[0] : place[1] + 1]


def _words_outside(example: Example) -> list[str]:
    inside = {word for span in example.spans for word in range(span.start, span.end + 1)}
    return [word for place, word in enumerate(example.words) if place not in inside]


def _has_upper(word: str) -> bool:
    return any(sign.isupper() for sign in word)


def _meet(one: Span, other: Span) -> bool:
    return one.start <= other.end and other.start <= one.end


def _class_shares(topic: str, groups: Sequence[str], values: Sequence[Sequence[str]]) -> Iterator[Share]:
    """One share per group of values that every sentence holds."""
    whole = np.array([len(found) for found in values])
    for group in groups:
        yield Share(topic=topic, group=group, part=np.array([found.count(group) for found in values]), whole=whole)
