"""The part of a protocol (and of a study's decoding axes) that decides a prediction file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.catalog.cards import DatasetCard, ProtocolCard

SYSTEM_WIDTH = 12  # K of the random scorer: the paper's


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """What decides a prediction file beside the model: the labels as asked, and K at inference."""

    ask_else: bool = True
    label_case: str = "as_is"
    label_order: str = "card"
    max_width: int | None = None

    @property
    def slug(self) -> str:
        """Readable and one-to-one: `default`, `no_else`, `lower.k4` ..."""
        parts = [
            "" if self.ask_else else "no_else",
            "" if self.label_case == "as_is" else self.label_case,
            "" if self.label_order == "card" else self.label_order,
            f"k{self.max_width}" if self.max_width else "",
        ]
        return ".".join(part for part in parts if part) or "default"


def effective(decoding: Decoding, card: DatasetCard) -> Decoding:
    """The same decoding where it makes no difference: without an `else` label, not asking for it changes nothing."""
    return decoding if card.else_label else replace(decoding, ask_else=True)


def decoding_for(protocol: ProtocolCard, changes: Mapping[str, Any]) -> Decoding:
    """The decoding a protocol asks for, with a study's decoding axes applied."""
    asked = {"ask_else": protocol.ask_else, "label_case": protocol.label_case, "label_order": protocol.label_order}
    return Decoding(**{**asked, **changes})
