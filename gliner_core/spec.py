"""Everything that changes a training, as frozen dataclasses with one canonical JSON form and a run id.

Defaults are the paper's recipe (arXiv 2311.08526 sections 2-3 and appendix A, completed by the author's first
release); `benchmarks/baseline.yaml` states each knob again with its source.
"""

import hashlib
import json
import types
import typing
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from functools import cache
from math import inf, isfinite
from pathlib import Path
from typing import Any, Literal

from gliner_core.errors import InputError
from gliner_core.files import read_json


@dataclass(frozen=True, slots=True, kw_only=True)
class BackboneSpec:
    """Where the encoder comes from: an installed package, a hub id, a folder, or random weights of a known shape."""

    name: str
    kind: Literal["package", "converted", "hub", "folder", "random"]
    location: str  # package name, hub id or folder; for `random` the location whose configuration is copied
    base: Literal["package", "converted", "hub", "folder"] = "package"  # how `location` is read: `kind` unless random
    revision: str | None = None
    sha256: str | None = None  # of model.safetensors; checked at every load
    num_layers: int | None = None  # keep only the first N transformer layers

    def __post_init__(self) -> None:
        if self.kind not in ("random", self.base):
            raise InputError(
                f"`model.backbone.kind` is {self.kind!r} and `model.backbone.base` is {self.base!r}; "
                "give both the same value"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """The architecture."""

    backbone: BackboneSpec
    hidden_size: int = 768  # D
    span_mode: str = "marker_v0"
    max_width: int = 12  # K, in words
    max_words: int = 384
    rnn: bool = True
    embed_ent_token: bool = True  # a type's vector is read at its <<ENT>> token; False = at the type's first sub-token
    dropout: float = 0.4
    score_bias: float | None = None  # initial value of a learnable bias on all scores; None = no bias (paper)


# Dotted knobs that decide what weights there are, or what they were trained to read: a training shares them with the
# one that it starts from. The others (K, window, dropout) may differ.
SHARED_WITH_START = (
    "model.hidden_size",
    "model.span_mode",
    "model.rnn",
    "model.embed_ent_token",
    "model.score_bias",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingSpec:
    """Which types stand in the prompt of a training example."""

    negative_ratio: int = 1  # r ~ U{0..ratio}; (number of gold entities) * r types are drawn from the pool
    negative_pool: Literal["per_example", "per_batch", "explicit"] = "per_example"  # see sampling.py
    type_dropping: bool = True
    shuffle_types: bool = True
    sort_types: bool = False  # the prompt in the order of its strings, as the author's supervised setup
    max_types: int = 25

    def __post_init__(self) -> None:
        if self.sort_types and self.shuffle_types:
            raise InputError("`sampling.sort_types` and `sampling.shuffle_types` are both true; set one to false")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveSpec:
    """The loss over valid (span, type) cells; formulas in loss.py."""

    name: str = "bce"  # bce = the paper's lineage; focal = the package since v0.1.14, which has bce as a special case
    positive_weight: float = 2.0  # of positive cells; 2 = the author's code until v0.1.13; 1 = equation 3, the package
    focal_alpha: float | None = None  # weight of positives, 1 - alpha of negatives; None = 1 and 1 (the package's -1)
    focal_gamma: float = 0.0  # exponent of (1 - probability of the right answer)
    probability_floor: float | None = None  # 1e-6 = the package since July 2025; None = exact logarithms

    def __post_init__(self) -> None:
        alpha, gamma, floor = self.focal_alpha, self.focal_gamma, self.probability_floor
        if self.name == "bce" and (alpha, gamma, floor) != (None, 0.0, None):
            raise InputError(
                "`objective.name` bce reads neither `focal_alpha` nor `focal_gamma` nor `probability_floor`; "
                "set `objective.name: focal` or remove them"
            )
        if not (alpha is None or 0 <= alpha <= 1) or not (floor is None or 0 < floor < 0.5):
            raise InputError(
                f"`objective.focal_alpha` is {alpha} and `objective.probability_floor` {floor}; "
                "give an alpha in [0, 1] and a floor in (0, 0.5), or null"
            )
        if not (gamma == 0 or gamma >= 1 or (floor is None and gamma > 0)):
            raise InputError(
                f"`objective.focal_gamma` is {gamma}; give 0 or at least 1 (without `probability_floor` any number "
                "that is not negative): below 1 the slope at a rounded probability of 0 is infinite"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimSpec:
    """The optimiser and its schedule."""

    steps: int = 30_000
    batch_size: int = 8
    lr_encoder: float = 1e-5
    lr_others: float = 5e-5
    weight_decay: float = 0.01
    warmup_ratio: float = 0.1
    grad_clip: float | None = None
    freeze_embeddings: bool = False
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    bucket_batches: int = 1  # batches are formed by length inside windows of this many batches; 1 = no bucketing
    trainer: Literal["gliner_core", "gliner-0.2.29"] = "gliner_core"  # whose loop runs; the other is the package's


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """The training corpus: its name and the digest of the cards that define it."""

    name: str
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSpec:
    """One training, fully resolved."""

    model: ModelSpec
    data: DataSpec
    sampling: SamplingSpec = field(default_factory=SamplingSpec)
    objective: ObjectiveSpec = field(default_factory=ObjectiveSpec)
    optim: OptimSpec = field(default_factory=OptimSpec)
    start: str | None = None  # id of the run whose weights this one starts from; None = the backbone and fresh heads
    seed: int = 1

    def __post_init__(self) -> None:
        positive = {
            "model.hidden_size": self.model.hidden_size,
            "model.max_width": self.model.max_width,
            "model.max_words": self.model.max_words,
            "optim.batch_size": self.optim.batch_size,
            "optim.bucket_batches": self.optim.bucket_batches,
            "sampling.max_types": self.sampling.max_types,
            "objective.positive_weight": self.objective.positive_weight,
            "optim.grad_clip": self.optim.grad_clip,
            "model.backbone.num_layers": self.model.backbone.num_layers,
        }
        not_negative = {
            "optim.steps": self.optim.steps,
            "optim.lr_encoder": self.optim.lr_encoder,
            "optim.lr_others": self.optim.lr_others,
            "optim.weight_decay": self.optim.weight_decay,
            "sampling.negative_ratio": self.sampling.negative_ratio,
        }
        for key, value in positive.items():
            if value is not None and not value > 0:  # written so that NaN is refused too
                raise InputError(f"`{key}` is {value}; give a positive number")
        for key, value in not_negative.items():
            if not value >= 0:
                raise InputError(f"`{key}` is {value}; it must not be negative")
        if not 0 <= self.model.dropout < 1 or not 0 <= self.optim.warmup_ratio <= 1:
            raise InputError("`model.dropout` must lie in [0, 1) and `optim.warmup_ratio` in [0, 1]")

    def canonical(self) -> str:
        """Sorted, compact JSON: the content that the run id stands for."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    def run_id(self, slug: str) -> str:
        """Readable slug plus 6 hex digits of the content."""
        return f"{slug}-{hashlib.sha256(self.canonical().encode()).hexdigest()[:6]}"

    def to_json(self) -> dict[str, Any]:
        """Nested plain data."""
        return asdict(self)


def spec_from_json(data: Any, where: str = "spec") -> TrainSpec:
    """Builds a TrainSpec; an unknown or missing key or a wrong type is an `InputError` naming the dotted key."""
    return _build(TrainSpec, data, where, "")


def read_spec(path: str | Path) -> TrainSpec:
    """Reads spec.json."""
    return spec_from_json(read_json(path), str(path))


def _build(cls: Any, data: Any, where: str, prefix: str) -> Any:
    if not isinstance(data, dict):
        raise InputError(f"{where}: `{prefix.rstrip('.') or 'spec'}` must be a mapping")
    known = _type_hints(cls)
    if unknown := sorted(set(data) - set(known)):
        raise InputError(f"{where}: unknown key `{prefix}{unknown[0]}`; known keys: {', '.join(known)}")
    required = [item.name for item in fields(cls) if _is_required(item)]
    if missing := [name for name in required if name not in data]:
        raise InputError(f"{where}: key `{prefix}{missing[0]}` is missing")
    values = {
        key: _build(known[key], value, where, f"{prefix}{key}.")
        if is_dataclass(known[key])
        else _check(known[key], value, f"{where}: `{prefix}{key}`")
        for key, value in data.items()
    }
    try:
        return cls(**values)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


@cache
def _type_hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _is_required(item: Any) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _check(annotation: Any, value: Any, where: str) -> Any:
    options = typing.get_args(annotation) if typing.get_origin(annotation) is types.UnionType else (annotation,)
    for option in options:
        if typing.get_origin(option) is Literal and value in typing.get_args(option):
            return value
        if option is float and isinstance(value, int | float) and not isinstance(value, bool):
            return _finite(value, where)
        if isinstance(option, type) and type(value) is option:
            return value
    wanted = " or ".join(_option_name(option) for option in options)
    raise InputError(f"{where} is {value!r}; it must be {wanted}")


def _finite(value: float, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:  # a whole number beyond any float
        number = inf
    if not isfinite(number):
        raise InputError(f"{where} is {number}; give a finite number")
    return number


def _option_name(option: Any) -> str:
    if typing.get_origin(option) is Literal:
        return " or ".join(map(repr, typing.get_args(option)))
    return {"NoneType": "null"}.get(option.__name__, option.__name__)
