"""Which model `evaluate` asks: a folder, a system card by its name, or a hub id, pinned by the card that knows it."""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.catalog.cards import SystemCard
from gliner_core.errors import InputError

OURS = "checkpoint"  # opened by gliner_core


def asked_model(
    systems: Mapping[str, SystemCard], model: str, *, revision: str | None = None, adapter: str | None = None
) -> Path | SystemCard:
    """A folder for our own code, or the system to open; `InputError` where the name is none of these.

    `revision` and `adapter` go before what a card says.
    """
    if Path(model).is_dir():
        if revision:
            raise InputError(f"--revision {revision!r}: the folder {model} has none; leave the option out")
        return _unnamed(adapter, folder=model) if adapter else Path(model)
    if model in systems:
        return _changed(systems[model], revision, adapter)
    if model.count("/") != 1 or model.startswith((".", "~", "/")):
        raise InputError(
            f"--model {model!r} is no folder, no hub id (owner/name) and no system; systems: {', '.join(systems)}"
        )
    cards = [card for card in systems.values() if card.hub == model]
    if revision or not cards:
        return _unnamed(adapter or _kind_of(cards), hub=model, revision=revision or "main")
    return _changed(_pinned(model, cards), None, adapter)


def _pinned(model: str, cards: list[SystemCard]) -> SystemCard:
    """The card of a hub id; where it is asked in several ways, the one for our own code."""
    if len({card.revision for card in cards}) > 1:
        names = ", ".join(card.name for card in cards)
        raise InputError(f"--model {model!r}: the cards {names} pin different revisions; name one card, or --revision")
    return min(cards, key=lambda card: card.kind != OURS)


def _kind_of(cards: list[SystemCard]) -> str:
    return min((card.kind for card in cards), key=lambda kind: kind != OURS, default=OURS)


def _changed(card: SystemCard, revision: str | None, adapter: str | None) -> SystemCard:
    if card.hub is None and (revision or (adapter and card.folder is None)):
        raise InputError(f"the system {card.name!r} is not on the hub; leave --revision and --adapter out")
    changes = {"revision": revision, "kind": adapter}
    return card.model_copy(update={key: value for key, value in changes.items() if value})


def _unnamed(kind: str, **place: str) -> SystemCard:
    return SystemCard.model_validate({"name": "model", "title": "model", "kind": kind, **place})
