"""JSON corpora that hold whole sentences: the author's bundle, GLiNER's native form, nested JSON lines, our JSONL."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.corpora.readers.options import Choice
from benchmarks.corpora.readers.rows import RawFile, Row, align, is_index, keys, split_spaces, tokens
from gliner_core.errors import InputError
from gliner_core.examples import Span, read_jsonl

NO_OPTIONS: Mapping[str, Choice] = {}


def _records(raw: RawFile) -> list[Any]:
    records = raw.json()
    if not isinstance(records, list):
        raise raw.fault(1, "expected a JSON list of sentences")
    return records


def read_author_json(raw: RawFile, _options: dict[str, Any]) -> Iterator[Row]:
    """The bundle of the GLiNER author: `sentence` split at white space, entities with character `pos` [start, end).

    An offset inside a word never resolves in the author's evaluation either, where it stays as gold that no
    prediction can hit; it is reported as unresolved, not dropped.
    """
    for number, record in enumerate(_records(raw), start=1):
        place = f"record {number}"
        sentence, entities = keys(raw, place, record, sentence=str, entities=list)
        pieces = split_spaces(sentence)
        words = tokens(raw, place, [word for word, _, _ in pieces])
        spans, unresolved = align(pieces, [_positioned(raw, place, sentence, entity) for entity in entities])
        yield Row(words=words, spans=spans, unresolved=unresolved)


def _positioned(raw: RawFile, place: str, sentence: str, entity: Any) -> tuple[int, int, str]:
    name, kind, position = keys(raw, place, entity, name=str, type=str, pos=list)
    if len(position) != 2 or not all(map(is_index, position)):
        raise raw.fault(place, f"`pos` {position!r} is not [start, end]")
    start, end = position
    if not 0 <= start < end <= len(sentence):
        raise raw.fault(place, f"entity {name!r} lies outside its sentence")
    if sentence[start:end] != name:
        raise raw.fault(place, f"`pos` of {name!r} points at {sentence[start:end]!r}")
    return start, end, kind


def read_gliner_json(raw: RawFile, _options: dict[str, Any]) -> Iterator[Row]:
    """GLiNER's native training form: `tokenized_text` and `ner` as [start, end inclusive, type]."""
    for number, record in enumerate(_records(raw), start=1):
        place = f"record {number}"
        words, entities = keys(raw, place, record, tokenized_text=list, ner=list)
        yield Row(words=tokens(raw, place, words), spans=_word_spans(raw, place, entities, len(words)))


def read_jsonlines_nested(raw: RawFile, _options: dict[str, Any]) -> Iterator[Row]:
    """JSON lines with `tokens` and `entity_mentions` {start, end exclusive, entity_type}; spans may nest."""
    for number, line in enumerate(raw.lines(), start=1):
        if not line.strip():
            continue
        words, mentions = keys(raw, number, raw.decode(line, number), tokens=list, entity_mentions=list)
        found = [keys(raw, number, mention, start=int, end=int, entity_type=str) for mention in mentions]
        triples = [[start, end - 1, kind] for start, end, kind in found]
        yield Row(words=tokens(raw, number, words), spans=_word_spans(raw, number, triples, len(words)))


def _word_spans(raw: RawFile, place: int | str, triples: list[Any], length: int) -> tuple[Span, ...]:
    spans = []
    for triple in triples:
        if not (isinstance(triple, list) and len(triple) == 3 and isinstance(triple[2], str)):
            raise raw.fault(place, f"entity {triple!r} is not [start, end, type]")
        start, end, kind = triple
        if not (is_index(start) and is_index(end) and 0 <= start <= end < length):
            raise raw.fault(place, f"entity {triple!r} lies outside its {length} words")
        spans.append(Span(start, end, kind))
    return tuple(dict.fromkeys(spans))


def read_own_jsonl(raw: RawFile, _options: dict[str, Any]) -> Iterator[Row]:
    """This project's own JSONL (`gliner_core.examples`)."""
    if raw.encoding != "utf-8":
        raise InputError(f"{raw.label}: JSONL is always UTF-8; remove the file from `encodings` of the card")
    for example in read_jsonl(raw.path):
        yield Row(id=example.id, words=example.words, spans=example.spans, negatives=example.negatives)
