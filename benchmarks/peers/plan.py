"""What each step of a training shows to the model, in the published package's own form of an example.

The same functions of seed and step that `gliner_core.train` draws from decide batches and prompt types, so that two
trainers that follow the plan see the same examples with the same types in the same order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gliner_core.collate import BatchCounts, batches_from, make_batch
from gliner_core.examples import Example
from gliner_core.prompt import PromptEncoder
from gliner_core.sampling import prompt_types
from gliner_core.seeding import generator
from gliner_core.spec import TrainSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One batch; `rows` is empty where no example has a type to ask for."""

    rows: tuple[dict[str, Any], ...]
    counts: BatchCounts
    positives: int


def planned_steps(examples: Sequence[Example], spec: TrainSpec, prompts: PromptEncoder) -> list[PlannedStep]:
    """All `optim.steps` batches of a training from its first step on."""
    batches = islice(batches_from(examples, spec, prompts, 0), spec.optim.steps)
    return [_planned(batch, spec, prompts, step) for step, batch in enumerate(batches)]


def _planned(batch: Sequence[Example], spec: TrainSpec, prompts: PromptEncoder, step: int) -> PlannedStep:
    made = make_batch(batch, spec, prompts, step)
    if made is None:
        return PlannedStep(rows=(), counts=BatchCounts(examples_without_types=len(batch)), positives=0)
    return PlannedStep(rows=tuple(_rows(batch, spec, step)), counts=made.counts, positives=len(made.positives))


def _rows(batch: Sequence[Example], spec: TrainSpec, step: int) -> Iterator[dict[str, Any]]:
    asked = prompt_types(batch, spec.sampling, generator(spec.seed, "sampling", step))
    for example, types in zip(batch, asked, strict=True):
        if types:
            # `ner_labels` names the whole prompt: the package draws no types of its own for such an example.
            spans = [[span.start, span.end, span.type] for span in example.spans]
            yield {"tokenized_text": list(example.words), "ner": spans, "ner_labels": list(types)}
