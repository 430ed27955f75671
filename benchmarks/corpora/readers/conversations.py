"""Pile-NER-type (the paper's training data, section 3.1): UniversalNER conversations to rows.

A record asks "What describes T in the text?" and is answered by a JSON list of strings without positions. Every
whole-word match of a string, case ignored, becomes a span of T, as in the author's conversion. An empty answer says
that T is absent: the type is kept as a negative.
"""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from benchmarks.corpora.readers.rows import RawFile, Row, keys, split_words
from gliner_core.examples import Span
from gliner_core.files import load_json

_QUESTION = re.compile(r"What describes (.+) in the text\?\s*$", re.DOTALL)


def read_pile_ner_hub(raw: RawFile, _options: dict[str, Any]) -> Iterator[Row]:
    """One row per passage; an answered string that does not occur in the passage word by word gives no span."""
    records = raw.json()
    if not isinstance(records, list):
        raise raw.fault(1, "expected a JSON list of conversations")
    for number, record in enumerate(records, start=1):
        place = f"record {number}"
        (turns,) = keys(raw, place, record, conversations=list)
        texts = [keys(raw, place, turn, value=str)[0] for turn in turns]
        if not texts or not texts[0].startswith("Text:"):
            raise raw.fault(place, "the first turn does not start with 'Text:'")
        words = tuple(word for word, _, _ in split_words(texts[0].removeprefix("Text:")))
        if words:
            identity = record.get("id")
            yield _passage(raw, place, words, texts[1:], None if identity is None else str(identity))


def _passage(raw: RawFile, place: str, words: tuple[str, ...], turns: Sequence[str], identity: str | None) -> Row:
    spans: dict[Span, None] = {}
    negatives: dict[str, None] = {}
    folded = [word.lower() for word in words]
    for question, answer in pairwise(turns):
        if not (match := _QUESTION.match(question)):
            continue
        surfaces = _answer(raw, place, match[1], answer)
        if not surfaces:
            negatives[match[1]] = None
        for surface in surfaces:
            spans |= dict.fromkeys(_matches(folded, surface, match[1]))
    present = {span.type for span in spans}
    return Row(
        id=identity, words=words, spans=tuple(spans), negatives=tuple(kind for kind in negatives if kind not in present)
    )


def _answer(raw: RawFile, place: str, kind: str, answer: str) -> list[str]:
    try:
        surfaces = load_json(answer)
    except json.JSONDecodeError:
        surfaces = None
    if not isinstance(surfaces, list) or not all(isinstance(surface, str) for surface in surfaces):
        raise raw.fault(place, f"the answer for {kind!r} is not a JSON list of strings")
    return surfaces


def _matches(folded: Sequence[str], surface: str, kind: str) -> Iterator[Span]:
    wanted = [word.lower() for word, _, _ in split_words(surface)]
    size = len(wanted)
    for start in range(len(folded) - size + 1 if size else 0):
        if folded[start : start + size] == wanted:
            yield Span(start, start + size - 1, kind)
