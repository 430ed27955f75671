"""`python -m benchmarks list`: the cards that exist."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.catalog.workspace import Workspace

FACTS = {
    "backbones": ("kind", "parameters"),
    "datasets": ("language", "script", "licence"),
    "mixtures": ("parts",),
    "suites": ("protocol", "datasets"),
    "protocols": ("threshold", "unit", "overlap"),
    "systems": ("kind",),
    "studies": ("question",),
    "measurements": ("backbone",),
    "wordings": ("licence",),
    "scales": ("backbone", "mixture"),
}


def list_cards(space: Workspace, kind: str | None) -> None:
    """Prints one kind of card, or how many there are of each."""
    if kind is None:
        rows = [(name, str(len(getattr(space.registry, name)))) for name in FACTS]
        _print(Table("kind", "cards", title="python -m benchmarks list KIND shows one kind"), rows)
        return
    cards = getattr(space.registry, kind)
    table = Table("name", "title", *FACTS[kind])
    _print(table, [(name, card.title, *_facts(card, FACTS[kind])) for name, card in cards.items()])


def _facts(card: Any, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        value = getattr(card, name)
        if name == "parts":
            yield ", ".join(f"{part.dataset}/{part.split} x{part.weight:g}" for part in value)
        elif isinstance(value, tuple):
            yield f"{len(value)}" if value else f"tag {card.tag}"
        else:
            yield str(value)


def _print(table: Table, rows: list[tuple[str, ...]]) -> None:
    for row in rows:
        table.add_row(*row)
    Console().print(table)
