"""How many jobs a scale needs, counted from the YAML cards alone: a second opinion that imports nothing of the project.

The grid resolves every variant to a full specification and tells runs apart by its digest; here two variants are one
run where they set every knob to the same value, defaults included.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import yaml

Knobs = frozenset[tuple[str, str]]
# What a training has in common with the one that it starts from; everything else of that one is the baseline's.
SHARED = ("backbone", *(f"model.{key}" for key in ("hidden_size", "span_mode", "rnn", "embed_ent_token", "score_bias")))


def load(root: Path, kind: str, name: str) -> dict[str, Any]:
    """One card as plain data."""
    folder = root / "workflow" / "scales" if kind == "scales" else root / "benchmarks" / kind
    return yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))


def knobs(root: Path, scale: Mapping[str, Any], changes: Mapping[str, Any]) -> Knobs:
    """Every knob of a training with its value."""
    baseline = yaml.safe_load((root / "benchmarks" / "baseline.yaml").read_text(encoding="utf-8"))
    defaults = {f"{part}.{key}": value for part, keys in baseline.items() for key, value in keys.items()}
    chosen = {"optim.steps": scale["steps"]["cpu"], "backbone": scale["backbone"], "mixture": scale["mixture"]}
    chosen["start"] = None
    return frozenset(
        (key, str(value)) for key, value in (defaults | scale.get("overrides", {}) | chosen | changes).items()
    )


def points(study: Mapping[str, Any], scale: str) -> list[dict[str, Any]]:
    """What each variant of a study sets."""
    axes = {
        key: values[scale] if isinstance(values, Mapping) else values for key, values in study.get("axes", {}).items()
    }
    # An empty backbone or mixture stands for the scale's own.
    grid = [
        {key: value for key, value in zip(axes, values, strict=True) if value is not None}
        for values in product(*axes.values())
    ]
    shared = study.get("overrides", {}).items()
    common = {key: value.get(scale) if isinstance(value, Mapping) else value for key, value in shared}
    common = {key: value for key, value in common.items() if value is not None}
    return [common | point for point in grid + list(study.get("variants", {}).values())]


def members(root: Path, suite: str) -> list[str]:
    """Datasets of a suite, listed or by tag."""
    card = load(root, "suites", suite)
    names = [path.stem for path in (root / "benchmarks" / "datasets").glob("*.yaml")]
    return card.get("datasets") or [
        name for name in names if card["tag"] in load(root, "datasets", name).get("tags", [])
    ]


def job_counts(
    root: Path, scale_name: str, studies: Sequence[str] | None = None, seeds: Iterable[int] | None = None
) -> dict[str, int]:
    """Rule -> number of jobs of a scale that has not run yet."""
    scale = load(root, "scales", scale_name)
    cards = [load(root, "studies", name) for name in studies or scale["studies"]]
    batches: dict[tuple[Knobs | str, int, str], None] = {}  # in the order of the studies
    starts: set[tuple[Knobs | str, int]] = set()
    for study in cards:
        role = study["suite"][scale_name] if isinstance(study["suite"], Mapping) else study["suite"]
        suite = scale["suites"].get(role, role)
        mine = list(seeds or study.get("seeds", {}).get(scale_name, scale["seeds"]))
        for point in points(study, scale_name):
            batches |= dict.fromkeys((knobs(root, scale, point), seed, suite) for seed in mine)
            if "start" in point:
                parent = knobs(root, scale, {key: value for key, value in point.items() if key in SHARED})
                starts |= {(parent, seed) for seed in mine}
        batches |= dict.fromkeys((system, 0, suite) for system in study.get("systems", []))
    owners = {owner[:2] for owner in batches}
    suites = {suite for *_, suite in batches}
    # The scale's own mixture in any case: the leakage report is about it.
    mixtures = {scale["mixture"]} | {dict(run)["mixture"] for run, _ in owners if not isinstance(run, str)}
    data = datasets(root, mixtures, suites)
    downloads = [name for name in data if "sources" in load(root, "datasets", name)]
    found = {
        "fetch": len(downloads),
        "prepare": len(data),
        "check_leakage": len(suites),
        "train": sum(not isinstance(owner, str) for owner, _ in owners | starts),
        "sample": len({place for suite in suites for place in places(root, suite) if "-" in place[1]}),
        "predict": len(with_cells_of_their_own(root, batches)),
        "score": len(with_cells_of_their_own(root, batches)),
        "track": len(owners),
    }
    found |= dict.fromkeys(("collect", "compare", "pair", "tabulate", "plot"), len(cards))
    found |= dict.fromkeys(("gather", "present"), sum(len(card.get("analyses", [])) for card in cards))
    found["word"] = len({name for card in cards for name in wordings(card, scale_name)})
    found |= dict.fromkeys(("open_store", "publish", "all"), 1) | {"mix": len(mixtures)}
    return {rule: number for rule, number in found.items() if number}


def places(root: Path, suite: str) -> set[tuple[str, str]]:
    """Dataset and part of it that a suite evaluates; a sample of a split is another part than the split."""
    card = load(root, "suites", suite)
    number = card.get("max_sentences")
    part = card.get("split", "test") + (f"-{number}" if number else "")
    return {(name, part) for name in members(root, suite)}


def with_cells_of_their_own(root: Path, batches: Iterable[tuple[Knobs | str, int, str]]) -> list[str]:
    """Suites of the batches that an owner has not answered whole as a part of an earlier suite."""
    answered: dict[tuple[Knobs | str, int], set[tuple[str, str]]] = {}
    found = []
    for owner, seed, suite in batches:
        known = answered.setdefault((owner, seed), set())
        if not places(root, suite) <= known:
            found.append(suite)
        known |= places(root, suite)
    return found


def wordings(study: Mapping[str, Any], scale: str) -> list[str]:
    """Wordings that a study asks in at a scale."""
    values = [changes["label_wording"] for changes in study.get("decodings", {}).values() if "label_wording" in changes]
    values += study.get("decoding_axes", {}).get("label_wording", [])
    named = [value.get(scale, "card") if isinstance(value, Mapping) else value for value in values]
    return [name for name in named if name != "card"]


def datasets(root: Path, mixtures: Iterable[str], suites: Iterable[str]) -> set[str]:
    """Datasets that are evaluated, trained on, or kept out of the training data."""
    cards = [load(root, "mixtures", name) for name in mixtures]
    parts = [part for card in cards for part in [*card["parts"], *([card["dev"]] if card.get("dev") else [])]]
    apart = {suite for card in cards for suite in card.get("disjoint_from", [])}
    return {name for suite in {*suites, *apart} for name in members(root, suite)} | {part["dataset"] for part in parts}
