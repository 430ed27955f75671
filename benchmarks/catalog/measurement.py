"""The card of what is timed rather than scored: `python -m benchmarks efficiency` and the study of the same name.

The keys are described in `benchmarks/README.md`.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from benchmarks.catalog.cards import Card, CardName

Work = Literal[
    "training", "inference", "latency", "operations", "collate", "decode", "parts", "widths", "memory_training",
    "memory_inference",
]  # fmt: skip
CASES = "cases.csv"  # the file of all figures, beside the pages that show them
Words = Annotated[int, Field(gt=0)]


class Shape(BaseModel):
    """What a step works on: examples of a batch, types of a prompt, length of the texts, span width K."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch: int = Field(gt=0)
    types: int = Field(gt=0)
    text: str
    max_width: int = Field(gt=0)
    candidates: Literal["few", "many"] = "few"

    @property
    def slug(self) -> str:
        """Name of the case in tables and files."""
        name = f"b{self.batch}-t{self.types}-{self.text}-k{self.max_width}"
        return name if self.candidates == "few" else f"{name}-{self.candidates}"


class Change(BaseModel):
    """How a case differs from the base; empty = the base itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch: int | None = Field(default=None, gt=0)
    types: int | None = Field(default=None, gt=0)
    text: str | None = None
    max_width: int | None = Field(default=None, gt=0)
    candidates: Literal["few", "many"] | None = None


class Size(BaseModel):
    """How much is measured: rounds, warm-up, processes per memory figure, and the cases of each kind of work."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rounds: int = Field(gt=0)
    warmup: int = Field(gt=0)
    processes: int = Field(gt=0)
    cases: dict[Work, tuple[Change, ...]]


class Target(BaseModel):
    """A demand on one measured median."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    work: Work
    case: Change = Change()
    pair: str
    measure: str
    at_least: float | None = Field(default=None, gt=0)
    at_most: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _bound(self) -> "Target":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give either `at_least` or `at_most`")
        return self


class MeasurementCard(Card):
    """Our model beside the published package: network, texts, cases of one-factor changes, and targets."""

    backbone: CardName
    hidden_size: int = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)
    seed: int
    lr_encoder: float = Field(gt=0)
    lr_others: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    grad_clip: float = Field(gt=0)
    base: Shape
    narrow_width: int = Field(gt=0)
    texts: dict[str, tuple[Words, Words]]
    min_texts: int = Field(gt=0)
    batches: int = Field(gt=0)
    entities_per_text: float = Field(gt=0)
    sizes: dict[CardName, Size]
    scales: dict[CardName, CardName]
    targets: tuple[Target, ...] = ()

    @model_validator(mode="after")
    def _names(self) -> "MeasurementCard":
        changes = [change for size in self.sizes.values() for cases in size.cases.values() for change in cases]
        used = {self.base.text, *(change.text for change in [*changes, *(item.case for item in self.targets)])}
        if unknown := sorted(used - set(self.texts) - {None}):
            raise ValueError(f"a case names the text {unknown[0]!r}, which is not among `texts`")
        if unknown := sorted(set(self.scales.values()) - set(self.sizes)):
            raise ValueError(f"`scales` names the size {unknown[0]!r}, which is not among `sizes`")
        if reversed_ := sorted(name for name, (low, high) in self.texts.items() if low > high):
            raise ValueError(f"the text {reversed_[0]!r} has more words at least than at most")
        return self

    def shape(self, change: Change) -> Shape:
        """The base with a change."""
        return self.base.model_copy(update=change.model_dump(exclude_none=True))

    def content(self) -> dict[str, Any]:
        """What decides the figures: the card without titles, notes and targets."""
        return self.model_dump(mode="json", exclude={"title", "notes", "targets"})
