"""Example and Span: one annotated sentence, and the JSONL form that `gliner_core` and `benchmarks` share.

One line: {"id": "...", "words": ["..."], "spans": [[start, end, "type"], ...], "language": "en"}; `end` is inclusive.
Optional: "negatives": types known to be absent (Pile-NER asks for such types explicitly).
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gliner_core.errors import InputError
from gliner_core.files import atomic_write, load_json, read_text

_KEYS = {"id", "words", "spans", "language", "negatives"}


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A typed entity over word indices; `end` is inclusive."""

    start: int
    end: int
    type: str

    @property
    def width(self) -> int:
        """Length in words."""
        return self.end - self.start + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One sentence or passage as words, its gold spans, and its language (ISO 639-1 or 639-3)."""

    id: str
    words: tuple[str, ...]
    spans: tuple[Span, ...] = ()
    language: str = "en"
    negatives: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for span in self.spans:
            if not 0 <= span.start <= span.end < len(self.words):
                raise InputError(
                    f"example {self.id!r}: span [{span.start}, {span.end}, {span.type!r}] lies outside "
                    f"its {len(self.words)} words; correct the offsets (word indices, end inclusive)"
                )

    def types(self) -> tuple[str, ...]:
        """Distinct gold types in order of first occurrence."""
        return tuple(dict.fromkeys(span.type for span in self.spans))

    def text(self, span: Span) -> str:
        """Surface string of a span, words joined by one space."""
        return " ".join(self.words[span.start : span.end + 1])


def _strings(value: Any, key: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(f"`{key}` must be a list of strings")
    return tuple(value)


def _span(value: Any) -> Span:
    if not (isinstance(value, list) and len(value) == 3 and isinstance(value[2], str)):
        raise InputError(f"span {value!r} is not [start, end, type]")
    if not all(isinstance(index, int) and not isinstance(index, bool) for index in value[:2]):
        raise InputError(f"span {value!r} needs integer word indices")
    return Span(value[0], value[1], value[2])


def example_from_json(record: Any) -> Example:
    """Builds an Example from one decoded line; raises `InputError` that names the wrong key."""
    if not isinstance(record, dict):
        raise InputError("expected a JSON object")
    if unknown := sorted(set(record) - _KEYS):
        raise InputError(f"unknown key `{unknown[0]}`; known keys are {', '.join(sorted(_KEYS))}")
    if missing := sorted({"id", "words", "spans"} - set(record)):
        raise InputError(f"key `{missing[0]}` is missing")
    if not isinstance(record["spans"], list):
        raise InputError("`spans` must be a list")
    return Example(
        id=str(record["id"]),
        words=_strings(record["words"], "words"),
        spans=tuple(_span(value) for value in record["spans"]),
        language=str(record.get("language", "en")),
        negatives=_strings(record.get("negatives", []), "negatives"),
    )


def example_to_json(example: Example) -> dict[str, Any]:
    """The JSON object of one line; empty optional keys are left out."""
    record: dict[str, Any] = {
        "id": example.id,
        "words": list(example.words),
        "spans": [[span.start, span.end, span.type] for span in example.spans],
        "language": example.language,
    }
    if example.negatives:
        record["negatives"] = list(example.negatives)
    return record


def read_jsonl(path: str | Path) -> list[Example]:
    """Reads a JSONL file; every fault is an `InputError` that names file and line. Blank lines are skipped."""
    examples = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            examples.append(example_from_json(load_json(line)))
        except json.JSONDecodeError as error:
            raise InputError(f"{path}:{number}: not valid JSON ({error.msg}); repair the line") from None
        except InputError as error:
            raise InputError(f"{path}:{number}: {error}") from None
    if not examples:
        raise InputError(f"{path}: holds no example; give a file with at least one JSON line")
    return examples


def write_jsonl(path: str | Path, examples: Iterable[Example]) -> None:
    """Writes examples one per line, atomically."""
    with atomic_write(path) as stream:
        for example in examples:
            stream.write(json.dumps(example_to_json(example), ensure_ascii=False) + "\n")
