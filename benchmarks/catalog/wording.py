"""The card of a wording: other strings for the labels of the datasets, to ask the same types in other words.

The keys are described in `benchmarks/README.md`.
"""

from typing import Literal

from pydantic import Field, model_validator

from benchmarks.catalog.cards import Card, SourceFile


class WordingCard(Card):
    """Label -> what is asked instead: listed under `texts`, or read from a pinned public file."""

    licence: str
    texts: dict[str, str] = Field(default_factory=dict)
    source: SourceFile | None = None
    reader: Literal["slimer"] | None = None

    @model_validator(mode="after")
    def _origin(self) -> "WordingCard":
        if bool(self.texts) == (self.source is not None):
            raise ValueError("give either `texts` or `source` with its `reader`")
        if (self.source is None) != (self.reader is None):
            raise ValueError("`source` needs a `reader`, and a `reader` needs a `source`")
        if empty := [label for label, text in self.texts.items() if not text.strip()]:
            raise ValueError(f"`texts` gives {empty[0]!r} no words")
        return self
