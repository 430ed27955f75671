"""What every reader takes (a raw file with its public name) and gives (rows of words and spans), plus alignment."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gliner_core.errors import InputError
from gliner_core.examples import Span
from gliner_core.files import load_json
from gliner_core.words import split_text

_HALF = re.compile("[\ud800-\udfff]")  # some codecs let it through; no UTF-8 file can hold it


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """A gold entity whose character offsets fall inside a word, so that no word span can equal it."""

    type: str
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One sentence as read: upstream id if there is one, and raw tags as span types."""

    words: tuple[str, ...]
    spans: tuple[Span, ...] = ()
    id: str | None = None
    negatives: tuple[str, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    lenient_openings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """A raw file on disk; `label` is how errors name it, since the cache knows it by digest only."""

    path: Path
    label: str
    encoding: str = "utf-8"

    def text(self) -> str:
        """The decoded content without a byte order mark."""
        try:
            text = self.path.read_bytes().decode(self.encoding)
        except FileNotFoundError:
            raise InputError(f"{self.label}: no such file; fetch the dataset again") from None
        except UnicodeDecodeError as error:
            raise InputError(
                f"{self.label}: not {self.encoding} at byte {error.start}; "
                f"name the file's encoding under `options: encodings:` of the card"
            ) from None
        except (LookupError, ValueError):  # the second for codecs that are no encodings, such as punycode
            raise InputError(
                f"{self.label}: encoding {self.encoding!r} is unknown; use one that Python knows"
            ) from None
        text = text.removeprefix("\ufeff")
        if half := _HALF.search(text):
            raise self.fault(text.count("\n", 0, half.start()) + 1, "half of a surrogate pair")
        return text

    def lines(self) -> list[str]:
        """Lines without their ends; only LF ends a line, because some corpora hold U+2028 or U+0085 as tokens."""
        return [line.removesuffix("\r") for line in self.text().split("\n")]

    def json(self) -> Any:
        """The file as one JSON value."""
        return self.decode(self.text(), None)

    def decode(self, text: str, number: int | None) -> Any:
        """JSON of one line (`number`) or of the whole file (None)."""
        try:
            return load_json(text)
        except json.JSONDecodeError as error:
            raise self.fault(number or error.lineno, f"not valid JSON ({error.msg})") from None

    def fault(self, place: int | str, message: str) -> InputError:
        """The error of one line or record, to be raised by the reader."""
        return InputError(f"{self.label}:{place}: {message}; repair the file or fetch it again")


def keys(raw: RawFile, place: int | str, record: Any, **wanted: type) -> tuple[Any, ...]:
    """The values of `wanted` keys in `record`; a missing key or another kind of value is a fault at `place`."""
    if not isinstance(record, dict):
        raise raw.fault(place, f"expected a JSON object with {', '.join(wanted)}")
    for key, kind in wanted.items():
        if not _is_a(record.get(key), kind):
            raise raw.fault(place, f"`{key}` is missing or not a {kind.__name__}")
    return tuple(record[key] for key in wanted)


def is_index(value: Any) -> bool:
    """Whether a value of a JSON file is a whole number; true and false are none."""
    return _is_a(value, int)


def _is_a(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def tokens(raw: RawFile, place: int | str, values: list[Any]) -> tuple[str, ...]:
    """A sentence given as a list of words; it must hold at least one, and strings only."""
    if not values or not all(isinstance(value, str) and value for value in values):
        raise raw.fault(place, "the words are not a filled list of non-empty strings")
    return tuple(values)


def split_spaces(text: str) -> list[tuple[str, int, int]]:
    """Words between white space with character offsets (end exclusive): how the author's evaluation splits."""
    return [(match.group(), match.start(), match.end()) for match in re.finditer(r"\S+", text)]


def split_words(text: str) -> list[tuple[str, int, int]]:
    """Words of raw text by the author's pattern, with character offsets (end exclusive)."""
    split = split_text(text)
    return [(word, *offsets) for word, offsets in zip(split.words, split.offsets, strict=True)]


def align(
    pieces: list[tuple[str, int, int]], entities: Iterable[tuple[int, int, str]]
) -> tuple[tuple[Span, ...], tuple[Unresolved, ...]]:
    """Non-empty character spans (end exclusive) to word spans; an offset inside a word leaves the entity unresolved."""
    first = {start: index for index, (_, start, _) in enumerate(pieces)}
    last = {end: index for index, (_, _, end) in enumerate(pieces)}
    spans, unresolved = [], []
    for char_start, char_end, kind in entities:
        start, end = first.get(char_start), last.get(char_end)
        if start is None or end is None:
            unresolved.append(Unresolved(type=kind, start=start, end=end))
        else:
            spans.append(Span(start, end, kind))
    return tuple(spans), tuple(unresolved)
