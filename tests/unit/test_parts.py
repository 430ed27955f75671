"""Parts of a batch hold each text once and give the loss and the gradient of the whole."""

from pathlib import Path

import pytest
import torch
from tiny_model import LABELS, TEXTS, tiny_spec

from gliner_core import attention, dropout, parts, scorer
from gliner_core.collate import TrainBatch, make_batch
from gliner_core.examples import Example, Span
from gliner_core.trainer import Trainer

CPU = torch.device("cpu")


def _trainer(backbone: Path) -> Trainer:
    spans = [
        (Span(0, 0, LABELS[row % 3]), Span(len(words) - 1, len(words) - 1, LABELS[1]))
        for row, words in enumerate(TEXTS)
    ]
    examples = [
        Example(id=str(row), words=tuple(words), spans=spans[row] if len(words) > 1 else spans[row][:1])
        for row, words in enumerate(TEXTS)
    ]
    spec = tiny_spec(backbone, sampling_type_dropping=False, sampling_negative_ratio=3, optim_batch_size=len(TEXTS))
    return Trainer(spec, examples, "cpu")


def _batch(trainer: Trainer) -> TrainBatch:
    batch = make_batch(trainer.examples, trainer.spec, trainer.network.prompts, 3)
    assert batch is not None
    return batch


@pytest.fixture(params=[0, 7])
def pass_cost(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """0 puts texts of different length into parts of their own."""
    monkeypatch.setattr(parts, "CPU_PASS", request.param)
    return request.param


def test_parts_have_the_loss_and_the_gradient_of_the_whole(backbone: Path, pass_cost: int) -> None:
    trainer = _trainer(backbone)
    trainer.model.double().eval()
    batch = _batch(trainer)
    cut = parts.cheap_parts(batch, CPU)
    assert len(cut) > 1
    weights = [weight for weight in trainer.network.parameters() if weight.requires_grad]
    whole = trainer.loss_of(batch)
    expected = torch.autograd.grad(whole, weights, allow_unused=True)
    losses = [trainer.loss_of(part) for part in cut]
    found = torch.autograd.grad(sum(losses), weights, allow_unused=True)
    torch.testing.assert_close(sum(losses), whole, rtol=1e-6, atol=0)
    for mine, reference in zip(found, expected, strict=True):
        assert (mine is None) == (reference is None)
        if mine is not None:
            torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-6)


def test_parts_hold_each_text_its_types_and_its_positives_once(backbone: Path, pass_cost: int) -> None:
    batch = _batch(_trainer(backbone))
    cut = parts.cheap_parts(batch, CPU)
    rows = {
        tuple(row[mask.bool()].tolist())
        for part in cut
        for row, mask in zip(part.encoded.input_ids, part.encoded.attention_mask, strict=True)
    }
    assert rows == {
        tuple(row[mask.bool()].tolist())
        for row, mask in zip(batch.encoded.input_ids, batch.encoded.attention_mask, strict=True)
    }
    assert sum(len(part.positives) for part in cut) == len(batch.positives) > 0
    assert sum(part.counts.examples for part in cut) == batch.counts.examples
    padded = sum(part.encoded.input_ids.numel() for part in cut)
    assert int(batch.encoded.attention_mask.sum()) <= padded < batch.encoded.input_ids.numel()


def test_a_step_in_parts_is_the_step_on_the_whole(backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three steps without dropout: the same losses, the same weights."""
    found = []
    for cost, least in ((0, 3), (10**9, 1)):
        monkeypatch.setattr(parts, "CPU_PASS", cost)
        trainer = _trainer(backbone)
        for module in trainer.network.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        # In fp64, because Adam turns the rounding noise of a gradient that is truly 0 (key biases) into steps.
        trainer.model.double().train()
        assert len(parts.cheap_parts(_batch(trainer), CPU)) >= least
        losses = [trainer.train_step(trainer.examples, _batch(trainer))["loss"] for _ in range(3)]
        found.append((losses, [weight.detach().clone() for weight in trainer.network.parameters()]))
    (cut, cut_weights), (whole, whole_weights) = found
    assert cut == pytest.approx(whole, rel=1e-5) and len(set(whole)) == 3
    for mine, reference in zip(cut_weights, whole_weights, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=2e-5)


def test_every_dropout_of_every_part_and_step_has_a_seed_of_its_own(
    backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "CPU_PASS", 0)
    seeds: list[int] = []

    def recorded() -> int:
        seeds.append(int(torch.randint(1 << 62, ())))
        return seeds[-1]

    for module in (dropout, scorer, attention):
        monkeypatch.setattr(module, "fresh_seed", recorded)
    trainer = _trainer(backbone)
    trainer.model.train()
    for _ in range(2):
        trainer.train_step(trainer.examples, _batch(trainer))
    assert len(seeds) == len(set(seeds)) > 2 * 3 * 5  # steps x parts x (embeddings, attention, states, heads, spans)
    first = list(seeds)
    seeds.clear()
    again = _trainer(backbone)
    again.model.train()
    again.train_step(again.examples, _batch(again))
    assert seeds == first[: len(seeds)]  # a seed depends on spec and step only


def test_a_batch_of_like_texts_stays_whole(backbone: Path) -> None:
    trainer = _trainer(backbone)
    same = make_batch([trainer.examples[0]] * 4, trainer.spec, trainer.network.prompts, 0)
    assert same is not None and parts.cheap_parts(same, CPU) == [same]
