"""The published package's Trainer, unchanged but for what it writes down and where it stops.

Imported only where the package is known to be installed: see `package_training`.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from gliner.training import Trainer, TrainingArguments
from torch.utils.data import Dataset

from benchmarks.peers.plan import PlannedStep
from gliner_core.progress import progress
from gliner_core.trainer import diverged

ENCODER_GROUP, OTHERS_GROUP = 2, 0  # order of the package's four parameter groups, each pair with and without decay


class Steps(Dataset):
    """The planned steps as a data set: item n is the whole batch of step n."""

    def __init__(self, steps: Sequence[PlannedStep]) -> None:
        self.steps = steps

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, step: int) -> list[dict[str, Any]]:
        return list(self.steps[step].rows)


class RecordingTrainer(Trainer):
    """Keeps the history rows of `gliner_core.train`; a step without types moves the schedule alone, as there."""

    def __init__(self, model: Any, args: TrainingArguments, steps: Sequence[PlannedStep], collate: Callable) -> None:
        super().__init__(
            model=model, args=args, train_dataset=Steps(steps), data_collator=lambda items: _collated(items, collate)
        )
        self.steps = steps
        self.rows: list[dict[str, float]] = []
        self._ticks = progress(range(len(steps)), "train", self._status)

    def training_step(
        self, model: torch.nn.Module, inputs: dict[str, Any], num_items_in_batch: int | None = None
    ) -> torch.Tensor:
        """One forward and backward pass of the package; refuses a loss that is not finite."""
        next(self._ticks)
        step = len(self.rows)
        planned, rates = self.steps[step], self.lr_scheduler.get_last_lr()
        if planned.rows:
            loss = super().training_step(model, inputs, num_items_in_batch)
        else:
            loss = torch.zeros((), device=self.args.device)
        if not math.isfinite(loss.item()):
            raise diverged(f"the loss is {loss.item()} at step {step + 1}")
        self.rows.append(
            {
                "step": step + 1,
                "lr_encoder": rates[ENCODER_GROUP],
                "lr_others": rates[OTHERS_GROUP],
                "loss": loss.item(),
                "positives": planned.positives,
                "types": planned.counts.types_asked,
            }
        )
        return loss

    def _status(self) -> str:
        recent = [row["loss"] for row in self.rows[-20:]]
        return f"loss {sum(recent) / max(len(recent), 1):.1f}"


def _collated(items: list[list[dict[str, Any]]], collate: Callable) -> dict[str, Any]:
    (rows,) = items  # the data loader's batch is one item, a whole batch of examples
    return collate(rows) if rows else {}
