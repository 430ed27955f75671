"""The training loop: `python -m gliner_core.train SPEC.json --data TRAIN.jsonl --out DIR [--start DIR] [--resume]`.

Writes OUT/model (a checkpoint that `GLiNER.from_pretrained` opens), OUT/history.jsonl and OUT/training.json (what was
seen, what was lost, what it cost). Stops on a NaN or infinite loss; never skips a batch on an error.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from transformers import get_cosine_schedule_with_warmup

from gliner_core.checkpoint import TrainState, identity_of, load_state, save_state
from gliner_core.collate import BatchCounts, TrainBatch
from gliner_core.deberta import attention_kernel
from gliner_core.device import choose_device
from gliner_core.errors import InputError
from gliner_core.examples import Example, read_jsonl
from gliner_core.files import atomic_write, file_digest, write_json
from gliner_core.loss import OBJECTIVES
from gliner_core.measure import Stopwatch, hardware, peak_bytes
from gliner_core.model import SpanScoringModel
from gliner_core.optim import build_optimizer, precision_for
from gliner_core.parts import cheap_parts
from gliner_core.prefetch import prepared
from gliner_core.progress import progress
from gliner_core.saving import save_network
from gliner_core.seeding import make_deterministic, seed_torch
from gliner_core.spans import valid_cells
from gliner_core.spec import TrainSpec, read_spec
from gliner_core.starting import start_digest, start_network
from gliner_core.stopping import until_sigterm

SAVE_EVERY_SECONDS = 120.0


class Trainer:
    """One training: state, step, history. The data order and every draw depend on spec and step only."""

    def __init__(
        self, spec: TrainSpec, examples: Sequence[Example], device: str | None = None, start: Path | None = None
    ) -> None:
        if not examples:
            raise InputError("the training data is empty; give at least one example")
        if spec.objective.name not in OBJECTIVES:
            raise InputError(
                f"`objective.name` {spec.objective.name!r} is unknown; registered: {', '.join(OBJECTIVES)}"
            )
        self.spec, self.examples = spec, examples
        target = choose_device(device)
        self.accelerator = Accelerator(
            cpu=target.type == "cpu",
            mixed_precision=precision_for(spec.optim, target),
            step_scheduler_with_optimizer=False,
        )
        if self.accelerator.device.type != target.type:  # accelerate keeps the first device of a process
            raise InputError(
                f"device {target} was asked for after a training on {self.accelerator.device} in the same process; "
                "start another process"
            )
        make_deterministic()
        seed_torch(spec.seed, "init")
        model = start_network(spec.model, start)
        optimizer = build_optimizer(model, spec.optim)
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.kernels = {"attention": attention_kernel(model.encoder), "scorer": model.span_head.kernel(model.device)}
        self.schedule = self._schedule(0)
        self.objective = OBJECTIVES[spec.objective.name]
        self.step, self.history, self.counts = 0, [], BatchCounts()

    def _schedule(self, done: int) -> torch.optim.lr_scheduler.LambdaLR:
        optim = self.spec.optim
        warmup = int(optim.steps * optim.warmup_ratio)
        return get_cosine_schedule_with_warmup(self.optimizer, warmup, max(optim.steps, 1), last_epoch=done - 1)

    @property
    def network(self) -> SpanScoringModel:
        """The bare model."""
        return self.accelerator.unwrap_model(self.model)

    def train_step(self, examples: Sequence[Example], batch: TrainBatch | None) -> dict[str, float]:
        """One optimiser step on what `make_batch` made of the examples; returns the history row."""
        seed_torch(self.spec.seed, "dropout", self.step)
        row = {
            "step": self.step + 1,
            "lr_encoder": self.schedule.get_last_lr()[0],
            "lr_others": self.schedule.get_last_lr()[1],
        }
        if batch is None:
            row |= {"loss": 0.0, "positives": 0, "types": 0}
            self.counts += BatchCounts(examples_without_types=len(examples))
        else:
            row |= self._update(batch)
            self.counts += batch.counts
        self.schedule.step()
        self.step += 1
        return row

    def loss_of(self, batch: TrainBatch) -> torch.Tensor:
        """The summed loss of one batch, with its graph."""
        device = self.accelerator.device
        encoded, positives = batch.encoded.to(device), batch.positives.to(device, non_blocking=True)
        scores = self.model(encoded).float()
        valid = valid_cells(encoded.num_words, encoded.num_types, scores.shape[1], scores.shape[2], scores.shape[3])
        return self.objective(scores, positives, valid, self.spec.objective)

    def _update(self, batch: TrainBatch) -> dict[str, float]:
        self.optimizer.zero_grad(set_to_none=True)
        value = 0.0
        for part in cheap_parts(batch, self.accelerator.device):
            loss = self.loss_of(part)
            self.accelerator.backward(loss)
            value += loss.item()
        if not math.isfinite(value):
            raise diverged(f"the loss is {value} at step {self.step + 1}")
        if self.spec.optim.grad_clip is not None:
            self.accelerator.clip_grad_norm_(self.model.parameters(), self.spec.optim.grad_clip)
        self.optimizer.step()
        return {"loss": value, "positives": len(batch.positives), "types": int(batch.encoded.num_types.sum())}

    def state(self, seconds: float, identity: str) -> TrainState:
        """Everything an exact resume needs."""
        return TrainState(
            step=self.step,
            identity=identity,
            model=self.network.state_dict(),
            optimizer=self.optimizer.state_dict(),
            history=self.history,
            counts=asdict(self.counts),
            seconds=seconds,
        )

    def restore(self, state: TrainState) -> None:
        """Continues from a saved state."""
        self.network.load_state_dict(state.model)
        self.optimizer.load_state_dict(state.optimizer)
        self.step, self.history, self.counts = state.step, state.history, BatchCounts(**state.counts)
        self.schedule = self._schedule(state.step)


def train(
    spec: TrainSpec,
    data: Path,
    out: Path,
    *,
    start: Path | None = None,
    resume: bool = False,
    scratch: Path | None = None,
    device: str | None = None,
    code: str = "",
) -> dict[str, Any]:
    """Trains and writes model/, history.jsonl and training.json under `out`; returns the content of training.json.

    `start` is the model folder of the run that `spec.start` names; optimiser and schedule begin anew all the same.
    `code` is a digest of the sources; with it, a state that other code left behind is not continued.
    """
    begin = start_digest(spec, start)
    trainer = Trainer(spec, read_jsonl(data), device, start)
    state_file = (scratch or out / "scratch") / "state.pt"
    identity = identity_of(spec.canonical(), file_digest(data), begin, code)
    seconds = 0.0
    if resume and state_file.is_file():
        state = load_state(state_file, identity)
        trainer.restore(state)
        seconds = state.seconds
    seconds = run_steps(trainer, state_file, identity, seconds)
    report = write_training(trainer, seconds, out)
    state_file.unlink(missing_ok=True)
    return report


def write_training(trainer: Trainer, seconds: float, out: Path) -> dict[str, Any]:
    """Writes model/, history.jsonl and training.json, refusing weights that are not finite; returns the last one."""
    if not all(weight.isfinite().all() for weight in trainer.network.parameters()):
        raise diverged(f"the last update, step {trainer.step}, left weights that are not finite")
    save_network(trainer.network.cpu().eval(), out / "model")
    report = training_report(trainer, seconds)
    with atomic_write(out / "history.jsonl") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in trainer.history)
    write_json(out / "training.json", report)
    return report


def diverged(what: str) -> InputError:
    """The error of a training that left the finite numbers."""
    return InputError(
        f"{what}; lower `optim.lr_encoder` and `optim.lr_others` or set `optim.grad_clip`; no model was written"
    )


def run_steps(trainer: Trainer, state_file: Path, identity: str, seconds: float) -> float:
    """Runs the remaining steps with a checkpoint every SAVE_EVERY_SECONDS; returns the seconds spent in all."""
    trainer.model.train()
    device = trainer.accelerator.device
    batches = prepared(trainer.examples, trainer.spec, trainer.network.prompts, trainer.step, device)
    watch = Stopwatch(device)
    saved = 0.0

    def save() -> None:
        save_state(state_file, trainer.state(seconds + watch.seconds, identity))

    steps = progress(range(trainer.step, trainer.spec.optim.steps), "train", lambda: _status(trainer))
    for _ in until_sigterm(steps, save):
        with watch:
            trainer.history.append(trainer.train_step(*next(batches)))
        if watch.seconds - saved > SAVE_EVERY_SECONDS:
            saved = watch.seconds
            save()
    return seconds + watch.seconds


def _status(trainer: Trainer) -> str:
    recent = [row["loss"] for row in trainer.history[-20:]]
    return f"loss {sum(recent) / max(len(recent), 1):.1f}"


def training_report(trainer: Trainer, seconds: float) -> dict[str, Any]:
    """What the training saw, lost and cost."""
    device = trainer.accelerator.device
    counts = trainer.counts
    return {
        "steps": trainer.step,
        "device": str(device.type),
        "hardware": hardware(device),
        "precision": trainer.accelerator.mixed_precision,
        **trainer.kernels,
        "parameters": sum(weight.numel() for weight in trainer.network.parameters()),
        "seconds": seconds,
        "words_per_second": counts.words / seconds if seconds else None,
        "bytes_peak": peak_bytes(device),
        "negative_share": counts.types_negative / counts.types_asked if counts.types_asked else None,
        "counts": asdict(counts),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; prints one sentence and returns 2 on wrong input."""
    parser = argparse.ArgumentParser(prog="python -m gliner_core.train", description="Trains one GLiNER.")
    parser.add_argument("spec", type=Path, help="spec.json, see gliner_core/spec.py")
    parser.add_argument("--data", type=Path, required=True, help="training examples, JSONL")
    parser.add_argument("--out", type=Path, required=True, help="folder for model/, history.jsonl, training.json")
    parser.add_argument("--start", type=Path, help="model folder of the run that the spec's `start` names")
    parser.add_argument("--resume", action="store_true", help="continue from OUT/scratch/state.pt if it is there")
    parser.add_argument("--device", help="cpu, cuda, cuda:1; default: a GPU if there is one")
    options = parser.parse_args(arguments)
    chosen = {"start": options.start, "resume": options.resume, "device": options.device}
    try:
        report = train(read_spec(options.spec), options.data, options.out, **chosen)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
