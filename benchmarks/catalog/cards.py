"""The card models: every YAML card of `benchmarks/` is parsed into one of these, unknown keys refused.

The formats, key by key, are described in `benchmarks/README.md`.
"""

from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

CardName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$", max_length=80)]
# Titles stand in tables, and in CSV files that people open as spreadsheets: none may begin a formula there.
Title = Annotated[str, StringConstraints(pattern=r"^[^=+@\-\s\x00-\x1f][^\x00-\x1f\x7f]*$", max_length=300)]
SplitName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=80)]  # names a file
# Below a repository or a mirror, and never out of it: no `..`, no leading slash, no backslash, nothing invisible.
InnerPath = Annotated[
    str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^/\\\x00-\x1f\x7f][^\\\x00-\x1f\x7f]*$")
]
HubName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)?$", max_length=200)
]
Revision = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]*$", max_length=200)]
PackageName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class Card(BaseModel):
    """What every card carries: a name equal to its file name, a title for tables, and free notes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: CardName
    title: Title
    notes: str = ""
    supersedes: CardName | None = None


class SourceFile(BaseModel):
    """One pinned raw file: in a git repository at a commit, in a hub dataset at a revision, or a private copy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: InnerPath
    repo: HubName | None = None
    commit: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")] | None = None
    hub: HubName | None = None
    revision: Revision | None = None
    private: bool = False
    sha256: Sha256 | None = None
    bytes: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _pinned(self) -> "SourceFile":
        if sum([self.repo is not None, self.hub is not None, self.private]) != 1:
            raise ValueError("give either `repo` and `commit`, or `hub` and `revision`, or `private: true`")
        if ".." in self.path.split("/"):
            raise ValueError("`path` leaves its folder with `..`; write the path inside the repository or mirror")
        if self.repo and not self.commit:
            raise ValueError("a `repo` source needs `commit`")
        if self.hub and not self.revision:
            raise ValueError("a `hub` source needs `revision`")
        return self

    @property
    def url(self) -> str:
        """Public address of the raw file; a private file has none and is named by its path in the mirror."""
        if self.private:
            return self.path
        if self.repo:
            return f"https://raw.githubusercontent.com/{self.repo}/{self.commit}/{quote(self.path)}"
        revision = quote(self.revision or "", safe="")  # the branch refs/convert/parquet holds slashes
        return f"https://huggingface.co/datasets/{self.hub}/resolve/{revision}/{quote(self.path)}"


class OwnCopy(BaseModel):
    """Why a corpus cannot be fetched, and how the files must look that its owner puts in the mirror instead."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: str
    layout: str


class DatasetCard(Card):
    """One corpus: where its files are, how they are read, and the label strings a model is asked for."""

    language: Language = "en"
    script: str = "Latin"
    domain: str
    licence: str
    synthetic: bool = False
    tags: tuple[str, ...] = ()
    generator: Literal["demo"] | None = None
    reader: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    sources: dict[SplitName, tuple[SourceFile, ...]] = Field(default_factory=dict)
    bring_your_own: OwnCopy | None = None
    labels: tuple[str, ...] = ()
    rename: dict[str, str] = Field(default_factory=dict)
    drop_types: tuple[str, ...] = ()
    else_label: str | None = None
    gold_repairs: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _origin(self) -> "DatasetCard":
        if (self.generator is None) == (self.reader is None):
            raise ValueError("give either `generator` or `reader` with `sources`")
        if self.reader and not self.sources:
            raise ValueError("`sources` is empty; name at least one split and file")
        if any(item.private for items in self.sources.values() for item in items) != bool(self.bring_your_own):
            raise ValueError("`bring_your_own` and sources with `private: true` go together; give both or neither")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("`labels` holds a duplicate")
        if self.else_label and self.else_label not in self.labels:
            raise ValueError(f"`else_label` {self.else_label!r} is not one of `labels`")
        return self


class MixturePart(BaseModel):
    """One named source of a training mixture; `weight` is its share of the examples drawn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: CardName
    split: SplitName = "train"
    weight: float = Field(default=1.0, gt=0)
    notes: str = ""


class MixtureCard(Card):
    """Training data: weighted parts, cut into windows, with the hygiene rules that keep zero-shot honest."""

    parts: tuple[MixturePart, ...] = Field(min_length=1)
    dev: MixturePart | None = None
    num_examples: int | None = Field(default=None, gt=0)
    max_per_part: int | None = Field(default=None, gt=0)
    ask_all_labels: bool = False
    window_words: int | None = Field(default=None, gt=0)
    min_words: int = Field(default=1, gt=0)
    disjoint_from: tuple[CardName, ...] = ()
    overlap_ngram: int | None = Field(default=None, gt=1)
    exclude_types: tuple[str, ...] = ()


