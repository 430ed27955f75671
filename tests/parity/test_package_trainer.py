"""Our trainer and the published package's on one plan: the same losses step by step, and the same weights at the end.

Dropout is off and everything is fp32, so nothing but the trainers' own arithmetic is left. Where a setting of ours
means something else in the package, a test says which and makes the two equal.
"""

import dataclasses
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_model import bert_config, make_backbone, tiny_spec, toy_examples
from torch import nn
from transformers import PretrainedConfig

from benchmarks.peers.package_training import train as package_train
from gliner_core import GLiNER, trainer
from gliner_core import train as core
from gliner_core.examples import Example, write_jsonl
from gliner_core.files import file_digest
from gliner_core.model import SpanScoringModel
from gliner_core.spec import OptimSpec, TrainSpec

pytestmark = pytest.mark.skipif(
    find_spec("gliner") is None, reason="the published package is not installed; pip install 'gliner-bench[peers]'"
)

PACKAGE = "gliner-0.2.29"
SHARED = {"model_dropout": 0.0, "objective_positive_weight": 1.0, "optim_weight_decay": 0.0, "optim_steps": 12}
FOCAL = {"objective_name": "focal", "objective_focal_alpha": 0.75, "objective_focal_gamma": 2.0}
PLANS: dict[str, dict[str, Any]] = {
    "plain": {},
    "clipped, frozen, bucketed": {
        "optim_grad_clip": 1.0, "optim_freeze_embeddings": True, "optim_bucket_batches": 2,
    },
    "focal": FOCAL | {"objective_probability_floor": 1e-6},
    "other sampler": {"sampling_negative_pool": "per_batch", "sampling_type_dropping": False},
    "batches without types": {"optim_batch_size": 1},
    "projected, one learning rate": {"model_hidden_size": 20, "optim_lr_encoder": 1e-3, "optim_lr_others": 1e-3},
    "more epochs than one": {"optim_steps": 15, "optim_batch_size": 5},
}  # fmt: skip


def _still(vocab_size: int) -> PretrainedConfig:
    """The tiny BERT without dropout of its own."""
    config = bert_config(vocab_size)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    return config


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return make_backbone(tmp_path_factory.mktemp("still"), _still)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    # Sentences of several lengths, so that batches are padded and buckets differ from the plain order.
    examples = [
        Example(id=item.id, words=item.words + (".",) * (place % 4), spans=item.spans)
        for place, item in enumerate(toy_examples())
    ]
    write_jsonl(tmp_path / "data.jsonl", examples)
    return tmp_path / "data.jsonl"


def _peer(spec: TrainSpec) -> TrainSpec:
    return dataclasses.replace(spec, optim=dataclasses.replace(spec.optim, trainer=PACKAGE))


def _both(spec: TrainSpec, data: Path) -> tuple[Path, Path]:
    mine, theirs = data.parent / "mine", data.parent / "theirs"
    core.train(spec, data, mine, device="cpu")
    package_train(_peer(spec), data, theirs, device="cpu")
    return mine, theirs


def _history(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def _assert_same_losses(mine: Path, theirs: Path) -> None:
    for ours, other in zip(_history(mine), _history(theirs), strict=True):
        assert ours == pytest.approx(other, rel=1e-5)


def _assert_same_weights(mine: Path, theirs: Path) -> None:
    ours, other = (load_file(folder / "model" / "model.safetensors") for folder in (mine, theirs))
    assert ours.keys() == other.keys()
    for name, weight in ours.items():
        torch.testing.assert_close(weight, other[name], rtol=0, atol=2e-4, msg=lambda text, key=name: f"{key}: {text}")


@pytest.mark.parametrize("plan", PLANS)
def test_losses_and_weights_are_equal(plan: str, still: Path, data: Path) -> None:
    spec = tiny_spec(still, **SHARED | PLANS[plan])
    mine, theirs = _both(spec, data)
    losses = [row["loss"] for row in _history(mine)]
    assert (min(losses) == 0) == (plan == "batches without types")
    assert max(losses) > 1.3 * losses[-1] > 0 or plan == "batches without types"  # something was learned
    _assert_same_losses(mine, theirs)
    _assert_same_weights(mine, theirs)


def _package_groups(model: SpanScoringModel, optim: OptimSpec) -> torch.optim.AdamW:
    """AdamW with the package's parameter groups: neither biases nor LayerNorms are decayed."""
    plain = {id(weight) for part in model.modules() if isinstance(part, nn.LayerNorm) for weight in part.parameters()}
    plain |= {id(weight) for name, weight in model.named_parameters() if "bias" in name}
    groups = []
    for part, rate in (("encoder.", optim.lr_encoder), ("", optim.lr_others)):
        mine = [
            weight for name, weight in model.named_parameters() if name.startswith("encoder.") == (part == "encoder.")
        ]
        for decay in (0.0, optim.weight_decay):
            chosen = [weight for weight in mine if (id(weight) in plain) == (decay == 0.0)]
            groups.append({"params": chosen, "lr": rate, "weight_decay": decay})
    # Our history reads the rates of the first two groups.
    return torch.optim.AdamW([groups[0], groups[2], groups[1], groups[3]])


def test_weight_decay_differs_in_biases_and_layer_norms_and_nowhere_else(
    still: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny_spec(still, **SHARED | {"optim_weight_decay": 0.5})
    mine, theirs = _both(spec, data)
    with pytest.raises(AssertionError):
        _assert_same_losses(mine, theirs)
    monkeypatch.setattr(trainer, "build_optimizer", _package_groups)
    core.train(spec, data, mine, device="cpu")
    _assert_same_losses(mine, theirs)
    _assert_same_weights(mine, theirs)


def test_the_outputs_are_those_of_our_trainer(still: Path, data: Path) -> None:
    mine, theirs = _both(tiny_spec(still, **SHARED), data)
    ours, other = (json.loads((folder / "training.json").read_text()) for folder in (mine, theirs))
    assert list(ours) == list(other)
    same = set(ours) - {"seconds", "words_per_second", "bytes_peak"}
    assert {key: ours[key] for key in same} == {key: other[key] for key in same}
    assert other["seconds"] > 0 and other["words_per_second"] > 0
    assert {path.name for path in theirs.iterdir()} == {"model", "history.jsonl", "training.json"}  # no scratch is left
    assert (mine / "model" / "gliner_config.json").read_bytes() == (
        theirs / "model" / "gliner_config.json"
    ).read_bytes()
    assert GLiNER.from_pretrained(theirs / "model", device="cpu").predict(["anna visited paris"], ["person"])


def test_a_repetition_gives_the_same_bytes_with_dropout(backbone: Path, data: Path) -> None:
    spec = _peer(tiny_spec(backbone, **SHARED | {"model_dropout": 0.3}))
    digests = []
    for place in ("first", "second"):
        package_train(spec, data, data.parent / place, device="cpu")
        digests.append(file_digest(data.parent / place / "model" / "model.safetensors"))
    assert digests[0] == digests[1]


def test_without_steps_the_start_is_written(still: Path, data: Path) -> None:
    mine, theirs = _both(tiny_spec(still, **SHARED | {"optim_steps": 0}), data)
    names = [folder / "model" / "model.safetensors" for folder in (mine, theirs)]
    assert file_digest(names[0]) == file_digest(names[1])
