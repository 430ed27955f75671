"""A training step at several K in turn: one trainer, one set of weights, the batches that a training would see.

K changes which spans are scored and which gold is a positive cell. A span head with weights for each width is built for
the largest K and asked for fewer.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

from benchmarks.efficiency.timing import Job, Side
from gliner_core.collate import batches_from, make_batch
from gliner_core.examples import Example
from gliner_core.spec import TrainSpec
from gliner_core.trainer import Trainer

Batch = tuple[int, Sequence[Example]]  # step and its examples


class Stepper:
    """`spec` is that of any run; `widths` are the K to be compared."""

    def __init__(self, spec: TrainSpec, widths: Sequence[int], examples: Sequence[Example], device: str) -> None:
        self.trainer = Trainer(with_width(spec, max(widths)), examples, device)
        self.trainer.model.train()

    def batches(self, count: int) -> Callable[[int], Batch]:
        """Pass -> its batch, the same for every K."""
        trainer = self.trainer
        endless = batches_from(trainer.examples, trainer.spec, trainer.network.prompts, 0)
        found = list(islice(endless, count))
        return lambda number: (number % count, found[number % count])

    def side(self, max_width: int) -> Side:
        """Batch -> the job of one step at this K: prompt types and collation, forward, backward, clipping, AdamW."""
        trainer, spec = self.trainer, with_width(self.trainer.spec, max_width)

        def prepare(batch: Batch) -> Job:
            step, examples = batch

            def job() -> dict[str, float]:
                trainer.spec, trainer.network.spec = spec, spec.model
                trainer.step = step  # of which prompt types and dropout are a function: every K asks the same types
                return trainer.train_step(examples, make_batch(examples, spec, trainer.network.prompts, step))

            return job

        return prepare


def with_width(spec: TrainSpec, max_width: int) -> TrainSpec:
    """The same training at another K."""
    return replace(spec, model=replace(spec.model, max_width=max_width))
