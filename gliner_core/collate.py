"""Examples -> training batches: prompt types, token ids, positive cells, and a count of what could not be used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from gliner_core.examples import Example
from gliner_core.prompt import EncodedBatch, PromptEncoder
from gliner_core.sampling import prompt_types
from gliner_core.seeding import generator
from gliner_core.spans import gold_cells
from gliner_core.spec import TrainSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCounts:
    """What a batch held and what it lost; summed over a training they go into its report."""

    examples: int = 0
    examples_without_types: int = 0  # drawn, but nothing to ask: no gold and no negatives
    words: int = 0
    lost_words: int = 0
    gold: int = 0
    gold_too_wide: int = 0
    gold_outside: int = 0
    types_asked: int = 0
    types_negative: int = 0

    def __add__(self, other: "BatchCounts") -> "BatchCounts":
        return BatchCounts(**{name: getattr(self, name) + getattr(other, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainBatch:
    """An encoded batch with its positive cells [P, 4] = (example, start, width - 1, type)."""

    encoded: EncodedBatch
    positives: torch.Tensor
    counts: BatchCounts


def batch_order(lengths: Sequence[int], spec: TrainSpec, epoch: int) -> list[list[int]]:
    """The batches of one epoch as lists of example indices: a pure function of seed and epoch.

    With `bucket_batches` > 1 the shuffled examples are sorted by length inside windows of that many batches, and the
    batches of a window are shuffled again: less padding, nearly the same company for each example.
    """
    draw = generator(spec.seed, "order", epoch)
    order = list(range(len(lengths)))
    draw.shuffle(order)
    size, window = spec.optim.batch_size, spec.optim.batch_size * spec.optim.bucket_batches
    batches = []
    for offset in range(0, len(order), window):
        chunk = order[offset : offset + window]
        if spec.optim.bucket_batches > 1:
            chunk.sort(key=lambda index: lengths[index])
        parts = [chunk[start : start + size] for start in range(0, len(chunk), size)]
        draw.shuffle(parts)
        batches.extend(parts)
    return batches


def batches_from(examples: Sequence[Example], spec: TrainSpec, first_step: int) -> Iterator[list[Example]]:
    """Endless batches beginning at `first_step` (0-based); an interrupted training continues where it stopped."""
    lengths = [len(example.words) for example in examples]
    per_epoch = -(-len(examples) // spec.optim.batch_size)
    epoch, skip = divmod(first_step, per_epoch)
    while True:
        for indices in batch_order(lengths, spec, epoch)[skip:]:
            yield [examples[index] for index in indices]
        epoch, skip = epoch + 1, 0


def make_batch(examples: Sequence[Example], spec: TrainSpec, prompts: PromptEncoder, step: int) -> TrainBatch | None:
    """One training batch; None when no example has a type to ask for (possible without negatives)."""
    asked = prompt_types(examples, spec.sampling, generator(spec.seed, "sampling", step))
    kept = [(example, types) for example, types in zip(examples, asked, strict=True) if types]
    if not kept:
        return None
    encoded = prompts.encode([example.words for example, _ in kept], [types for _, types in kept])
    positives, counts = [], BatchCounts(examples_without_types=len(examples) - len(kept))
    for row, (example, types) in enumerate(kept):
        num_words = int(encoded.num_words[row])
        cells, too_wide, outside = gold_cells(example, types, num_words, spec.model.max_width)
        positives.extend((row, *cell) for cell in cells)
        counts += BatchCounts(
            examples=1,
            words=num_words,
            lost_words=encoded.lost_words[row],
            gold=len(cells) + too_wide + outside,
            gold_too_wide=too_wide,
            gold_outside=outside,
            types_asked=len(types),
            types_negative=len(set(types) - set(example.types())),
        )
    cells_tensor = torch.tensor(positives, dtype=torch.long).reshape(-1, 4)
    return TrainBatch(encoded=encoded, positives=cells_tensor, counts=counts)
