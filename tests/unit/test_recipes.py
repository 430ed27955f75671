"""Baseline, scale, backbone card and overrides become one spec; later ones win, and no knob is invented."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from catalog_support import change_card, write_repository

from benchmarks.catalog.recipes import flatten, mixture_digest, resolve
from benchmarks.catalog.registry import load_registry
from gliner_core.errors import InputError
from gliner_core.spec import TrainSpec, spec_from_json

UNSET = {"model.backbone", "optim.steps"}  # filled by the scale


def _resolved(root: Path, device: str = "cpu", **overrides: Any) -> TrainSpec:
    registry = load_registry(root)
    named = {key.replace("__", "."): value for key, value in overrides.items()}
    return resolve(registry, registry.scales["tiny"], named, device=device, seed=7, where="here")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_repository(tmp_path)


def test_the_baseline_states_every_knob_with_the_packages_default(root: Path) -> None:
    stated = flatten(load_registry(root).baseline)
    backbone = {"name": "b", "kind": "package", "location": "b"}
    defaults = spec_from_json({"model": {"backbone": backbone}, "data": {"name": "d"}})
    tree = {key: value for key, value in asdict(defaults).items() if key not in ("data", "start", "seed")}
    tree["model"] |= {"backbone": None}
    assert {key for key, value in stated.items() if value is None} >= UNSET
    assert {key: value for key, value in stated.items() if key not in UNSET} == {
        key: value for key, value in flatten(tree).items() if key not in UNSET
    }


def test_later_sources_win(root: Path) -> None:
    spec = _resolved(root)
    assert spec.model.hidden_size == 64  # scale over baseline
    assert (spec.optim.steps, _resolved(root, "cuda").optim.steps) == (10, 100)  # by device
    assert (spec.optim.lr_encoder, spec.optim.lr_others) == (2e-4, 5e-5)  # card over baseline where it has one
    assert _resolved(root, optim__lr_encoder=1e-3, model__hidden_size=8).optim.lr_encoder == 1e-3  # overrides over all
    assert _resolved(root, model__hidden_size=8).model.hidden_size == 8
    assert (spec.seed, spec.data.name) == (7, "mix")
    set_here = {"model.backbone", "model.hidden_size", "optim.steps", "optim.lr_encoder"}
    untouched = {key: value for key, value in flatten(load_registry(root).baseline).items() if key not in set_here}
    resolved = flatten(spec.to_json())
    assert {key: resolved[key] for key in untouched} == untouched


def test_a_backbone_card_becomes_what_decides_its_weights(root: Path) -> None:
    small, noise = _resolved(root).model.backbone, _resolved(root, backbone="noise").model.backbone
    assert (small.kind, small.base, small.location) == ("package", "package", "a_package")
    assert (noise.kind, noise.base, noise.location, noise.name) == ("random", "package", "a_package", "noise")
    assert _resolved(root, backbone="noise").optim.lr_others == 3e-3
    change_card(root, "benchmarks/backbones/small.yaml", title="Renamed", notes="only prose", parameters=11)
    assert _resolved(root).model.backbone == small


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"model__widht": 3}, "here: `model.widht` is no knob"),
        ({"widht": 3}, "here: `widht` is no knob"),
        ({"model__max_width__x": 3}, "here: `model.max_width.x` is no knob"),
        ({"model__max_width": "wide"}, "here: `model.max_width` is 'wide'; it must be int"),
        ({"backbone": "large"}, "here: backbone 'large' has no card; known: noise, small"),
        ({"mixture": "mash"}, "here: mixture 'mash' has no card; known: mix"),
    ],
)
def test_an_override_that_means_nothing_is_named(root: Path, overrides: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        _resolved(root, **overrides)
    assert words in str(caught.value)


def test_a_scale_that_invents_a_knob_is_named(root: Path) -> None:
    change_card(root, "workflow/scales/tiny.yaml", overrides={"model.depth": 3})
    with pytest.raises(InputError, match=r"workflow/scales/tiny\.yaml: `model\.depth` is no knob"):
        _resolved(root)


def test_resolving_leaves_the_baseline_as_it_was(root: Path) -> None:
    registry = load_registry(root)
    before = flatten(registry.baseline)
    resolve(registry, registry.scales["tiny"], {"model.max_width": 3}, device="cpu", seed=1, where="here")
    assert flatten(registry.baseline) == before


def test_the_data_digest_follows_what_the_data_is_made_of(root: Path) -> None:
    def digest() -> str:
        return mixture_digest(load_registry(root), "mix")

    first = digest()
    change_card(root, "benchmarks/datasets/gamma.yaml", notes="prose", title="New", licence="CC0")
    change_card(root, "benchmarks/mixtures/mix.yaml", notes="prose")
    assert digest() == first
    changes = {
        "benchmarks/datasets/gamma.yaml": {"rename": {"a": "b"}},  # a part
        "benchmarks/datasets/alpha.yaml": {"gold_repairs": {"a": "b"}},  # a test set the mixture must avoid
        "benchmarks/mixtures/mix.yaml": {"window_words": 10},
        "benchmarks/suites/tested.yaml": {"datasets": ["beta"]},
    }
    seen = {first}
    for path, keys in changes.items():
        change_card(root, path, **keys)
        seen.add(digest())
    assert len(seen) == 1 + len(changes)
