"""Raw text -> words with character offsets, by the author's splitter; benchmark words are never split again."""

import re
from dataclasses import dataclass

_WORD = re.compile(r"\w+(?:[-_]\w+)*|\S")  # author's code, `WhitespaceTokenSplitter`


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words of one text and their character ranges (end exclusive)."""

    text: str
    words: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]


def split_text(text: str) -> Words:
    """Splits raw text."""
    matches = list(_WORD.finditer(text))
    return Words(text=text, words=tuple(m.group() for m in matches), offsets=tuple(m.span() for m in matches))


def join_words(words: list[str] | tuple[str, ...]) -> Words:
    """Given words as they are; offsets refer to the words joined by single spaces."""
    offsets, position = [], 0
    for word in words:
        offsets.append((position, position + len(word)))
        position += len(word) + 1
    return Words(text=" ".join(words), words=tuple(words), offsets=tuple(offsets))
