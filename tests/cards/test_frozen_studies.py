"""What every study asks at scale `paper`, written down a second time, so that no question changes or vanishes unseen.

A change of a card on purpose is made here too, in the same commit; an accident fails. `PAPER` holds what a card sets at
scale `paper` (the small studies that do not run there: at scale `pilot`); keys without a value are left out. A study of
your own needs no line here unless scale `paper` lists it.
"""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.registry import Registry, load_registry

ROOT = Path(__file__).resolve().parents[2]
KEYS = ("axes", "variants", "overrides", "decoding_axes", "decodings", "systems", "analyses")


def at_scale(value: Any, scale: str) -> Any:
    """A value that may be a mapping scale -> value; None where the scale is not named."""
    is_by_scale = isinstance(value, dict) and set(value) <= {"demo", "pilot", "paper"}
    value = value.get(scale) if is_by_scale else value
    return list(value) if isinstance(value, tuple) else value


def asked(registry: Registry, study: StudyCard) -> dict[str, Any]:
    """Suite and questions of a study at its largest scale."""
    scale = registry.scales["paper" if "paper" in study.scales else "pilot"]
    role = at_scale(study.suite, scale.name)
    found: dict[str, Any] = {"suite": scale.suites.get(role, role)}
    for key in KEYS:
        given = getattr(study, key)
        if isinstance(given, dict):
            given = {name: _inner(value, scale.name) for name, value in given.items()}
            given = {name: value for name, value in given.items() if value is not None}
        found[key] = list(given) if isinstance(given, tuple) else given
    return {key: value for key, value in found.items() if value}


def _inner(value: Any, scale: str) -> Any:
    value = at_scale(value, scale)
    return {name: at_scale(item, scale) for name, item in value.items()} if isinstance(value, dict) else value


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry(ROOT)


