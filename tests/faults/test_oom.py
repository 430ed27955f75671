"""Out of memory: what does not fit is computed in halves with the same result, or refused; nothing is skipped.

The device here has no memory to run out of, so the error is injected where CUDA raises it: in the forward pass, and in
the middle of the backward pass, when some gradients have already been added.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import LABELS, TEXTS, tiny_network, tiny_spec
from training_support import mixed_examples, still_backbone, still_spec

from gliner_core import predict
from gliner_core.collate import TrainBatch, batches_from, make_batch
from gliner_core.errors import InputError
from gliner_core.examples import write_jsonl
from gliner_core.files import read_json
from gliner_core.fitting import attempt, is_out_of_memory, refused_if_too_large
from gliner_core.predict import candidate_spans
from gliner_core.spec import TrainSpec
from gliner_core.train import train
from gliner_core.trainer import Trainer

STEPS = 4
Lack = Callable[[int, str], list[int]]


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return still_backbone(tmp_path_factory.mktemp("still"))


@pytest.fixture
def lack(monkeypatch: pytest.MonkeyPatch) -> Lack:
    """Lets passes of more texts than a limit run out of memory, `forward` or `backward`; lists the sizes that did."""
    usual, failed = Trainer.loss_of, []

    def limited(limit: int, where: str) -> list[int]:
        def loss_of(own: Trainer, batch: TrainBatch) -> torch.Tensor:
            size = len(batch.encoded.num_words)
            loss = usual(own, batch)
            if size > limit:
                failed.append(size)
                if where == "forward":
                    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
                # The heads, computed last, have their gradients by then.
                handle = own.network.encoder.encoder.layer[0].output.dense.weight.register_hook(_out_of_memory)
                own.handles = [*getattr(own, "handles", []), handle]
            else:
                for handle in getattr(own, "handles", []):
                    handle.remove()
            return loss

        monkeypatch.setattr(Trainer, "loss_of", loss_of)
        return failed

    return limited


def _out_of_memory(gradient: torch.Tensor) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")


def _run(spec: TrainSpec, steps: int = STEPS) -> Trainer:
    """Some steps in fp64: what is left of a difference is the rounding of the loss, which is computed in fp32."""
    own = Trainer(spec, mixed_examples(), "cpu")
    own.model.double().train()
    stream = batches_from(own.examples, spec, own.network.prompts, 0)
    for step in range(steps):
        examples = next(stream)
        own.history.append(own.train_step(examples, make_batch(examples, spec, own.network.prompts, step)))
    return own


@pytest.mark.parametrize(("limit", "where"), [(2, "forward"), (1, "forward"), (2, "backward")])
def test_a_step_in_halves_is_the_step_on_the_whole(still: Path, lack: Lack, limit: int, where: str) -> None:
    spec = still_spec(still, optim_batch_size=6, optim_steps=STEPS)
    whole = _run(spec)
    failed = lack(limit, where)
    cut = _run(spec)
    assert whole.splits == 0 < cut.splits == len(failed) and cut.counts == whole.counts
    for mine, reference in zip(cut.history, whole.history, strict=True):
        assert mine == pytest.approx(reference, rel=1e-5)
    for mine, reference in zip(cut.network.parameters(), whole.network.parameters(), strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=2e-5)


def test_the_gradient_of_the_halves_is_that_of_the_whole(still: Path, lack: Lack) -> None:
    spec = still_spec(still, optim_batch_size=6)
    found = []
    for limit in (6, 1):
        lack(limit, "backward")
        own = Trainer(spec, mixed_examples(), "cpu")
        own.model.double().train()
        batch = make_batch(own.examples[:6], spec, own.network.prompts, 0)
        assert batch is not None
        found.append((own._gradients(batch), [weight.grad for weight in own.network.parameters()]))
    (whole, expected), (cut, gradients) = found
    assert cut == pytest.approx(whole, rel=1e-6)
    for mine, reference in zip(gradients, expected, strict=True):
        assert (mine is None) == (reference is None)
        if mine is not None:
            torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-6)


def test_with_dropout_a_split_step_asks_the_same_and_draws_other_masks(backbone: Path, lack: Lack) -> None:
    spec = tiny_spec(backbone, optim_batch_size=6, model_dropout=0.3, optim_steps=2)
    whole = _run(spec, 2)
    lack(2, "forward")
    first, again = _run(spec, 2), _run(spec, 2)
    for row, other in zip(first.history, whole.history, strict=True):
        assert {key: row[key] for key in ("positives", "types", "step")} == {
            key: other[key] for key in ("positives", "types", "step")
        }
    assert first.history != whole.history
    assert first.history == again.history  # bit for bit: the draws are a function of spec, step and split
    for mine, theirs in zip(first.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_an_example_that_does_not_fit_alone_ends_the_run_with_one_sentence(
    still: Path, lack: Lack, tmp_path: Path
) -> None:
    write_jsonl(tmp_path / "train.jsonl", mixed_examples())
    lack(0, "forward")
    with pytest.raises(InputError) as caught:
        train(still_spec(still), tmp_path / "train.jsonl", tmp_path / "out", device="cpu")
    message = str(caught.value)
    assert "needs more memory than the device has; lower `model.max_words`" in message and "\n" not in message
    assert "sub-tokens" in message and not (tmp_path / "out").exists()


def test_the_splits_are_counted_in_the_report(still: Path, lack: Lack, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "train.jsonl", mixed_examples())
    failed = lack(1, "forward")
    train(still_spec(still, optim_steps=2), tmp_path / "train.jsonl", tmp_path / "out", device="cpu")
    assert read_json(tmp_path / "out" / "training.json")["splits_for_memory"] == len(failed) > 0


def test_an_optimiser_without_memory_ends_the_run_with_one_sentence(
    still: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Trainer(still_spec(still), mixed_examples(), "cpu")
    monkeypatch.setattr(own.optimizer, "step", lambda: _out_of_memory(torch.zeros(1)))
    batch = make_batch(own.examples, own.spec, own.network.prompts, 0)
    with pytest.raises(InputError, match="optimiser's state need more memory than the device has"):
        own.train_step(own.examples, batch)


def test_other_errors_pass() -> None:
    def broken(_: Any) -> None:
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        attempt(broken, 1)
    with pytest.raises(RuntimeError, match="shapes"), refused_if_too_large("too large"):
        broken(1)
    assert is_out_of_memory(RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"))


def test_a_failed_attempt_keeps_no_tensor() -> None:
    import weakref

    seen = []

    def work(_: int) -> None:
        large = torch.zeros(10)
        seen.append(weakref.ref(large))
        raise torch.OutOfMemoryError("CUDA out of memory.")

    assert attempt(work, 1) is None and seen[0]() is None


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_predictions_in_halves_are_those_of_the_whole(
    backbone: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    network, usual, failed = tiny_network(backbone), predict._batch, []
    whole = candidate_spans(network, TEXTS * 2, LABELS, floor=0.3)

    def limited(model: Any, texts: Any, *rest: Any) -> Any:
        if len(texts) > limit:
            failed.append(len(texts))
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return usual(model, texts, *rest)

    monkeypatch.setattr(predict, "_batch", limited)
    cut = candidate_spans(network, TEXTS * 2, LABELS, floor=0.3)
    assert failed and sum(len(item.score) for item in whole) > 10
    for mine, reference in zip(cut, whole, strict=True):
        for name in ("start", "end", "label"):
            assert getattr(mine, name).tolist() == getattr(reference, name).tolist()
        assert mine.score.tolist() == pytest.approx(reference.score.tolist(), abs=1e-6)


def test_a_text_that_does_not_fit_alone_is_named(backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(model: Any, texts: Any, *rest: Any) -> Any:
        if any("rome-x" in words for words in texts):
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return usual(model, texts, *rest)

    network, usual = tiny_network(backbone), predict._batch
    monkeypatch.setattr(predict, "_batch", none)
    with pytest.raises(InputError, match=r"^text 2 \(14 words, 3 labels, spans of up to 4 words\) needs more memory"):
        candidate_spans(network, TEXTS, LABELS, floor=0.3)
    assert not network.training
