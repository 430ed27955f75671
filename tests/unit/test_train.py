"""Training on the tiny encoder: repeatable and resumable bit for bit, and able to learn."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import tiny_spec, toy_examples

from gliner_core import GLiNER, parts, training_files
from gliner_core import train as train_module
from gliner_core import trainer as trainer_module
from gliner_core.collate import TrainBatch, batches_from, make_batch
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, write_jsonl
from gliner_core.files import file_digest, read_json, write_json
from gliner_core.model import SpanScoringModel
from gliner_core.predict import best_spans, candidate_spans
from gliner_core.seeding import seed_torch
from gliner_core.spec import TrainSpec
from gliner_core.train import main, train

Runner = Callable[..., Path]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "train.jsonl"
    write_jsonl(path, toy_examples())
    return path


@pytest.fixture
def run(data: Path, tmp_path: Path) -> Runner:
    """Trains into a folder of its own and returns it."""

    def trained(spec: TrainSpec, name: str, **options: Any) -> Path:
        train(spec, data, tmp_path / name, **options)
        return tmp_path / name

    return trained


def _history(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return GLiNER.from_pretrained(folder / "model").network.state_dict()


def test_the_same_seed_gives_the_same_bytes(backbone: Path, run: Runner) -> None:
    first, second = (run(tiny_spec(backbone), name) for name in ("a", "b"))
    third = run(tiny_spec(backbone, seed=2), "c")
    digests = [file_digest(folder / "model" / "model.safetensors") for folder in (first, second, third)]
    assert digests[0] == digests[1] != digests[2]
    assert _history(first) == _history(second) != _history(third)


@pytest.mark.parametrize("changes", [{}, {"optim_bucket_batches": 3, "optim_grad_clip": 1.0, "optim_batch_size": 5}])
@pytest.mark.parametrize("stop", [1, 7])
def test_resumed_is_uninterrupted_bit_for_bit(
    backbone: Path, run: Runner, monkeypatch: pytest.MonkeyPatch, stop: int, changes: dict[str, Any]
) -> None:
    monkeypatch.setattr(parts, "CPU_PASS", 0)  # a batch of unlike texts goes through the model in parts
    spec = tiny_spec(backbone, optim_steps=9, **changes)
    whole = run(spec, "whole")
    monkeypatch.setattr(train_module, "SAVE_EVERY_SECONDS", -math.inf)
    step, ours = train_module.Trainer.train_step, []

    def until_the_plug_is_pulled(trainer: Any, examples: list[Example], batch: TrainBatch | None) -> dict[str, float]:
        if trainer.step == stop and not ours:
            ours.append(trainer.step)
            raise KeyboardInterrupt
        return step(trainer, examples, batch)

    monkeypatch.setattr(train_module.Trainer, "train_step", until_the_plug_is_pulled)
    with pytest.raises(KeyboardInterrupt):
        run(spec, "cut")
    cut = whole.parent / "cut"
    assert [item.name for item in cut.iterdir()] == ["scratch"]
    run(spec, "cut", resume=True)
    assert file_digest(cut / "model" / "model.safetensors") == file_digest(whole / "model" / "model.safetensors")
    assert _history(cut) == _history(whole)
    assert read_json(cut / "training.json")["counts"] == read_json(whole / "training.json")["counts"]
    assert not (cut / "scratch" / "state.pt").exists()


def test_the_network_learns_in_training_mode(backbone: Path, run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    modes, loss_of = [], train_module.Trainer.loss_of

    def watched(trainer: Any, batch: TrainBatch) -> torch.Tensor:
        modes.append({module.training for module in trainer.network.modules()})
        return loss_of(trainer, batch)

    monkeypatch.setattr(train_module.Trainer, "loss_of", watched)
    run(tiny_spec(backbone, optim_steps=3), "watched")
    assert modes == [{True}] * 3


@pytest.mark.parametrize("change", [{"optim_weight_decay": 0.5}, {"optim_grad_clip": 0.01}])
def test_settings_of_the_optimiser_reach_it(backbone: Path, run: Runner, change: dict[str, float]) -> None:
    plain, changed = run(tiny_spec(backbone), "plain"), run(tiny_spec(backbone, **change), "changed")
    first, second = _history(plain)[0], _history(changed)[0]
    assert first["loss"] == second["loss"]  # the same start
    mine, other = _weights(plain), _weights(changed)
    moved = [key for key in mine if mine[key].dim() == 2 and not torch.equal(mine[key], other[key])]
    assert len(moved) > 10


def test_another_device_in_one_process_is_refused(backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "choose_device", lambda _: torch.device("mps"))
    with pytest.raises(InputError, match="mps was asked for after a training on cpu"):
        train_module.Trainer(tiny_spec(backbone), toy_examples())


def test_a_checkpoint_of_another_spec_is_refused(
    backbone: Path, run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_module, "SAVE_EVERY_SECONDS", -math.inf)
    monkeypatch.setattr(training_files, "training_report", lambda *_: 1 / 0)  # stops after the last checkpoint
    with pytest.raises(ZeroDivisionError):
        run(tiny_spec(backbone), "a")
    with pytest.raises(InputError, match=r"state\.pt: checkpoint of another spec, data, start or code; delete it"):
        run(tiny_spec(backbone, seed=2), "a", resume=True)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_and_writes_no_model(
    backbone: Path, run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    usual, calls = trainer_module.OBJECTIVES["bce"], []

    def broken(*arguments: Any) -> torch.Tensor:
        calls.append(1)
        return usual(*arguments) * (value if len(calls) == 3 else 1.0)

    monkeypatch.setitem(trainer_module.OBJECTIVES, "bce", broken)
    with pytest.raises(InputError) as caught:
        run(tiny_spec(backbone), "a")
    assert f"the loss is {value} at step 3;" in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "a").exists()


def test_a_last_update_that_breaks_the_weights_writes_no_model(backbone: Path, run: Runner, tmp_path: Path) -> None:
    spec = tiny_spec(backbone, optim_steps=1, optim_lr_others=1e39, optim_warmup_ratio=0.0)  # beyond fp32
    with pytest.raises(InputError, match="step 1, left weights that are not finite"):
        run(spec, "a")
    assert not (tmp_path / "a").exists()


def test_no_steps_write_the_untrained_model(backbone: Path, run: Runner) -> None:
    spec = tiny_spec(backbone, optim_steps=0)
    folder = run(spec, "a")
    seed_torch(spec.seed, "init")
    fresh = SpanScoringModel.from_spec(spec.model).state_dict()
    assert all(torch.equal(fresh[key], value) for key, value in _weights(folder).items())
    assert _history(folder) == []
    report = read_json(folder / "training.json")
    assert (report["steps"], report["negative_share"], report["words_per_second"]) == (0, None, None)


@pytest.mark.parametrize("changes", [{"model_embed_ent_token": False}, {"sampling_shuffle_types": False}])
def test_a_toy_set_is_learned_to_perfection(backbone: Path, run: Runner, changes: dict[str, Any]) -> None:
    # Ratio 3: a sentence without entities is then also asked for both types at once.
    sampling = {"sampling_type_dropping": False, "sampling_negative_ratio": 3}
    folder = run(tiny_spec(backbone, optim_steps=150, optim_batch_size=6, **sampling, **changes), "a")
    losses = [row["loss"] for row in _history(folder)]
    assert sum(losses[-10:]) < 0.05 * sum(losses[:10])
    network = GLiNER.from_pretrained(folder / "model").network
    examples, labels = toy_examples(), ["person", "city"]
    found = candidate_spans(network, [example.words for example in examples], labels, floor=0.5)
    for example, candidates in zip(examples, found, strict=True):
        best = best_spans(candidates, 0.5, "flat")
        spans = zip(best.start.tolist(), best.end.tolist(), best.label.tolist(), strict=True)
        assert tuple(Span(start, end, labels[label]) for start, end, label in spans) == example.spans


@pytest.mark.parametrize("still", ["encoder", "others"])
def test_encoder_and_heads_have_learning_rates_of_their_own(backbone: Path, run: Runner, still: str) -> None:
    before = _weights(run(tiny_spec(backbone, optim_steps=0), "before"))
    after = _weights(run(tiny_spec(backbone, **{f"optim_lr_{still}": 0.0}), "after"))
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    parts = {"encoder" if key.startswith("encoder.") else "others" for key in moved}
    assert parts == {"encoder", "others"} - {still}


def test_the_schedule_warms_up_and_follows_a_cosine(backbone: Path, run: Runner) -> None:
    folder = run(tiny_spec(backbone, optim_steps=20, optim_warmup_ratio=0.25), "a")
    for row in _history(folder):
        done = row["step"] - 1
        factor = done / 5 if done < 5 else 0.5 * (1 + math.cos(math.pi * (done - 5) / 15))
        assert row["lr_encoder"] == pytest.approx(1e-3 * factor)
        assert row["lr_others"] == pytest.approx(3e-3 * factor)


def test_frozen_embeddings_stay_as_they_were(backbone: Path, run: Runner) -> None:
    table = "encoder.embeddings.word_embeddings.weight"
    before = _weights(run(tiny_spec(backbone, optim_steps=0), "before"))[table]
    frozen = _weights(run(tiny_spec(backbone, optim_freeze_embeddings=True), "frozen"))[table]
    free = _weights(run(tiny_spec(backbone), "free"))[table]
    assert torch.equal(before, frozen) and not torch.equal(before, free)


def test_the_report_holds_what_the_batches_held(backbone: Path, run: Runner) -> None:
    spec = tiny_spec(backbone, optim_steps=12)
    report = read_json(run(spec, "a") / "training.json")
    prompts = SpanScoringModel.from_spec(spec.model).prompts
    stream = batches_from(toy_examples(), spec, prompts, 0)
    counts = [make_batch(next(stream), spec, prompts, step).counts for step in range(12)]
    asked, negative = (sum(getattr(item, name) for item in counts) for name in ("types_asked", "types_negative"))
    assert report["negative_share"] == pytest.approx(negative / asked) and 0 < negative < asked
    assert report["counts"]["words"] == sum(item.words for item in counts)


def test_the_command_line_ends_with_0_or_one_sentence_and_2(
    backbone: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, out = tmp_path / "spec.json", str(tmp_path / "out")
    write_json(spec, tiny_spec(backbone, optim_steps=1).to_json())
    assert main([str(spec), "--data", str(data), "--out", out, "--device", "cpu"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 1
    faulty = {
        "no such file": [str(spec), "--data", str(tmp_path / "absent.jsonl"), "--out", out],
        "is unknown; write cpu": [str(spec), "--data", str(data), "--out", out, "--device", "abacus"],
        "`objective.name` 'hinge' is unknown; registered: bce": [
            str(tmp_path / "hinge.json"),
            "--data",
            str(data),
            "--out",
            out,
        ],
        "config.json": [str(tmp_path / "away.json"), "--data", str(data), "--out", out],
    }
    write_json(tmp_path / "hinge.json", tiny_spec(backbone, objective_name="hinge").to_json())
    write_json(tmp_path / "away.json", tiny_spec(tmp_path / "away").to_json())
    for sentence, arguments in faulty.items():
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert sentence in error and error.startswith("error: ") and error.count("\n") == 1