SUPERVISED = {
    "sampling.negative_pool": "explicit",
    "sampling.type_dropping": False,
    "sampling.shuffle_types": False,
    "sampling.sort_types": True,
}
MULTILINGUAL = [None, "mdeberta-v3-base", "bert-base-multilingual-cased", "xlm-roberta-base"]
OTHERS = ["electra-base", "albert-base-v2", "bert-base-cased", "roberta-base"]
FIGURE_4 = ["deberta-v3-base", *OTHERS, "xlnet-base-cased"]
PAPER: dict[str, dict[str, Any]] = {
    "backbone": {"suite": "ood_author", "axes": {"backbone": FIGURE_4}},
    "backbone_twenty": {"suite": "ner20", "axes": {"backbone": FIGURE_4}},
    "cost_quality": {
        "suite": "ood_author",
        "axes": {"backbone": [None, "deberta-v3-base", "deberta-v3-small", *OTHERS]},
        "decoding_axes": {"max_width": [4, 8, 12]},
        "analyses": ["pareto"],
    },
    "data_bias": {"suite": "ood_author", "analyses": ["training_bias", "bias_effect"]},
    "main_table": {
        "suite": "ood_author",
        "axes": {"backbone": [None, "deberta-v3-base", "deberta-v3-small"]},
        "variants": {"untrained": {"optim.steps": 0}},
        "systems": ["random-scorer"],
    },
    "multilingual": {"suite": "multiconer", "axes": {"backbone": MULTILINGUAL}, "analyses": ["languages"]},
    "negative_sampling": {"suite": "ood_author", "axes": {"sampling.negative_ratio": [0, 1, 3]}},
    "nested": {"suite": "nested", "analyses": ["overlap"]},
    "released_models": {
        "suite": "ood_author",
        "systems": [
            *(f"gliner_{size}-v2.1" for size in ("small", "medium", "large", "multi")),
            "gliner_medium-v2.1-package", "gliner2-base-v1", "gliner2-multi-v1", "gliner2.5-base-v1", "random-scorer",
        ],
    },
    "robustness": {
        "suite": "ood_author",
        "decodings": {
            **{f"order_{order}": {"label_order": order} for order in ("sorted", "reversed")},
            **{f"order_shuffled{number}": {"label_order": f"shuffled{number}"} for number in (1, 2, 3)},
            **{f"case_{case}": {"label_case": case} for case in ("lower", "title")},
            **{f"wording_{name}": {"label_wording": name} for name in ("synonym", "definition", "slimer")},
            **{f"window_{words}_words": {"max_words": words} for words in (16, 32, 64)},
        },
        "analyses": ["sensitivity", "calibration", "invariance"],
    },
    "span_representation": {
        "suite": "ood_author",
        "axes": {
            "model.span_mode": [
                "marker_v0", "paper_ffn", "endpoints", "mean_pool", "max_pool", "conv_share", "query",
            ],
            "model.rnn": [True, False],
        },
        "analyses": ["score_distributions", "similarity_map"],
    },
    "span_width": {"suite": "ood_author", "axes": {"model.max_width": [4, 8, 12, 16, 24]}, "analyses": ["width"]},
    "span_width_decoding": {
        "suite": "ood_author", "decoding_axes": {"max_width": [2, 4, 6, 8, 12, 16]}, "analyses": ["width"],
    },
    "supervised": {
        "suite": "ner20",
        "axes": {"start": [None, "baseline"]},
        "overrides": {"mixture": "ner20_supervised_10000", **SUPERVISED},
    },
    "supervised_scaling": {
        "suite": "ner20",
        "axes": {
            "start": [None, "baseline"],
            "mixture": [f"ner20_supervised_{number}" for number in (100, 1000, 5000, 10000)],
        },
        "overrides": SUPERVISED,
        "analyses": ["scaling"],
    },
    "trainer_parity": {
        "suite": "pilot_dev",
        "axes": {"optim.trainer": ["gliner_core", "gliner-0.2.29"]},
        "overrides": {
            "mixture": "pile_and_multiconer",
            "optim.steps": 600,
            "objective.name": "focal",
            "objective.positive_weight": 1.0,
            "objective.focal_alpha": 0.9,
            "objective.focal_gamma": 0.0,
            "objective.probability_floor": 1e-6,
            "sampling.negative_pool": "per_batch",
            "sampling.negative_ratio": 4,
            "sampling.type_dropping": False,
        },
    },
    "twenty": {"suite": "ner20"},
    "twenty_obtainable": {"suite": "ner20_obtainable"},
    "type_dropping": {
        "suite": "ood_author", "axes": {"sampling.type_dropping": [True, False], "sampling.negative_ratio": [0, 1]},
    },
    "unseen_languages": {"suite": "unseen_languages", "axes": {"backbone": MULTILINGUAL}, "analyses": ["languages"]},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(PAPER))
def test_a_study_asks_what_is_written_down(registry: Registry, name: str) -> None:
    found = asked(registry, registry.studies[name])
    assert found == PAPER[name], (
        f"benchmarks/studies/{name}.yaml asks something else; if that is meant, change PAPER too"
    )


def test_every_study_of_scale_paper_is_written_down(registry: Registry) -> None:
    assert set(registry.scales["paper"].studies) <= set(PAPER)


def test_supervised_mixtures_hold_the_sets_that_they_are_tested_on(registry: Registry) -> None:
    """The twenty of Table 4, each from its own training file where that is a card of its own."""
    tested = registry.suite_datasets("ner20")
    mixtures = {name: card for name, card in registry.mixtures.items() if name.startswith("ner20_supervised_")}
    assert sorted(mixtures) == sorted(PAPER["supervised_scaling"]["axes"]["mixture"])
    for name, card in mixtures.items():
        assert tuple(part.dataset.removesuffix("_train") for part in card.parts) == tested, name
        assert {(part.split, part.weight) for part in card.parts} == {("train", 1)}, name
        assert all("train" in registry.datasets[part.dataset].sources for part in card.parts), name
        assert card.max_per_part == int(name.rpartition("_")[2]) and card.num_examples is None, name
        assert (card.ask_all_labels, card.dev) == (True, None), name


def test_supervised_labels_are_the_labels_that_are_asked(registry: Registry) -> None:
    for name in registry.suite_datasets("ner20"):
        train = registry.datasets.get(f"{name}_train", registry.datasets[name])
        assert train.labels == registry.datasets[name].labels, name
