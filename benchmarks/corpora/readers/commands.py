"""Spoken commands and dialogues (SNIPS, NLU-Evaluation, schema-guided dialogue) to rows: slots become spans."""

import csv
import re
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.corpora.readers.options import Choice
from benchmarks.corpora.readers.rows import RawFile, Row, align, keys, split_words

SGD_OPTIONS: Mapping[str, Choice] = {"skip_services": list}
_SLOT = re.compile(r"\[([^\[\]:]+):([^\[\]]*)\]")  # spaces are cut later: in the pattern they cost cubic time


def _row(text: str, entities: list[tuple[int, int, str]], identity: str | None = None) -> Row | None:
    pieces = split_words(text)
    if not pieces:
        return None
    spans, unresolved = align(pieces, _trimmed(text, entities))
    return Row(id=identity, words=tuple(word for word, _, _ in pieces), spans=spans, unresolved=unresolved)


def _trimmed(text: str, entities: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    for start, end, kind in entities:
        surface = text[start:end]
        if surface.strip():
            yield start + len(surface) - len(surface.lstrip()), end - len(surface) + len(surface.rstrip()), kind


def read_snips(raw: RawFile, _options: dict[str, Any]) -> Iterator[Row]:
    """SNIPS: per intent a list of utterances, each a list of text pieces of which some name an entity."""
    content = raw.json()
    if not isinstance(content, dict) or not all(isinstance(rows, list) for rows in content.values()):
        raise raw.fault(1, "expected an object of lists of utterances by intent")
    for intent, utterances in content.items():
        for number, utterance in enumerate(utterances, start=1):
            place = f"{intent} {number}"
            (pieces,) = keys(raw, place, utterance, data=list)
            text, entities = "", []
            for piece in pieces:
                (part,) = keys(raw, place, piece, text=str)
                if "entity" in piece:
                    entities.append((len(text), len(text) + len(part), str(piece["entity"])))
                text += part
            if row := _row(text, entities):
                yield row


def read_nlu_eval(raw: RawFile, _options: dict[str, Any]) -> Iterator[Row]:
    """NLU-Evaluation: CSV with `;`, the column `answer_annotation` marks slots inline as "[slot : value]"."""
    reader = csv.DictReader(raw.lines(), delimiter=";", strict=True)
    try:
        if "answer_annotation" not in (reader.fieldnames or ()):
            raise raw.fault(1, "no column `answer_annotation`")
        for record in reader:
            if None in record or None in record.values():
                raise raw.fault(reader.line_num, f"not the {len(reader.fieldnames)} columns of the first line")
            if row := _marked(raw, reader.line_num, record["answer_annotation"], record.get("answerid")):
                yield row
    except csv.Error as error:
        raise raw.fault(reader.line_num, f"not valid CSV ({error})") from None


def _marked(raw: RawFile, number: int, annotation: str, identity: str | None) -> Row | None:
    text, entities, position = "", [], 0
    for match in _SLOT.finditer(annotation):
        text += annotation[position : match.start()]
        slot, value = match[1].strip(), match[2].strip()
        if not slot:
            raise raw.fault(number, f"a slot without a name in {annotation!r}")
        entities.append((len(text), len(text) + len(value), slot))
        text += value
        position = match.end()
    text += annotation[position:]
    if "[" in text or "]" in text:
        raise raw.fault(number, f"unbalanced slot brackets in {annotation!r}")
    return _row(text, entities, identity)


def read_sgd(raw: RawFile, options: dict[str, Any]) -> Iterator[Row]:
    """Schema-guided dialogue: one row per turn, slot offsets in characters (end exclusive).

    `skip_services` lists service names without their number, e.g. Movies; a turn that touches one is left out.
    """
    skip = frozenset(options.get("skip_services", ()))
    dialogues = raw.json()
    if not isinstance(dialogues, list):
        raise raw.fault(1, "expected a JSON list of dialogues")
    for number, dialogue in enumerate(dialogues, start=1):
        identity, turns = keys(raw, f"dialogue {number}", dialogue, dialogue_id=str, turns=list)
        for index, turn in enumerate(turns):
            row = _turn(raw, f"dialogue {number} turn {index}", turn, f"{identity}-{index}", skip)
            if row:
                yield row


def _turn(raw: RawFile, place: str, turn: Any, identity: str, skip: frozenset[str]) -> Row | None:
    text, frames = keys(raw, place, turn, utterance=str, frames=list)
    entities = []
    for frame in frames:
        service, slots = keys(raw, place, frame, service=str, slots=list)
        if service.rsplit("_", 1)[0] in skip:
            return None
        for slot in slots:
            name, start, end = keys(raw, place, slot, slot=str, start=int, exclusive_end=int)
            if not 0 <= start < end <= len(text):
                raise raw.fault(place, f"slot {name!r} lies outside its utterance")
            entities.append((start, end, name))
    return _row(text, list(dict.fromkeys(entities)), identity)
