"""Baseline + scale + backbone card + study overrides -> a fully resolved TrainSpec."""

import copy
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from benchmarks.catalog.cards import BackboneCard, ScaleCard
from benchmarks.catalog.registry import Registry
from gliner_core.errors import InputError
from gliner_core.spec import TrainSpec, spec_from_json

BACKBONE_KEY = "backbone"  # the one axis that is not a dotted spec key: it names a backbone card
MIXTURE_KEY = "mixture"  # likewise: it names a mixture card
START_KEY = "start"  # likewise: whose weights a training starts from; benchmarks/catalog/runs.py finds the run


def set_dotted(tree: dict[str, Any], key: str, value: Any, where: str) -> None:
    """Sets `a.b` in a nested mapping; the key must exist, so a typing error cannot add a knob nobody reads."""
    *path, last = key.split(".")
    node: Any = tree
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    if not isinstance(node, dict) or last not in node:
        raise InputError(f"{where}: `{key}` is no knob of benchmarks/baseline.yaml; correct the key")
    node[last] = value


def resolve(
    registry: Registry,
    scale: ScaleCard,
    overrides: Mapping[str, Any],
    *,
    device: str,
    seed: int,
    where: str,
    start: str | None = None,
) -> TrainSpec:
    """The training spec of one variant and seed. Later sources win: baseline, scale, backbone card, overrides.

    `start` is the id of the run whose weights the training starts from.
    """
    tree = copy.deepcopy(dict(registry.baseline))
    overrides = dict(overrides)
    backbone = overrides.pop(BACKBONE_KEY, scale.backbone)
    mixture = overrides.pop(MIXTURE_KEY, scale.mixture)
    if backbone not in registry.backbones:
        raise InputError(f"{where}: backbone {backbone!r} has no card; known: {', '.join(sorted(registry.backbones))}")
    if mixture not in registry.mixtures:
        raise InputError(f"{where}: mixture {mixture!r} has no card; known: {', '.join(sorted(registry.mixtures))}")
    for key, value in scale.overrides.items():
        set_dotted(tree, key, value, f"workflow/scales/{scale.name}.yaml")
    tree["optim"]["steps"] = scale.steps["gpu" if device == "cuda" else "cpu"]
    card = registry.backbones[backbone]
    tree["optim"] |= {key: getattr(card, key) for key in ("lr_encoder", "lr_others") if getattr(card, key)}
    for key, value in overrides.items():
        set_dotted(tree, key, value, where)
    tree["model"]["backbone"] = backbone_spec(registry, card)
    tree["data"] = {"name": mixture, "digest": mixture_digest(registry, mixture)}
    return spec_from_json(tree | {"start": start, "seed": seed}, where)


def backbone_spec(registry: Registry, card: BackboneCard) -> dict[str, Any]:
    """The part of a backbone card that decides the weights."""
    shape = registry.backbones[card.like] if card.like else card
    location = shape.package if shape.kind == "converted" else getattr(shape, shape.kind)
    return {
        "name": card.name,
        "kind": card.kind,
        "base": shape.kind,
        "location": location,
        "revision": shape.revision,
        "sha256": card.sha256 or shape.sha256,
        "num_layers": card.num_layers or shape.num_layers,
    }


def mixture_digest(registry: Registry, mixture: str) -> str:
    """Digest of the mixture card and of the cards it draws from: what the training data is, known before it is read."""
    card = registry.mixtures[mixture]
    parts = [*card.parts, *([card.dev] if card.dev else [])]
    tests = sorted({name for suite in card.disjoint_from for name in registry.suite_datasets(suite)})
    names = list(dict.fromkeys([*(part.dataset for part in parts), *tests]))
    content = [_content(card)] + [_content(registry.datasets[name]) for name in names]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _content(card: Any) -> dict[str, Any]:
    return card.model_dump(mode="json", exclude={"title", "notes", "licence"})


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mapping -> one level with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
