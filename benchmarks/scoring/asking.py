"""The label strings of a prompt: which labels of a dataset are asked, how they are written, in which order.

Apart from scoring, because it decides prediction files: an edit of a metric must not cost model time.
"""

from typing import Protocol

from benchmarks.catalog.cards import DatasetCard
from gliner_core.errors import InputError


class Asking(Protocol):
    """What decides the prompt: a protocol card, or a decoding of the grid."""

    @property
    def ask_else(self) -> bool: ...
    @property
    def label_case(self) -> str: ...
    @property
    def label_order(self) -> str: ...


def ask(asking: Asking, card: DatasetCard) -> tuple[str, ...]:
    """The label strings of the prompt, in prompt order."""
    return tuple(answers(asking, card))


def answers(asking: Asking, card: DatasetCard) -> dict[str, str]:
    """Asked string -> label of the card, in prompt order."""
    labels = [label for label in card.labels if asking.ask_else or label != card.else_label]
    asked: dict[str, str] = {}
    for label in labels:
        text = _with_case(label, asking.label_case)
        if text in asked:
            raise InputError(
                f"benchmarks/datasets/{card.name}.yaml: `labels` {asked[text]!r} and {label!r} are both asked as "
                f"{text!r} in `label_case` {asking.label_case}; rename one or choose another case"
            )
        asked[text] = label
    return {text: asked[text] for text in _in_order(list(asked), asking.label_order)}


def _with_case(label: str, case: str) -> str:
    if case == "title":  # first letters only: str.title would turn "TV show" into "Tv Show"
        return " ".join(word[:1].upper() + word[1:] for word in label.split(" "))
    return label.lower() if case == "lower" else label


def _in_order(labels: list[str], order: str) -> list[str]:
    if order == "sorted":
        return sorted(labels)
    return labels[::-1] if order == "reversed" else labels
