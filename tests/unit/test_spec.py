"""The spec's one JSON form: every knob counts for the run id, and every fault is named with its dotted key."""

import copy
import json
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from gliner_core.errors import InputError
from gliner_core.spec import TrainSpec, read_spec, spec_from_json

TREE: dict[str, Any] = {
    "model": {"backbone": {"name": "tiny", "kind": "random", "base": "package", "location": "place"}},
    "data": {"name": "toy"},
}


def _leaves(cls: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    hints = typing.get_type_hints(cls)
    for item in fields(cls):
        if is_dataclass(hints[item.name]):
            yield from _leaves(hints[item.name], f"{prefix}{item.name}.")
        else:
            yield f"{prefix}{item.name}", hints[item.name]


def _with(key: str, value: Any, tree: dict[str, Any] = TREE) -> dict[str, Any]:
    tree = copy.deepcopy(spec_from_json(tree).to_json())
    *path, last = key.split(".")
    node = tree
    for part in path:
        node = node[part]
    node[last] = value
    return tree


def _another(annotation: Any, value: Any) -> Any:
    options = typing.get_args(annotation) or (annotation,)
    if typing.get_origin(annotation) is Literal:
        return next(option for option in options if option != value)
    kind = next(option for option in options if option is not type(None))
    if kind is str:
        return f"{value}x"
    return not value if kind is bool else (value or 0) + {int: 1, float: 0.125}[kind]


LEAVES = list(_leaves(TrainSpec))
OF_FOCAL = {
    "objective.focal_alpha",
    "objective.focal_gamma",
    "objective.probability_floor",
}


@pytest.mark.parametrize(("key", "annotation"), LEAVES, ids=[key for key, _ in LEAVES])
def test_every_knob_changes_the_run_id(key: str, annotation: Any) -> None:
    tree = _with("objective.name", "focal") if key in OF_FOCAL else TREE
    if key == "sampling.sort_types":
        tree = _with("sampling.shuffle_types", False)
    base = spec_from_json(tree)
    value = base.to_json()
    for part in key.split("."):
        value = value[part]
    changed = spec_from_json(_with(key, _another(annotation, value), tree))
    assert changed.run_id("slug") != base.run_id("slug")
    assert changed.run_id("slug").startswith("slug-")


def test_the_canonical_form_does_not_depend_on_how_it_was_written() -> None:
    spec = spec_from_json(TREE)
    whole = spec.to_json()
    backwards = {name: whole[name] for name in reversed(whole)}
    assert spec_from_json(backwards).canonical() == spec.canonical()
    assert spec_from_json(json.loads(spec.canonical())) == spec
    assert spec.canonical() == json.dumps(whole, sort_keys=True, separators=(",", ":"))
    whole_number, fraction = (spec_from_json(_with("model.dropout", value)) for value in (0, 0.0))
    assert whole_number.run_id("a") == fraction.run_id("a")


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        (_with("model.width", 3), "unknown key `model.width`"),
        (_with("model.backbone.size", 3), "unknown key `model.backbone.size`"),
        (_with("extra", 3), "unknown key `extra`"),
        ({"data": {"name": "toy"}}, "key `model` is missing"),
        ({**TREE, "model": {"backbone": {"name": "a", "kind": "hub"}}}, "key `model.backbone.location` is missing"),
        ({**TREE, "data": {}}, "key `data.name` is missing"),
        (_with("model.max_width", "12"), "`model.max_width` is '12'; it must be int"),
        (_with("model.max_width", 12.0), "`model.max_width` is 12.0; it must be int"),
        (_with("model.max_width", True), "`model.max_width` is True; it must be int"),
        (_with("model.rnn", 1), "`model.rnn` is 1; it must be bool"),
        (_with("optim.lr_encoder", "1e-5"), "`optim.lr_encoder` is '1e-5'; it must be float"),
        (_with("optim.grad_clip", "off"), "`optim.grad_clip` is 'off'; it must be float or null"),
        (_with("optim.precision", "fp64"), "`optim.precision` is 'fp64'; it must be 'auto' or 'fp32' or 'bf16'"),
        (_with("sampling.negative_pool", None), "`sampling.negative_pool` is None; it must be 'per_example'"),
        (_with("optim", [1]), "`optim` must be a mapping"),
        ([], "`spec` must be a mapping"),
    ],
)
def test_a_fault_is_named_with_its_dotted_key(tree: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        spec_from_json(tree, "spec.json")
    message = str(caught.value)
    assert message.startswith("spec.json: ") and words in message and "\n" not in message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model.max_width", 0),
        ("model.hidden_size", -2),
        ("model.dropout", 1.0),
        ("model.dropout", float("nan")),
        ("model.backbone.num_layers", 0),
        ("sampling.max_types", 0),
        ("sampling.negative_ratio", -1),
        ("objective.positive_weight", 0.0),
        ("objective.positive_weight", float("nan")),
        ("optim.steps", -1),
        ("optim.batch_size", 0),
        ("optim.lr_encoder", -1e-5),
        ("optim.lr_others", float("nan")),
        ("optim.weight_decay", -0.1),
        ("optim.warmup_ratio", 1.5),
        ("optim.grad_clip", 0.0),
        ("optim.bucket_batches", 0),
    ],
)
def test_a_value_that_cannot_train_is_refused_by_name(key: str, value: float) -> None:
    with pytest.raises(InputError, match=key):
        spec_from_json(_with(key, value))


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        ({"name": "bce", "focal_gamma": 2.0}, "`objective.name` bce reads neither"),
        ({"name": "bce", "focal_alpha": 0.5}, "`objective.name` bce reads neither"),
        ({"name": "bce", "probability_floor": 1e-6}, "`objective.name` bce reads neither"),
        ({"name": "focal", "focal_alpha": 1.5}, "`objective.focal_alpha` is 1.5"),
        ({"name": "focal", "focal_alpha": -1.0}, "`objective.focal_alpha` is -1.0"),
        ({"name": "focal", "focal_alpha": float("nan")}, "`objective.focal_alpha` is nan"),
        ({"name": "focal", "probability_floor": 0.0}, "`objective.probability_floor` 0.0"),
        ({"name": "focal", "probability_floor": 0.5}, "`objective.probability_floor` 0.5"),
        ({"name": "focal", "focal_gamma": -0.5}, "`objective.focal_gamma` is -0.5"),
        ({"name": "focal", "focal_gamma": float("nan")}, "`objective.focal_gamma` is nan"),
        ({"name": "focal", "focal_gamma": 0.5, "probability_floor": 1e-6}, "`objective.focal_gamma` is 0.5"),
    ],
)
def test_objective_options_that_mean_nothing_are_refused(objective: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        spec_from_json({**TREE, "objective": objective}, "spec.json")
    assert str(caught.value).startswith("spec.json: ") and words in str(caught.value)


def test_a_backbone_is_read_the_way_its_kind_says() -> None:
    with pytest.raises(InputError, match=r"`model\.backbone\.base` is 'package'; give both the same value"):
        spec_from_json(_with("model.backbone.kind", "folder"))


def test_a_spec_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(_with("model.max_width", 0)))
    with pytest.raises(InputError, match=r"spec\.json: `model.max_width` is 0"):
        read_spec(path)
