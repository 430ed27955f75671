"""One training: the network, its optimiser and schedule, and the step; alone or as one of several processes.

The data order and every draw are functions of spec and step. Dropout is a function of the process's number as well.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from transformers import get_cosine_schedule_with_warmup

from gliner_core.checkpoint import TrainState
from gliner_core.collate import BatchCounts, TrainBatch
from gliner_core.deberta import attention_kernel
from gliner_core.device import choose_device
from gliner_core.errors import InputError
from gliner_core.examples import Example
from gliner_core.fitting import in_fitting_parts, refused_if_too_large
from gliner_core.loss import OBJECTIVES
from gliner_core.model import SpanScoringModel
from gliner_core.optim import build_optimizer, precision_for
from gliner_core.parts import cheap_parts, halves
from gliner_core.processes import process_count, process_rank, share_of, started_with_others, sum_gradients, summed
from gliner_core.seeding import make_deterministic, seed_torch
from gliner_core.spans import valid_cells
from gliner_core.spec import TrainSpec
from gliner_core.starting import start_network

TOO_LARGE = (
    "the weights with their gradients and the optimiser's state need more memory than the device has; take a smaller "
    "backbone or a device with more memory; no model was written"
)


def diverged(what: str) -> InputError:
    """The error of a training that left the finite numbers."""
    return InputError(
        f"{what}; lower `optim.lr_encoder` and `optim.lr_others` or set `optim.grad_clip`; no model was written"
    )


class Trainer:
    """One training: state, step, history."""

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
        self.accelerator = _accelerator(spec, device)
        make_deterministic()
        seed_torch(spec.seed, "init")
        model = start_network(spec.model, start)
        optimizer = build_optimizer(model, spec.optim)
        with refused_if_too_large(TOO_LARGE):
            # Not for DistributedDataParallel, see processes.py; `evaluation_mode` means this and nothing else.
            self.model = self.accelerator.prepare_model(model, evaluation_mode=True)
        self.optimizer = self.accelerator.prepare_optimizer(optimizer)
        self.kernels = {"attention": attention_kernel(model.encoder), "scorer": model.span_head.kernel(model.device)}
        self.schedule = self._schedule(0)
        self.objective = OBJECTIVES[spec.objective.name]
        self.step, self.history, self.counts, self.splits = 0, [], BatchCounts(), 0

    def _schedule(self, done: int) -> torch.optim.lr_scheduler.LambdaLR:
        optim = self.spec.optim
        warmup = int(optim.steps * optim.warmup_ratio)
        return get_cosine_schedule_with_warmup(self.optimizer, warmup, max(optim.steps, 1), last_epoch=done - 1)

    @property
    def network(self) -> SpanScoringModel:
        """The bare model."""
        return self.accelerator.unwrap_model(self.model)

    def train_step(self, examples: Sequence[Example], batch: TrainBatch | None) -> dict[str, float]:
        """One optimiser step on what `make_batch` made of the examples; returns the history row.

        Raises `InputError` naming the step, before any weight has changed, where the loss or the gradient is not
        finite or an example alone needs more memory than the device has.
        """
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
        loss = self._gradients(batch)
        if not math.isfinite(loss):
            raise diverged(f"the loss is {loss} at step {self.step + 1}")
        sum_gradients(self.network.parameters(), self.accelerator.device)
        norm = self._clipped_norm()
        if not math.isfinite(norm):
            raise diverged(f"the norm of the gradient is {norm} at step {self.step + 1} (its loss is {loss:g})")
        with refused_if_too_large(TOO_LARGE):
            self.optimizer.step()
        return {"loss": loss, "positives": len(batch.positives), "types": int(batch.encoded.num_types.sum())}

    def _gradients(self, batch: TrainBatch) -> float:
        """Leaves the gradient of this process's share in the weights; returns the loss of the whole batch."""
        share = share_of(batch, process_rank(), process_count())
        parts = [] if share is None else cheap_parts(share, self.accelerator.device)
        own, splits = in_fitting_parts(parts, self._backward, halves, self._begin_step)
        loss, splits = summed([own, splits], self.accelerator.device)
        self.splits += int(splits)
        return loss

    def _begin_step(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        rank = process_rank()
        seed_torch(self.spec.seed, "dropout", self.step, *([rank] if rank else []))

    def _backward(self, part: TrainBatch) -> float:
        loss = self.loss_of(part)
        self.accelerator.backward(loss)
        return loss.item()

    def _clipped_norm(self) -> float:
        """The norm of the gradient, clipped if the spec says so; infinite already where AdamW's squares would be."""
        weights = [weight for weight in self.network.parameters() if weight.grad is not None]
        if self.spec.optim.grad_clip is not None:
            return float(self.accelerator.clip_grad_norm_(weights, self.spec.optim.grad_clip))
        return float(torch.nn.utils.get_total_norm([weight.grad for weight in weights]))

    def check_weights(self) -> None:
        """Raises `InputError` where the last update left weights that are not finite: no model, and no state."""
        if not all(weight.isfinite().all() for weight in self.network.parameters()):
            raise diverged(f"the last update, step {self.step}, left weights that are not finite")

    def state(self, seconds: float, identity: str) -> TrainState:
        """Everything an exact resume needs."""
        return TrainState(
            step=self.step,
            identity=identity,
            model=self.network.state_dict(),
            optimizer=self.optimizer.state_dict(),
            history=self.history,
            counts=asdict(self.counts),
            splits=self.splits,
            seconds=seconds,
        )

    def restore(self, state: TrainState) -> None:
        """Continues from a saved state."""
        self.network.load_state_dict(state.model)
        with refused_if_too_large(TOO_LARGE):
            self.optimizer.load_state_dict(state.optimizer)
        self.step, self.history, self.counts = state.step, state.history, BatchCounts(**state.counts)
        self.splits = state.splits
        self.schedule = self._schedule(state.step)


def _accelerator(spec: TrainSpec, device: str | None) -> Accelerator:
    """Device, precision and, under torchrun, the connection to the other processes."""
    target = choose_device(device)
    if started_with_others() and target.index is not None:
        raise InputError(f"device {target} was asked for in several processes; write cuda, each takes a GPU of its own")
    accelerator = Accelerator(
        cpu=target.type == "cpu",
        mixed_precision=precision_for(spec.optim, target),
        step_scheduler_with_optimizer=False,
    )
    if accelerator.device.type != target.type:  # accelerate keeps the first device of a process
        raise InputError(
            f"device {target} was asked for after a training on {accelerator.device} in the same process; "
            "start another process"
        )
    return accelerator
