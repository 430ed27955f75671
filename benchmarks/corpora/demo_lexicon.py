"""Reads `demo_data/*.yaml`: the lexicon and the sentence templates of one demo domain.

One file is one domain:

    language: en
    nested: false        # true when spans of this domain may lie inside one another
    include: train_common  # optional: types and parts of another file, usable here
    parts:    {name: "surface ; surface ; ..."}   # word lists without a label
    types:    {type: "surface ; surface ; ..."}
    templates: |         # one sentence per line
    plain: |             # sentences without entities, one per line

Entries are markup (see `demo_markup`). `3* ` in front of an entry makes it three times as likely.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from benchmarks.corpora.demo_markup import Grammar, names, parse
from gliner_core.errors import InputError

FOLDER = Path(__file__).parent / "demo_data"
KEYS = {"language", "nested", "include", "parts", "types", "templates", "plain"}
WEIGHT = re.compile(r"(\d+)\*\s+(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """One domain; its `grammar` also holds the included types and parts."""

    name: str
    language: str
    nested: bool
    grammar: Grammar
    templates: tuple[str, ...]
    plain: tuple[str, ...]


def lexicon_names(prefix: str) -> list[str]:
    """Sorted names of the domain files that begin with `prefix`."""
    return sorted(path.stem for path in FOLDER.glob(f"{prefix}*.yaml"))


@cache
def load(name: str, folder: Path = FOLDER) -> Lexicon:
    """Reads and checks one domain file; every fault names the file and the entry."""
    path = folder / f"{name}.yaml"
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    if unknown := sorted(set(raw) - KEYS):
        raise InputError(f"{path.name}: unknown key `{unknown[0]}`; known keys are {', '.join(sorted(KEYS))}")
    types, parts = _lists(raw, "types"), _lists(raw, "parts")
    shared = load(raw["include"], folder).grammar if "include" in raw else Grammar(types={}, parts={})
    lexicon = Lexicon(
        name=name,
        language=raw["language"],
        nested=raw["nested"],
        grammar=Grammar(types={**shared.types, **types}, parts={**shared.parts, **parts}),
        templates=_entries(raw.get("templates", "").splitlines()),
        plain=_entries(raw.get("plain", "").splitlines()),
    )
    _check(path.name, lexicon)
    return lexicon


def _lists(raw: dict[str, Any], key: str) -> dict[str, tuple[str, ...]]:
    return {name: _entries(text.split(";")) for name, text in raw.get(key, {}).items()}


def _entries(texts: Iterable[str]) -> tuple[str, ...]:
    entries: list[str] = []
    for text in (" ".join(text.split()) for text in texts):
        match = WEIGHT.fullmatch(text)
        entries += [match[2]] * int(match[1]) if match else [text] * bool(text)
    return tuple(entries)


def _check(file: str, lexicon: Lexicon) -> None:
    grammar = lexicon.grammar
    groups = {"templates": lexicon.templates, "plain": lexicon.plain, **grammar.types, **grammar.parts}
    for group, entries in groups.items():
        for number, entry in enumerate(entries, start=1):
            try:
                _check_entry(entry, grammar)
            except InputError as error:
                raise InputError(f"{file}: `{group}` entry {number} ({entry!r}): {error}") from None


def _check_entry(entry: str, grammar: Grammar) -> None:
    for kind, name in names(parse(entry)):
        if name not in grammar.types and (kind == "type" or name not in grammar.parts):
            raise InputError(f"unknown {kind} {name!r}")
