"""CoNLL-like column files (one word per line, a blank line between sentences) to rows, conlleval-lenient.

An I- tag that continues nothing opens a span, as the conlleval script does; such openings are counted. The same rule
reads IOB1 (wikigold), where I- is the normal opening. The IO scheme (Few-TK) has bare types, so touching entities of
one type merge.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.corpora.readers.options import Choice
from benchmarks.corpora.readers.rows import RawFile, Row
from gliner_core.examples import Span

_SEPARATORS = {"tab": "\t", "space": " ", "whitespace": None}
SCHEMES = ("bio", "iob1", "io")
CONLL_OPTIONS: Mapping[str, Choice] = {
    "token": int,
    "tag": int,
    "separator": tuple(_SEPARATORS),
    "scheme": SCHEMES,
    "id_comment": str,
    "docstart": bool,
    "skip_starting": list,
    "empty_words": ("drop",),
}


def read_conll(raw: RawFile, options: dict[str, Any]) -> Iterator[Row]:
    """Sentences of a column file.

    Options: `token` and `tag` (column numbers, 0 and -1), `separator` (tab, space, whitespace), `scheme` (bio, iob1,
    io), `id_comment` (lines with this prefix, e.g. "# id", name the next sentence), `docstart` (drop -DOCSTART-
    lines), `skip_starting` (drop sentences that start with one of these words; they are markup, not text),
    `empty_words` (drop: leave out lines without a word that are tagged O, where upstream lost an invisible character).
    """
    scheme, delimiter = options.get("scheme", "bio"), _SEPARATORS[options.get("separator", "tab")]
    token, tag = options.get("token", 0), options.get("tag", -1)
    skip = frozenset(options.get("skip_starting", ()))
    for identity, lines in _blocks(raw, options.get("id_comment"), bool(options.get("docstart"))):
        block = _with_words(lines, token, tag, delimiter) if "empty_words" in options else lines
        words, tags = _columns(raw, block, token, tag, delimiter)
        if not words or words[0] in skip:
            continue
        spans, openings = tag_spans(raw, [number for number, _ in block], tags, scheme)
        yield Row(id=identity, words=words, spans=spans, lenient_openings=openings)


def _blocks(raw: RawFile, id_comment: str | None, docstart: bool) -> Iterator[tuple[str | None, list[tuple[int, str]]]]:
    identity: str | None = None
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*raw.lines(), ""], start=1):
        if docstart and line.startswith("-DOCSTART-"):
            continue
        # Such a line can only stand before a sentence, and "#" alone may be a word.
        if id_comment and not block and line.startswith(id_comment):
            identity = next(iter(line.removeprefix(id_comment).split()), None)
        elif line.strip(" \t"):
            block.append((number, line))
        elif block:
            yield identity, block
            identity, block = None, []


def _with_words(block: Sequence[tuple[int, str]], token: int, tag: int, separator: str | None) -> list[tuple[int, str]]:
    """The lines of a sentence but those whose word is blank and tagged O."""
    fields = [(number, line, line.split(separator)) for number, line in block]
    return [
        (number, line)
        for number, line, found in fields
        if not _holds(len(found), token, tag) or found[token].strip() or found[tag] != "O"
    ]


def _holds(num_fields: int, token: int, tag: int) -> bool:
    return all(-num_fields <= column < num_fields for column in (token, tag))


def _columns(
    raw: RawFile, block: Sequence[tuple[int, str]], token: int, tag: int, separator: str | None
) -> tuple[tuple[str, ...], list[str]]:
    words, tags = [], []
    width = len(block[0][1].split(separator)) if block else 0
    needed = max(width, token + 1, tag + 1, 2)
    for number, line in block:
        fields = line.split(separator)
        if len(fields) != needed or not _holds(needed, token, tag):
            raise raw.fault(number, f"{len(fields)} columns where {max(needed, -token, -tag)} are expected")
        if not fields[token]:
            raise raw.fault(number, "the word is empty")
        words.append(fields[token])
        tags.append(fields[tag])
    return tuple(words), tags


def tag_spans(raw: RawFile, numbers: Sequence[int], tags: Sequence[str], scheme: str) -> tuple[tuple[Span, ...], int]:
    """Spans of one sentence's tags, and how many I- tags opened one; `numbers` are the lines that faults name."""
    spans: list[Span] = []
    openings = 0
    for index, (number, tag) in enumerate(zip(numbers, tags, strict=True)):
        if tag == "O":
            continue
        prefix, kind = ("I", tag) if scheme == "io" else (tag[:1], tag[2:])
        if scheme != "io" and (prefix not in ("B", "I") or tag[1:2] != "-" or not kind):
            raise raw.fault(number, f"tag {tag!r} is none of O, B-type and I-type")
        continues = bool(spans) and spans[-1].end == index - 1 and spans[-1].type == kind
        if prefix == "I" and continues:
            spans[-1] = Span(spans[-1].start, index, kind)
            continue
        openings += scheme == "bio" and prefix == "I"
        spans.append(Span(index, index, kind))
    return tuple(spans), openings
