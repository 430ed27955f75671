"""The part of a protocol (and of a study's decoding axes) that decides a prediction file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from benchmarks.catalog.cards import DatasetCard, ProtocolCard, StudyCard
from gliner_core.errors import InputError

SYSTEM_WIDTH = 12  # K of the random scorer: the paper's
CARD_WORDING = "card"  # the labels as the dataset card writes them
_CHOICES = {name: get_args(ProtocolCard.model_fields[name].annotation) for name in ("label_case", "label_order")}
_COUNTS = ("max_width", "max_words")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """What decides a prediction file beside the model: the labels as asked, K at inference, and how much text is read.

    `label_wording` names a card of `benchmarks/wordings`; `max_words` cuts every text before the model's own window
    does; None = the model's K and window.
    """

    ask_else: bool = True
    label_case: str = "as_is"
    label_order: str = "card"
    label_wording: str = CARD_WORDING
    max_width: int | None = None
    max_words: int | None = None

    @property
    def slug(self) -> str:
        """Readable and one-to-one: `default`, `no_else`, `lower.k4`, `wording-synonym.w16` ..."""
        parts = [
            "" if self.ask_else else "no_else",
            "" if self.label_case == "as_is" else self.label_case,
            "" if self.label_order == "card" else self.label_order,
            "" if self.label_wording == CARD_WORDING else f"wording-{self.label_wording}",
            f"k{self.max_width}" if self.max_width else "",
            f"w{self.max_words}" if self.max_words else "",
        ]
        return ".".join(part for part in parts if part) or "default"


def effective(decoding: Decoding, card: DatasetCard) -> Decoding:
    """The same decoding where it makes no difference: without an `else` label, not asking for it changes nothing."""
    return decoding if card.else_label else replace(decoding, ask_else=True)


def decoding_for(protocol: ProtocolCard, changes: Mapping[str, Any]) -> Decoding:
    """The decoding a protocol asks for, with a study's decoding axes applied."""
    asked = {"ask_else": protocol.ask_else, "label_case": protocol.label_case, "label_order": protocol.label_order}
    return Decoding(**{**asked, **changes})


def with_own_width(decoding: Decoding, max_width: int) -> Decoding:
    """The same decoding, where a K that equals the model's own stands for it and needs no prediction of its own."""
    return replace(decoding, max_width=None) if decoding.max_width == max_width else decoding


def check_changes(where: str, changes: Mapping[str, Any]) -> None:
    """Refuses an unknown decoding axis or a value that it does not take; `where` names file and key."""
    for name, value in changes.items():
        if name not in Decoding.__slots__:
            raise InputError(f"{where}: unknown decoding axis `{name}`; known: {', '.join(Decoding.__slots__)}")
        if not _is_allowed(name, value):
            raise InputError(f"{where}: decoding axis `{name}` cannot be {value!r}; give {_allowed(name)}")


def wordings_of(study: StudyCard) -> list[str]:
    """Names of the wordings that a study asks in."""
    given = [*study.decoding_axes.get("label_wording", ())]
    for changes in study.decodings.values():
        value = changes.get("label_wording", CARD_WORDING)
        given += value.values() if isinstance(value, Mapping) else [value]
    return [name for name in dict.fromkeys(map(str, given)) if name != CARD_WORDING]


def _is_allowed(name: str, value: Any) -> bool:
    if name in _COUNTS:
        return value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0)
    if name in _CHOICES:
        return value in _CHOICES[name]
    return isinstance(value, bool if name == "ask_else" else str)


def _allowed(name: str) -> str:
    if name in _COUNTS:
        return "a whole number of at least 1, or null for the model's own"
    if name in _CHOICES:
        return f"one of {', '.join(_CHOICES[name])}"
    return "true or false" if name == "ask_else" else "the name of a wording, or card"
