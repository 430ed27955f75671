"""Raw corpus files to canonical examples: the registry of readers by name, and the options all of them share.

To add a corpus format, write one reader in `benchmarks/corpora/readers/` (`RawFile` and options to rows) and one line
in `READERS`. Options every card may give: `encoding` (default utf-8), `encodings` (by file name), `hold_out`
({split: dev, every: n}: of the files that splits share, each n-th row goes to that split, the others to the rest),
`repeated_ids` (rename or drop), `known_unresolved` (by split: how many entities no word span can equal) and
`type_style` (readable: CamelCase, underscores and slashes become words in lower case).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.catalog.cards import DatasetCard
from benchmarks.corpora.readers.bundles import (
    NO_OPTIONS,
    read_author_json,
    read_gliner_json,
    read_jsonlines_nested,
    read_own_jsonl,
)
from benchmarks.corpora.readers.columns import CONLL_OPTIONS, read_conll
from benchmarks.corpora.readers.commands import SGD_OPTIONS, read_nlu_eval, read_sgd, read_snips
from benchmarks.corpora.readers.conversations import read_pile_ner_hub
from benchmarks.corpora.readers.options import Choice, check_options
from benchmarks.corpora.readers.parquet import read_parquet
from benchmarks.corpora.readers.rows import RawFile, Row, Unresolved
from benchmarks.corpora.readers.tagged import TAGGED_OPTIONS, read_jsonl_tags
from gliner_core.errors import InputError
from gliner_core.examples import Example

SHARED_OPTIONS: Mapping[str, Choice] = {
    "encoding": str,
    "encodings": dict,
    "hold_out": dict,
    "repeated_ids": ("rename", "drop"),
    "known_unresolved": dict,
    "type_style": ("readable",),
    "other_types": ("drop",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A reader function and the card options it knows beside the shared ones."""

    read: Callable[[RawFile, dict[str, Any]], Iterator[Row]]
    options: Mapping[str, Choice] = field(default_factory=lambda: NO_OPTIONS)


READERS = {
    "conll": Reader(read=read_conll, options=CONLL_OPTIONS),
    "author_json": Reader(read=read_author_json),
    "gliner_json": Reader(read=read_gliner_json),
    "jsonl": Reader(read=read_own_jsonl),
    "jsonl_tags": Reader(read=read_jsonl_tags, options=TAGGED_OPTIONS),
    "jsonlines_nested": Reader(read=read_jsonlines_nested),
    "nlu_eval": Reader(read=read_nlu_eval),
    "parquet": Reader(read=read_parquet, options=TAGGED_OPTIONS),
    "pile_ner_hub": Reader(read=read_pile_ner_hub),
    "sgd": Reader(read=read_sgd, options=SGD_OPTIONS),
    "snips": Reader(read=read_snips),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One split as read: examples with raw tags, and what a word span could not hold, by example id."""

    examples: tuple[Example, ...]
    unresolved: tuple[tuple[str, Unresolved], ...] = ()
    lenient_openings: int = 0
    repeated_ids: int = 0


def read(card: DatasetCard, split: str, paths: Sequence[Path]) -> Reading:
    """Reads the raw files of one split with the card's reader; ids are unique in the result."""
    reader = _reader(card)
    rows = [row for raw in _raw_files(card, split, paths) for row in reader.read(raw, card.options)]
    rows = _held(card, split, rows)
    if not rows:
        raise InputError(f"dataset {card.name}: split `{split}` holds no sentence; check its files and `options`")
    reading = _reading(card, split, rows)
    known = card.options.get("known_unresolved", {}).get(split, 0)
    if len(reading.unresolved) != known:
        raise InputError(
            f"dataset {card.name}: {len(reading.unresolved)} entities of split `{split}` end inside a word where "
            f"{known} are known; check the files, then correct `options: known_unresolved:` of the card"
        )
    return reading


def _reader(card: DatasetCard) -> Reader:
    if card.reader not in READERS:
        raise InputError(f"dataset {card.name}: reader {card.reader!r} is unknown; use one of {', '.join(READERS)}")
    reader = READERS[card.reader]
    check_options(f"dataset {card.name}, reader {card.reader}", card.options, {**SHARED_OPTIONS, **reader.options})
    return reader


def _raw_files(card: DatasetCard, split: str, paths: Sequence[Path]) -> list[RawFile]:
    sources = card.sources.get(split, ())
    if len(sources) != len(paths):
        raise InputError(
            f"dataset {card.name}: split `{split}` names {len(sources)} source files but {len(paths)} were given; "
            f"pass one file per source, in the card's order"
        )
    encodings = {name: str(encoding) for name, encoding in card.options.get("encodings", {}).items()}
    files = []
    for source, path in zip(sources, map(Path, paths), strict=True):
        name = Path(source.path).name
        files.append(
            RawFile(
                path=path,
                label=str(path) if path.name == name else f"{path} ({source.path})",
                encoding=encodings.get(name, card.options.get("encoding", "utf-8")),
            )
        )
    return files


def _held(card: DatasetCard, split: str, rows: list[Row]) -> list[Row]:
    """Part of the rows where several splits share their files (`hold_out`)."""
    if (rule := card.options.get("hold_out")) is None:
        return rows
    every = rule.get("every")
    if set(rule) != {"split", "every"} or rule["split"] not in card.sources or type(every) is not int or every < 1:
        raise InputError(
            f"dataset {card.name}: `hold_out` needs a `split` of the card and a number `every`; correct it"
        )
    chosen = rule["split"] == split
    return [row for index, row in enumerate(rows, start=1) if (index % every == 0) == chosen]


def _reading(card: DatasetCard, split: str, rows: Sequence[Row]) -> Reading:
    drop = card.options.get("repeated_ids", "rename") == "drop"
    examples: dict[str, Example] = {}
    unresolved: list[tuple[str, Unresolved]] = []
    repeated = 0
    for number, row in enumerate(rows):
        identity = row.id or f"{card.name}-{split}-{number:06d}"
        if identity in examples:
            repeated += 1
            if drop:
                continue
            identity = _fresh(identity, examples)
        examples[identity] = Example(
            id=identity, words=row.words, spans=row.spans, language=card.language, negatives=row.negatives
        )
        unresolved += [(identity, item) for item in row.unresolved]
    return Reading(
        examples=tuple(examples.values()),
        unresolved=tuple(unresolved),
        lenient_openings=sum(row.lenient_openings for row in rows),
        repeated_ids=repeated,
    )


def _fresh(identity: str, taken: dict[str, Example]) -> str:
    number = 2
    while f"{identity}~{number}" in taken:
        number += 1
    return f"{identity}~{number}"


def readable(tag: str) -> str:
    """A raw tag as words in lower case: "OtherPER" -> "other per", "AI/ML/DL-focus" -> "ai ml dl focus"."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", tag)
    return " ".join(re.split(r"[\s_/\-]+", apart)).strip().lower()
