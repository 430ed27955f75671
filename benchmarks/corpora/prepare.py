"""A dataset card and its raw files to the canonical folder: one JSONL per split and `card.json` with the figures.

Words and word-level spans are fixed here once; widths, prompts and sub-words come later, so that the digests of the
data do not depend on a model.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.catalog.cards import DatasetCard
from benchmarks.corpora.folders import atomic_folder
from benchmarks.corpora.formats import Reading, read, readable
from benchmarks.corpora.statistics import describe, sentences
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, write_jsonl
from gliner_core.files import file_digest, write_json


@dataclass(frozen=True, slots=True, kw_only=True)
class _Naming:
    """How the raw tags of one card become types."""

    rename: Mapping[str, str]
    style: str | None
    drop: frozenset[str]
    only: frozenset[str] | None = None  # all others are dropped too

    def type(self, tag: str) -> str:
        if tag in self.rename:
            return self.rename[tag]
        return readable(tag) if self.style == "readable" else tag

    def kept(self, tags: Iterable[str]) -> list[str]:
        return [name for tag in tags if self.keeps(name := self.type(tag))]

    def keeps(self, name: str) -> bool:
        return name not in self.drop and (self.only is None or name in self.only)

    def apply(self, example: Example) -> Example:
        named = (Span(span.start, span.end, self.type(span.type)) for span in example.spans)
        spans = sorted({span for span in named if self.keeps(span.type)})
        negatives = tuple(dict.fromkeys(self.kept(example.negatives)))
        return replace(example, spans=tuple(spans), negatives=negatives)


def prepare_dataset(card: DatasetCard, files: Mapping[str, Sequence[Path]], out: Path) -> None:
    """Writes `out/<split>.jsonl` and `out/card.json`; `files` holds the raw files per split, in the card's order."""
    readings = _generated(card) if card.generator else _read(card, files)
    naming = _naming(card)
    _check_tags(card, readings, naming)
    splits = {name: [naming.apply(example) for example in reading.examples] for name, reading in readings.items()}
    _check_types(card, splits)
    with atomic_folder(Path(out)) as folder:
        for name, examples in splits.items():
            write_jsonl(folder / f"{name}.jsonl", examples)
        write_json(folder / "card.json", _record(card, readings, splits, naming, folder))


def _read(card: DatasetCard, files: Mapping[str, Sequence[Path]]) -> dict[str, Reading]:
    if missing := [split for split in card.sources if split not in files]:
        raise InputError(f"dataset {card.name}: no files were given for split `{missing[0]}`; fetch its sources first")
    return {split: read(card, split, files[split]) for split in card.sources}


def _generated(card: DatasetCard) -> dict[str, Reading]:
    from benchmarks.corpora import demo  # only this branch needs the embedded corpora

    return {split: Reading(examples=tuple(examples)) for split, examples in demo.generate(card.name).items()}


def _naming(card: DatasetCard) -> _Naming:
    style, others = card.options.get("type_style"), card.options.get("other_types")
    if others and not card.labels:
        raise InputError(f"dataset {card.name}: `other_types` needs a card with `labels`; add them or leave it out")
    only = frozenset((*card.labels, *card.gold_repairs)) if others else None
    return _Naming(rename=card.rename, style=style, drop=frozenset(card.drop_types), only=only)


def _tags(readings: Mapping[str, Reading]) -> set[str]:
    examples = [example for reading in readings.values() for example in reading.examples]
    tags = {span.type for example in examples for span in example.spans}
    tags |= {tag for example in examples for tag in example.negatives}
    return tags | {item.type for reading in readings.values() for _, item in reading.unresolved}


def _check_tags(card: DatasetCard, readings: Mapping[str, Reading], naming: _Naming) -> None:
    tags = _tags(readings)
    if absent := sorted(set(card.rename) - tags):
        raise InputError(
            f"dataset {card.name}: `rename` names the tag {absent[0]!r}, which the data does not have; "
            f"its tags are {', '.join(sorted(tags)[:40])}"
        )
    if absent := sorted(naming.drop - {naming.type(tag) for tag in tags}):
        raise InputError(
            f"dataset {card.name}: `drop_types` names {absent[0]!r}, which the data does not have after `rename`; "
            f"remove or correct it"
        )


def _check_types(card: DatasetCard, splits: Mapping[str, Sequence[Example]]) -> None:
    if not any(example.spans for examples in splits.values() for example in examples):
        raise InputError(f"dataset {card.name}: no split holds a span; check `reader`, `options` and `drop_types`")
    if not card.labels:
        return
    gold = {span.type for examples in splits.values() for example in examples for span in example.spans}
    if absent := [label for label in card.labels if label not in gold | set(card.gold_repairs.values())]:
        raise InputError(
            f"dataset {card.name}: `labels` names {absent[0]!r}, which no split has; remove it, or `rename` a tag to it"
        )
    if extra := sorted(gold - set(card.labels) - set(card.gold_repairs)):
        raise InputError(
            f"dataset {card.name}: the data has the type {extra[0]!r}, which is neither in `labels` nor a key of "
            f"`gold_repairs`; add it, `rename` it or list it in `drop_types`"
        )


def _record(
    card: DatasetCard,
    readings: Mapping[str, Reading],
    splits: Mapping[str, Sequence[Example]],
    naming: _Naming,
    folder: Path,
) -> dict[str, Any]:
    described = {}
    for name, examples in splits.items():
        reading = readings[name]
        gold = [[identity, item.type, item.start, item.end] for identity, item in reading.unresolved]
        described[name] = describe(examples) | {
            "unresolved": len(gold),
            # Gold that no prediction can hit: the author's evaluation counts it as missed.
            "unresolved_gold": [[identity, naming.type(tag), start, end] for identity, tag, start, end in gold],
            "lenient_openings": reading.lenient_openings,
            "repeated_ids": reading.repeated_ids,
            "sha256": file_digest(folder / f"{name}.jsonl"),
        }
    kept = ("name", "title", "language", "script", "domain", "licence", "synthetic", "labels")
    return card.model_dump(mode="json", include=set(kept)) | {"splits": described, "overlaps": _overlaps(splits)}


def _overlaps(splits: Mapping[str, Sequence[Example]]) -> dict[str, int]:
    """Rows of the later split whose words also stand in the earlier one, by "earlier/later"."""
    names = list(splits)
    known = {name: sentences(splits[name]) for name in names}
    return {
        f"{first}/{second}": sum(example.words in known[first] for example in splits[second])
        for index, first in enumerate(names)
        for second in names[index + 1 :]
    }
