"""Reads every card below `benchmarks/` and `workflow/scales/` into one checked registry.

Each fault is one sentence with file and key; references between cards are followed, so that a name that does not exist
is found before any work starts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from benchmarks.catalog.analyses import ANALYSES
from benchmarks.catalog.cards import (
    BackboneCard,
    Card,
    DatasetCard,
    MixtureCard,
    ProtocolCard,
    ScaleCard,
    StudyCard,
    SuiteCard,
    SystemCard,
)
from benchmarks.catalog.decoding import wordings_of
from benchmarks.catalog.measurement import MeasurementCard
from benchmarks.catalog.wording import WordingCard
from gliner_core.errors import InputError
from gliner_core.files import read_text

AnyCard = TypeVar("AnyCard", bound=Card)
AnyModel = TypeVar("AnyModel", bound=BaseModel)

KINDS: Mapping[str, type[Card]] = {
    "backbones": BackboneCard,
    "datasets": DatasetCard,
    "mixtures": MixtureCard,
    "suites": SuiteCard,
    "protocols": ProtocolCard,
    "systems": SystemCard,
    "studies": StudyCard,
    "measurements": MeasurementCard,
    "wordings": WordingCard,
    "scales": ScaleCard,
}


MOST_NODES = 200_000  # of one YAML file; aliases of aliases reach billions in a few lines


class _StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key given twice (the default keeps the last one silently) and aliases that explode."""

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None and _size(node, {}) > MOST_NODES:
            raise yaml.YAMLError(f"its aliases make more than {MOST_NODES} values or contain themselves")
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        own = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        keys = [self.construct_object(key, deep=True) for key in own]
        if repeated := [key for index, key in enumerate(keys) if key in keys[:index]]:
            raise yaml.constructor.ConstructorError(None, None, f"key `{repeated[0]}` is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _size(node: yaml.Node, known: dict[int, float]) -> float:
    """Values that a node stands for when every alias is written out; infinite where it contains itself."""
    if id(node) not in known:
        known[id(node)] = float("inf")
        parts = node.value if isinstance(node, yaml.CollectionNode) else ()
        inner = [item for part in parts for item in (part if isinstance(part, tuple) else (part,))]
        known[id(node)] = 1 + sum(_size(item, known) for item in inner)
    return known[id(node)]


def read_yaml(path: Path) -> Any:
    """Plain data of a YAML file; a syntax error or repeated key is an `InputError` with file and line."""
    return parse_yaml(read_text(path), path)


def parse_yaml(text: str, where: str | Path) -> Any:
    """Plain data of YAML text: strings, finite numbers, booleans, null, lists, and mappings with strings as keys."""
    try:
        value = yaml.load(text, Loader=_StrictLoader)
        _check_plain(value)
        return value
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{where}:{line}: {error.problem}; correct the YAML") from None
    except RecursionError:
        raise InputError(f"{where}: nested too deeply; correct the file") from None
    except (yaml.YAMLError, ValueError, AttributeError, KeyError) as error:
        # Beside its own error PyYAML lets pass those of dates, numbers and tags whose text does not suit them.
        raise InputError(f"{where}: not readable as YAML ({' '.join(str(error).split())}); correct the file") from None


def _check_plain(value: Any) -> None:
    if isinstance(value, dict):
        if odd := [key for key in value if not isinstance(key, str)]:
            raise ValueError(f"the key {odd[0]!r} is no string, write it in quotes")
        for item in (*value, *value.values()):
            _check_plain(item)
    elif isinstance(value, list):
        for item in value:
            _check_plain(item)
    elif isinstance(value, float):
        if not isfinite(value):
            raise ValueError(f"{value} is no finite number")
    elif isinstance(value, str):
        value.encode()  # half of a surrogate pair fits no file
    elif not (value is None or isinstance(value, int)):
        raise ValueError(f"{str(value)!r} is a {type(value).__name__}, write it in quotes")


def parse(model: type[AnyModel], data: Any, where: str | Path) -> AnyModel:
    """Builds a pydantic model; the first fault is reported as one sentence with its key."""
    if not isinstance(data, Mapping):
        raise InputError(f"{where}: expected `key: value` lines; write a mapping")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            known = ", ".join(sorted(model.model_fields))
            raise InputError(f"{where}: unknown key `{key}`; remove it or use one of: {known}") from None
        if fault["type"] == "missing":
            raise InputError(f"{where}: key `{key}` is missing; add it") from None
        message = fault["msg"].removeprefix("Value error, ")
        raise InputError(f"{where}: {f'`{key}`: ' if key else ''}{message} (given: {_short(fault['input'])})") from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def read_cards(folder: Path, model: type[AnyCard]) -> dict[str, AnyCard]:
    """Every YAML card of a folder by name; a card is named like its file."""
    cards: dict[str, AnyCard] = {}
    for path in sorted(folder.glob("*.yaml")):
        card = parse(model, read_yaml(path), path)
        if card.name in cards:
            raise InputError(f"{path}: duplicate name {card.name!r}; rename the card and its file")
        if card.name != path.stem:
            raise InputError(f"{path}: `name` is {card.name!r}; a card is named like its file, {path.stem!r}")
        cards[card.name] = card
    return cards


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """All cards by kind and name, and the baseline recipe."""

    root: Path
    backbones: Mapping[str, BackboneCard]
    datasets: Mapping[str, DatasetCard]
    mixtures: Mapping[str, MixtureCard]
    suites: Mapping[str, SuiteCard]
    protocols: Mapping[str, ProtocolCard]
    systems: Mapping[str, SystemCard]
    studies: Mapping[str, StudyCard]
    measurements: Mapping[str, MeasurementCard]
    wordings: Mapping[str, WordingCard]
    scales: Mapping[str, ScaleCard]
    baseline: Mapping[str, Any]

    def suite_datasets(self, suite: str) -> tuple[str, ...]:
        """Members of a suite in order; an open suite collects datasets by tag, sorted by name."""
        card = self.suites[suite]
        if card.closed:
            return card.datasets
        return tuple(name for name in sorted(self.datasets) if card.tag in self.datasets[name].tags)


def load_registry(root: Path) -> Registry:
    """Reads and cross-checks all cards below the repository root."""
    cards = root / "benchmarks"
    registry = Registry(
        root=root,
        backbones=read_cards(cards / "backbones", BackboneCard),
        datasets=read_cards(cards / "datasets", DatasetCard),
        mixtures=read_cards(cards / "mixtures", MixtureCard),
        suites=read_cards(cards / "suites", SuiteCard),
        protocols=read_cards(cards / "protocols", ProtocolCard),
        systems=read_cards(cards / "systems", SystemCard),
        studies=read_cards(cards / "studies", StudyCard),
        measurements=read_cards(cards / "measurements", MeasurementCard),
        wordings=read_cards(cards / "wordings", WordingCard),
        scales=read_cards(root / "workflow" / "scales", ScaleCard),
        baseline=read_yaml(cards / "baseline.yaml"),
    )
    check_references(registry)
    return registry


def check_references(registry: Registry) -> None:
    """Every name that a card gives must be the name of a card; raises `InputError` with file and key."""
    known = registry.datasets, "datasets"
    for card in registry.mixtures.values():
        parts = [*card.parts, *([card.dev] if card.dev else [])]
        _exist("mixtures", card.name, "parts", [part.dataset for part in parts], *known)
        _exist("mixtures", card.name, "disjoint_from", card.disjoint_from, registry.suites, "suites")
    for card in registry.suites.values():
        _exist("suites", card.name, "datasets", card.datasets, *known)
        _exist("suites", card.name, "protocol", [card.protocol], registry.protocols, "protocols")
        _check_members(registry, card)
    shapes = {name: card for name, card in registry.backbones.items() if card.kind != "random"}
    for card in registry.backbones.values():
        _exist("backbones", card.name, "like", [card.like] if card.like else [], shapes, "backbones with weights")
    for card in registry.studies.values():
        _exist("studies", card.name, "protocols", card.protocols, registry.protocols, "protocols")
        _exist("studies", card.name, "systems", card.systems, registry.systems, "systems")
        _exist("studies", card.name, "scales", card.scales, registry.scales, "scales")
        _exist("studies", card.name, "seeds", card.seeds, registry.scales, "scales")
        _exist("studies", card.name, "analyses", card.analyses, ANALYSES, "analyses")
        _exist("studies", card.name, "label_wording", wordings_of(card), registry.wordings, "wordings")
    for card in registry.measurements.values():
        _exist("measurements", card.name, "backbone", [card.backbone], registry.backbones, "backbones")
        _exist("measurements", card.name, "scales", card.scales, registry.scales, "scales")
    for card in registry.scales.values():
        _exist("scales", card.name, "backbone", [card.backbone], registry.backbones, "backbones")
        _exist("scales", card.name, "mixture", [card.mixture], registry.mixtures, "mixtures")
        _exist("scales", card.name, "suites", card.suites.values(), registry.suites, "suites")
        _exist("scales", card.name, "studies", card.studies, registry.studies, "studies")


def _check_members(registry: Registry, suite: SuiteCard) -> None:
    where, members = f"benchmarks/suites/{suite.name}.yaml", registry.suite_datasets(suite.name)
    if not members:
        raise InputError(f"{where}: `tag` {suite.tag!r} stands on no dataset card; add it to one or correct it")
    if silent := [name for name in members if not registry.datasets[name].labels]:
        raise InputError(
            f"{where}: the suite holds {silent[0]!r}, whose card has no `labels` to ask for; add them or take it out"
        )


def _exist(folder: str, card: str, key: str, names: Iterable[str], known: Mapping[str, Any], kind: str) -> None:
    home = "workflow" if folder == "scales" else "benchmarks"
    for name in names:
        if name not in known:
            raise InputError(
                f"{home}/{folder}/{card}.yaml: `{key}` names {name!r}, which is not among the {kind}; "
                f"correct the name or add a card (known: {', '.join(sorted(known)) or 'none'})"
            )
