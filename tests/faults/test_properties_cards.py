"""Cards and specs: the order of keys in a file changes neither a run id nor a digest."""

import json
import random
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.catalog.cards import MixtureCard, StudyCard
from benchmarks.catalog.registry import load_registry, parse, parse_yaml
from benchmarks.catalog.runs import baseline_spec, trainings
from benchmarks.catalog.settings import load_settings
from benchmarks.catalog.variants import variants
from gliner_core.errors import InputError
from gliner_core.spec import spec_from_json
from tests.faults.fuzz_targets import spec_tree
from tests.faults.profiles import drawn

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = load_registry(ROOT)
TREE = spec_tree()
SETTINGS = load_settings({"scale": "demo", "device": "cpu"}, REGISTRY)


def shuffled(tree: Any, draw: random.Random) -> Any:
    """The same mapping with its keys in another order, at every level; lists keep theirs."""
    if isinstance(tree, dict):
        keys = list(tree)
        draw.shuffle(keys)
        return {key: shuffled(tree[key], draw) for key in keys}
    return [shuffled(item, draw) for item in tree] if isinstance(tree, list) else tree


@drawn(60)
@given(st.randoms(use_true_random=False), st.integers(1, 5))
def test_a_run_id_does_not_depend_on_the_order_of_keys(draw: random.Random, seed: int) -> None:
    tree = TREE | {"seed": seed}
    again = spec_from_json(json.loads(json.dumps(shuffled(tree, draw))))
    assert again.run_id("x") == spec_from_json(tree).run_id("x")
    assert again.run_id("x") != spec_from_json(tree | {"seed": seed + 1}).run_id("x")


@drawn(20)
@given(st.sampled_from(sorted(REGISTRY.studies)), st.randoms(use_true_random=False))
def test_the_runs_of_a_study_do_not_depend_on_the_order_of_keys(name: str, draw: random.Random) -> None:
    path = ROOT / "benchmarks" / "studies" / f"{name}.yaml"
    tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    one = parse(StudyCard, tree, path)
    other = parse(StudyCard, parse_yaml(yaml.safe_dump(shuffled(tree, draw), sort_keys=False), path), path)
    scale = next(scale for scale in one.scales if scale in REGISTRY.scales)
    assert _ids(one, scale) == _ids(other, scale)


def _ids(study: StudyCard, scale: str) -> set[str]:
    settings = SETTINGS.model_copy(update={"scale": scale})
    base, found = baseline_spec(REGISTRY, settings, device="cpu", seed=1), set()
    for variant in variants(study, scale):
        runs = trainings(REGISTRY, settings, base, variant.overrides, device="cpu", where=study.name)
        found |= {run.id for run in runs}
    return found


texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=12)
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@drawn(80)
@given(plain)
def test_plain_data_is_read_from_yaml_as_it_was_written(value: Any) -> None:
    assert parse_yaml(yaml.safe_dump(value, allow_unicode=True), "a.yaml") == value


@drawn(150)
@given(st.dictionaries(st.sampled_from(sorted(MixtureCard.model_fields)) | texts, plain, max_size=6))
def test_any_mapping_is_a_card_or_refused_with_its_key(tree: dict[str, Any]) -> None:
    try:
        parse(MixtureCard, tree, "a.yaml")
    except InputError as error:
        assert str(error).startswith("a.yaml: ") and "`" in str(error)
