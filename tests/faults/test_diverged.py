"""A training that leaves the finite numbers: one sentence, the same every time, nothing that passes for a model."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import tiny_network, tiny_spec
from training_support import mixed_examples

from gliner_core import train as train_module
from gliner_core.checkpoint import save_state
from gliner_core.collate import make_batch
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, write_jsonl
from gliner_core.files import file_digest
from gliner_core.spec import TrainSpec
from gliner_core.train import train
from gliner_core.trainer import Trainer

ADVICE = "; lower `optim.lr_encoder` and `optim.lr_others` or set `optim.grad_clip`; no model was written"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "train.jsonl", mixed_examples())
    return tmp_path / "train.jsonl"


def _fails(spec: TrainSpec, data: Path, out: Path) -> str:
    with pytest.raises(InputError) as caught:
        train(spec, data, out, device="cpu", resume=True)
    assert str(caught.value).endswith(ADVICE) and "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (1e12, "at step"),  # weights of 1e12: logits beyond fp32 some steps later
        (1e39, "left weights that are not finite"),  # beyond fp32 at once
    ],
)
def test_rates_that_are_too_high_end_alike_every_time(
    backbone: Path, data: Path, monkeypatch: pytest.MonkeyPatch, rate: float, said: str
) -> None:
    monkeypatch.setattr(train_module, "SAVE_EVERY_SECONDS", -math.inf)
    steps: list[int] = []
    monkeypatch.setattr(
        train_module, "save_state", lambda path, state: (steps.append(state.step), save_state(path, state))
    )
    out = data.parent / "out"
    spec = tiny_spec(backbone, optim_lr_encoder=rate, optim_lr_others=rate, optim_warmup_ratio=0.0, optim_steps=20)
    first = _fails(spec, data, out)
    assert said in first
    state = out / "scratch" / "state.pt"
    before = file_digest(state) if steps else ""
    if steps:
        kept = torch.load(state, weights_only=True)
        assert kept["step"] == steps[-1] and all(value.isfinite().all() for value in kept["model"].values())
    assert _fails(spec, data, out) == first
    assert (file_digest(state) if steps else "") == before  # the state before stays as it was
    files = [path.name for path in out.rglob("*") if path.is_file()] if out.exists() else []
    assert files == (["state.pt"] if steps else [])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_gradient_that_is_no_number_changes_no_weight(
    backbone: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    own = Trainer(tiny_spec(backbone), mixed_examples(), "cpu")
    usual = own.objective

    def steep(scores: torch.Tensor, *rest: Any) -> torch.Tensor:
        scores.register_hook(lambda gradient: gradient * value)  # a finite loss with a gradient that is not
        return usual(scores, *rest)

    own.objective = steep
    before = [weight.clone() for weight in own.network.parameters()]
    batch = make_batch(own.examples, own.spec, own.network.prompts, 0)
    with pytest.raises(InputError, match=r"the norm of the gradient is (nan|inf) at step 1 \(its loss is \d"):
        own.train_step(own.examples, batch)
    for weight, old in zip(own.network.parameters(), before, strict=True):
        assert torch.equal(weight, old)


ODD = {
    "no words": Example(id="0", words=()),
    "an empty word": Example(id="1", words=("", " ", "\x00")),
    "one word": Example(id="2", words=("anna",), spans=(Span(0, 0, "person"),)),
    "no types": Example(id="3", words=("the", "team")),
    "a long word": Example(id="4", words=("x" * 5000, "y")),
    "a long text": Example(id="5", words=("anna",) * 900, spans=(Span(880, 890, "person"),)),
    "spans beyond K": Example(id="6", words=("a",) * 30, spans=(Span(0, 29, "all"),)),
    "many types": Example(id="7", words=("a", "b"), spans=tuple(Span(0, 0, f"t{n}") for n in range(90))),
    "an empty type": Example(id="8", words=("a", "b"), spans=(Span(0, 1, ""),)),
    "odd letters": Example(id="9", words=("\u200b", "\ud7ff", "\U0001f600"), spans=(Span(0, 2, "\u202e"),)),
}


@pytest.mark.parametrize("names", [[name] for name in ODD] + [list(ODD)], ids=lambda names: "+".join(names)[:20])
@pytest.mark.parametrize("objective", ["bce", "focal"])
def test_no_example_makes_a_loss_that_is_not_finite(backbone: Path, names: list[str], objective: str) -> None:
    examples = [ODD[name] for name in names]
    spec = tiny_spec(backbone, objective_name=objective, sampling_max_types=10)  # 96 sub-tokens hold no more
    own = Trainer(spec, examples, "cpu")
    for step in range(3):
        row = own.train_step(examples, make_batch(examples, own.spec, own.network.prompts, step))
        assert math.isfinite(row["loss"])
    own.check_weights()


def test_an_untrained_network_scores_odd_texts_by_finite_numbers(backbone: Path) -> None:
    network = tiny_network(backbone)
    batch = network.prompts.encode([example.words for example in ODD.values()], [["person", ""]] * len(ODD))
    assert network(batch).isfinite().all()
