"""A repository of the smallest valid cards, written by the test that changes one of them."""

import shutil
from pathlib import Path
from typing import Any

import yaml

from benchmarks.catalog.grid import Grid, build_grid
from benchmarks.catalog.registry import Registry, load_registry
from benchmarks.catalog.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
COMMIT, SHA = "0" * 40, "1" * 64


def _dataset(name: str, tag: str, **keys: Any) -> dict[str, Any]:
    source = {"repo": "a/b", "commit": COMMIT, "path": "x.txt", "sha256": SHA}
    given = {"name": name, "title": name, "domain": "test", "licence": "CC0 1.0", "tags": [tag], "reader": "conll"}
    return given | {"sources": {"train": [source], "test": [source]}, "labels": ["person", "else"]} | keys


CARDS: dict[str, dict[str, Any]] = {
    "benchmarks/datasets/alpha.yaml": _dataset("alpha", "news", else_label="else"),
    "benchmarks/datasets/beta.yaml": _dataset("beta", "news"),
    "benchmarks/datasets/gamma.yaml": _dataset("gamma", "training"),
    "benchmarks/mixtures/mix.yaml": {
        "name": "mix",
        "title": "Mix",
        "parts": [{"dataset": "gamma"}],
        "disjoint_from": ["tested"],
    },
    "benchmarks/suites/tested.yaml": {
        "name": "tested",
        "title": "Tested",
        "closed": True,
        "datasets": ["beta", "alpha"],
        "protocol": "plain",
    },
    "benchmarks/suites/tagged.yaml": {
        "name": "tagged",
        "title": "Tagged",
        "closed": False,
        "tag": "news",
        "protocol": "plain",
    },
    "benchmarks/protocols/plain.yaml": {"name": "plain", "title": "Plain", "ask_else": True, "score_else": True},
    "benchmarks/protocols/without.yaml": {
        "name": "without",
        "title": "Without",
        "ask_else": False,
        "score_else": False,
    },
    "benchmarks/backbones/small.yaml": {
        "name": "small",
        "title": "Small",
        "kind": "package",
        "package": "a_package",
        "sha256": SHA,
        "parameters": 10,
        "lr_encoder": 2.0e-4,
    },
    "benchmarks/backbones/noise.yaml": {
        "name": "noise",
        "title": "Noise",
        "kind": "random",
        "like": "small",
        "parameters": 10,
        "lr_others": 3.0e-3,
    },
    "benchmarks/systems/chance.yaml": {"name": "chance", "title": "Chance", "kind": "random"},
    "benchmarks/studies/main.yaml": {
        "name": "main",
        "title": "Main",
        "question": "?",
        "claim": "!",
        "suite": "ood",
        "protocols": ["plain", "without"],
        "variants": {"untrained": {"optim.steps": 0}},
        "systems": ["chance"],
        "layout": "datasets",
        "figure": "bars",
        "scales": ["tiny"],
    },
    "benchmarks/studies/width.yaml": {
        "name": "width",
        "title": "Width",
        "question": "?",
        "claim": "!",
        "suite": "ood",
        "axes": {"model.max_width": [4, 12], "backbone": {"tiny": ["small", "noise"]}},
        "decoding_axes": {"max_width": [None, 2]},
        "layout": "axes",
        "figure": "lines",
        "scales": ["tiny"],
    },
    "workflow/scales/tiny.yaml": {
        "name": "tiny",
        "title": "Tiny",
        "synthetic": True,
        "backbone": "small",
        "mixture": "mix",
        "suites": {"ood": "tested"},
        "studies": ["main", "width"],
        "seeds": [1, 2],
        "steps": {"cpu": 10, "gpu": 100},
        "overrides": {"model.hidden_size": 64},
    },
}


def write_repository(root: Path) -> Path:
    """All cards above and the project's own baseline."""
    for path, card in CARDS.items():
        write_card(root, path, card)
    shutil.copy(ROOT / "benchmarks" / "baseline.yaml", root / "benchmarks" / "baseline.yaml")
    return root


def write_card(root: Path, path: str, card: dict[str, Any]) -> None:
    """One card."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(yaml.safe_dump(card, sort_keys=False), encoding="utf-8")


def change_card(root: Path, path: str, **keys: Any) -> None:
    """One of the cards with other keys; a key set to the string `-` is taken out."""
    card = {key: value for key, value in (CARDS[path] | keys).items() if value != "-"}
    write_card(root, path, card)


def grid_of(root: Path | Registry, device: str = "cpu", **config: Any) -> Grid:
    """The grid of scale tiny unless the configuration says otherwise."""
    registry = root if isinstance(root, Registry) else load_registry(root)
    return build_grid(registry, load_settings({"scale": "tiny"} | config, registry), device)
