"""Turns one entry of demo markup into words and labelled spans: the mini-format of `demo_data/*.yaml`.

Blanks separate words, so punctuation and clitics are written as words of their own.

    (a b|c|)        one alternative is drawn; an empty one drops the part; groups may nest
    {river}         a slot: a surface of that type is drawn and labelled
    {first name}    the same with the name of a word list under `parts`: words without a label
    [Lisbon/city]   these words are a `city`; text, groups and slots inside may nest

Slots of one name draw different surfaces within a sentence. A surface is markup itself, so the surface
`University of {city}` of a `university` yields both spans. A lower-case `the` that opens the surface of a slot is
written, but stays outside the span, as in most corpora.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from gliner_core.errors import InputError
from gliner_core.examples import Span

TOKEN = re.compile(
    r"\{(?P<slot>[^{}]*)\}|/(?P<type>[^/\[\]{}()|]+)\]|(?P<mark>[()|\[])"
    r"|(?P<word>(?:(?!/[^/\[\]{}()|]+\])[^\s()|\[\]{}])+)|(?P<stray>\S)"
)
MAX_DRAWS = 50

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place to fill with a surface of the named type or part."""

    name: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """Nodes whose words together are one span of `type`."""

    nodes: tuple[Node, ...]
    type: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Alternatives of which one is drawn."""

    options: tuple[tuple[Node, ...], ...]


Node = str | Slot | Labelled | Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """What slots may name: labelled `types` and unlabelled `parts`, each with its surfaces as markup."""

    types: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class _Draft:
    words: list[str] = field(default_factory=list)
    spans: set[Span] = field(default_factory=set)
    drawn: set[tuple[str, str]] = field(default_factory=set)


def pick(items: Sequence[T], rng: random.Random) -> T:
    """Draws one item; only `random()` is used, the one stream Python keeps equal across versions."""
    return items[int(rng.random() * len(items))]


@cache
def parse(markup: str) -> tuple[Node, ...]:
    """Reads markup into nodes; raises `InputError` for brackets that do not match."""
    tokens = [(match.lastgroup or "", match[match.lastgroup or 0]) for match in TOKEN.finditer(markup)]
    nodes, rest = _sequence(tokens, 0)
    if rest < len(tokens):
        raise InputError(f"stray {tokens[rest][1]!r}")
    return nodes


def names(nodes: tuple[Node, ...]) -> Iterator[tuple[str, str]]:
    """Every ("slot", name) and ("type", name) that the nodes refer to."""
    for node in nodes:
        if isinstance(node, Slot):
            yield "slot", node.name
        elif isinstance(node, Labelled):
            yield "type", node.type
            yield from names(node.nodes)
        elif isinstance(node, Choice):
            for option in node.options:
                yield from names(option)


def render(markup: str, grammar: Grammar, rng: random.Random) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    """Draws one sentence: its words and its sorted spans."""
    draft = _Draft()
    _write(parse(markup), grammar, rng, draft)
    return tuple(draft.words), tuple(sorted(draft.spans))


def _sequence(tokens: list[tuple[str, str]], at: int) -> tuple[tuple[Node, ...], int]:
    nodes: list[Node] = []
    while at < len(tokens):
        kind, value = tokens[at]
        if kind == "word":
            nodes.append(value)
        elif kind == "slot":
            nodes.append(Slot(value))
        elif value == "(":
            choice, at = _choice(tokens, at + 1)
            nodes.append(choice)
        elif value == "[":
            inner, at = _sequence(tokens, at + 1)
            if at == len(tokens) or tokens[at][0] != "type" or not inner:
                raise InputError("`[` without words and `/type]`")
            nodes.append(Labelled(inner, tokens[at][1]))
        else:
            break
        at += 1
    return tuple(nodes), at


def _choice(tokens: list[tuple[str, str]], at: int) -> tuple[Choice, int]:
    options: list[tuple[Node, ...]] = []
    while True:
        option, at = _sequence(tokens, at)
        options.append(option)
        if at == len(tokens) or tokens[at][1] not in ("|", ")") or tokens[at][0] != "mark":
            raise InputError("`(` without `)`")
        if tokens[at][1] == ")":
            return Choice(tuple(options)), at
        at += 1


def _write(nodes: tuple[Node, ...], grammar: Grammar, rng: random.Random, draft: _Draft) -> None:
    for node in nodes:
        start = len(draft.words)
        if isinstance(node, str):
            draft.words.append(node)
        elif isinstance(node, Choice):
            _write(pick(node.options, rng), grammar, rng, draft)
        elif isinstance(node, Labelled):
            _write(node.nodes, grammar, rng, draft)
            draft.spans.add(Span(start, len(draft.words) - 1, node.type))
        else:
            _write(parse(_surface(node.name, grammar, rng, draft)), grammar, rng, draft)
            if node.name in grammar.types:
                start += draft.words[start] == "the"
                draft.spans.add(Span(start, len(draft.words) - 1, node.name))


def _surface(name: str, grammar: Grammar, rng: random.Random, draft: _Draft) -> str:
    surfaces = grammar.types.get(name) or grammar.parts[name]
    for _ in range(MAX_DRAWS):
        surface = pick(surfaces, rng)
        # A pattern (a surface with slots) may repeat: its slots draw different fillings.
        if "{" in surface or (name, surface) not in draft.drawn:
            draft.drawn.add((name, surface))
            return surface
    raise InputError(f"no unused surface of {name!r} left")