class SuiteCard(Card):
    """An ordered list of datasets with its protocol; `closed` suites are a paper's list and never change.

    `max_sentences` makes it a suite of samples: of each test set, at most so many sentences.
    """

    closed: bool
    datasets: tuple[CardName, ...] = ()
    tag: str | None = None
    split: SplitName = "test"
    max_sentences: int | None = Field(default=None, gt=0)
    protocol: CardName
    synthetic: bool = False

    @property
    def part(self) -> str:
        """What of a dataset is evaluated, as paths and metrics write it: `test`, or `test-2000` for a sample."""
        return f"{self.split}-{self.max_sentences}" if self.max_sentences else self.split

    @model_validator(mode="after")
    def _members(self) -> "SuiteCard":
        if self.closed and (not self.datasets or self.tag):
            raise ValueError("a closed suite lists `datasets` and has no `tag`")
        if not self.closed and (self.datasets or not self.tag):
            raise ValueError("an open suite has a `tag` and lists no `datasets`")
        if len(set(self.datasets)) != len(self.datasets):
            raise ValueError("`datasets` holds a duplicate")
        return self


class ProtocolCard(Card):
    """The evaluation convention: what is asked (decides the predictions) and how answers are scored."""

    ask_else: bool
    label_case: Literal["as_is", "lower", "title"] = "as_is"
    label_order: Literal["card", "sorted", "reversed", "shuffled1", "shuffled2", "shuffled3"] = "card"
    score_else: bool
    repair_gold: bool = False
    threshold: float = Field(default=0.5, ge=0, lt=1)
    overlap: Literal["flat", "flat_multi_label", "nested", "multi_label"] = "flat"
    unit: Literal["span", "string"] = "span"


class BackboneCard(Card):
    """One encoder and the learning rates tuned for it on development data."""

    kind: Literal["package", "converted", "hub", "folder", "random"]
    package: PackageName | None = None
    hub: HubName | None = None
    revision: Revision | None = None
    folder: str | None = None
    like: CardName | None = None
    sha256: Sha256 | None = None
    num_layers: int | None = Field(default=None, gt=0)
    parameters: int = Field(gt=0)
    layers: int | None = Field(default=None, gt=0)
    width: int | None = Field(default=None, gt=0)
    languages: tuple[Language, ...] = ("en",)
    lr_encoder: float | None = Field(default=None, gt=0)
    lr_others: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _location(self) -> "BackboneCard":
        needed = {"converted": "package", "random": "like"}.get(self.kind, self.kind)
        if getattr(self, needed) is None:
            raise ValueError(f"kind `{self.kind}` needs the key `{needed}`")
        if self.kind == "hub" and self.revision is None:
            raise ValueError("kind `hub` needs the key `revision`")
        if self.kind in ("package", "converted") and self.sha256 is None:
            raise ValueError(f"kind `{self.kind}` needs the `sha256` of its model.safetensors")
        return self


class SystemCard(Card):
    """A model this project did not train, evaluated beside the runs."""

    kind: Literal["random", "checkpoint", "gliner_package", "gliner2"]
    hub: HubName | None = None
    revision: Revision | None = None
    folder: str | None = None
    seed: int = 0

    @model_validator(mode="after")
    def _location(self) -> "SystemCard":
        if self.kind != "random" and (self.hub is None) == (self.folder is None):
            raise ValueError(f"kind `{self.kind}` needs either `hub` and `revision` or `folder`")
        if self.hub and not self.revision:
            raise ValueError("a `hub` system needs the key `revision`")
        return self


class Reference(BaseModel):
    """Which printed table a study is held against; `variant` answers for the `row` (or column) of that name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: CardName
    table: str
    row: str | None = None
    variant: str | None = None

    @model_validator(mode="after")
    def _answered(self) -> "Reference":
        if self.variant and not self.row:
            raise ValueError("`variant` needs the `row` that it answers for")
        return self


class StudyCard(Card):
    """A question: axes on the baseline, the suite that answers it, and the table and figure that show it.

    `suite` and `seeds` may differ by scale; the configuration's seeds go before both.
    """

    question: str
    claim: str
    suite: str | dict[str, str]
    seeds: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    protocols: tuple[CardName, ...] = ()
    axes: dict[str, Any] = Field(default_factory=dict)
    decoding_axes: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    decodings: dict[CardName, dict[str, Any]] = Field(default_factory=dict)
    variants: dict[CardName, dict[str, Any]] = Field(default_factory=dict)
    overrides: dict[str, Any] = Field(default_factory=dict)
    baseline_variant: str | None = None
    systems: tuple[CardName, ...] = ()
    references: tuple[Reference, ...] = ()
    analyses: tuple[str, ...] = ()
    layout: Literal["datasets", "axes"]
    figure: Literal["bars", "lines"]
    scales: tuple[str, ...] = ("demo", "pilot", "paper")


class ScaleCard(Card):
    """Data, backbone, sizes and recipe of one scale; what is asked and how it is scored never depends on it.

    `overrides` are dotted spec keys set on the baseline.
    """

    synthetic: bool
    backbone: CardName
    mixture: CardName
    suites: dict[str, CardName]
    studies: tuple[CardName, ...]
    seeds: tuple[int, ...] = Field(min_length=1)
    overrides: dict[str, Any] = Field(default_factory=dict)
    steps: dict[Literal["cpu", "gpu"], int]
    hours_per_run: dict[Literal["cpu", "gpu"], float] = Field(default_factory=dict)
    words_per_second: dict[Literal["cpu", "gpu"], float] = Field(default_factory=dict)
