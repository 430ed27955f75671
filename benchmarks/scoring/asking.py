"""The label strings of a prompt: which labels of a dataset are asked, how they are written, in which order.

Apart from scoring, because it decides prediction files: an edit of a metric must not cost model time.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from benchmarks.catalog.cards import DatasetCard
from gliner_core.errors import InputError
from gliner_core.seeding import generator

AS_WRITTEN: Mapping[str, str] = MappingProxyType({})  # the wording of the dataset card itself


class Asking(Protocol):
    """What decides the prompt: a protocol card, or a decoding of the grid."""

    @property
    def ask_else(self) -> bool: ...
    @property
    def label_case(self) -> str: ...
    @property
    def label_order(self) -> str: ...


def ask(asking: Asking, card: DatasetCard, wording: Mapping[str, str] = AS_WRITTEN) -> tuple[str, ...]:
    """The label strings of the prompt, in prompt order."""
    return tuple(answers(asking, card, wording))


def answers(asking: Asking, card: DatasetCard, wording: Mapping[str, str] = AS_WRITTEN) -> dict[str, str]:
    """Asked string -> label of the card, in prompt order; a label that the wording lacks is asked as it is."""
    labels = [label for label in card.labels if asking.ask_else or label != card.else_label]
    asked: dict[str, str] = {}
    for label in labels:
        text = _with_case(wording.get(label, label), asking.label_case)
        if text in asked:
            raise InputError(
                f"benchmarks/datasets/{card.name}.yaml: `labels` {asked[text]!r} and {label!r} are both asked as "
                f"{text!r} in `label_case` {asking.label_case}{' of a wording' if wording else ''}; rename one, or "
                "choose another case or wording"
            )
        asked[text] = label
    return {text: asked[text] for text in _in_order(list(asked), asking.label_order, card.name)}


def wording_for(card: DatasetCard, texts: Mapping[str, str]) -> dict[str, str]:
    """The part of a wording that is about one dataset; case is ignored where the exact label is absent."""
    found = {label: texts.get(label, texts.get(label.lower())) for label in card.labels}
    return {label: text for label, text in found.items() if text is not None}


def _with_case(label: str, case: str) -> str:
    if case == "title":  # first letters only: str.title would turn "TV show" into "Tv Show"
        return " ".join(word[:1].upper() + word[1:] for word in label.split(" "))
    return label.lower() if case == "lower" else label


def _in_order(labels: list[str], order: str, dataset: str) -> list[str]:
    if order == "sorted":
        return sorted(labels)
    if order.startswith("shuffled"):
        draw = generator(int(order.removeprefix("shuffled")), "label_order", dataset)
        return draw.sample(labels, len(labels))
    return labels[::-1] if order == "reversed" else labels
