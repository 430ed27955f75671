"""Says where a demo test set is not zero-shot: types, spans, phrases and sentences it shares with the training set.

The demo data promise that this list is empty for every `demo_ood_*`; the workflow measures the same on all scales in
`leakage.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from gliner_core.examples import Example

MIN_PHRASE_CHARS = 4


def leaks(train: Iterable[Example], test: Iterable[Example]) -> list[str]:
    """One line per shared type, span surface, phrase or sentence; empty when the sets are disjoint."""
    train, test = list(train), list(test)
    return [
        *(f"type {name!r} occurs in training" for name in sorted(_types(test) & _types(train))),
        *(f"surface {text!r} is a training span" for text in sorted(surfaces(test) & surfaces(train))),
        *(f"phrase {text!r} occurs in training text" for text in _shared_phrases(train, test)),
        *(f"sentence {text!r} occurs in training" for text in sorted(_sentences(test) & _sentences(train))),
    ]


def surfaces(examples: Iterable[Example]) -> set[str]:
    """Case-folded texts of all spans."""
    return {example.text(span).casefold() for example in examples for span in example.spans}


def _shared_phrases(train: list[Example], test: list[Example]) -> list[str]:
    text = "\n".join(f" {sentence} " for sentence in sorted(_sentences(train)))
    return sorted(name for name in surfaces(test) if len(name) >= MIN_PHRASE_CHARS and f" {name} " in text)


def _types(examples: list[Example]) -> set[str]:
    return {_singular(span.type.casefold()) for example in examples for span in example.spans}


def _singular(name: str) -> str:
    for ending, replacement in (("ies", "y"), ("sses", "ss"), ("ss", "ss"), ("s", "")):
        if name.endswith(ending):
            return name.removesuffix(ending) + replacement
    return name


def _sentences(examples: list[Example]) -> set[str]:
    return {" ".join(example.words).casefold() for example in examples}
