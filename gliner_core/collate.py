"""Examples -> training batches: prompt types, token ids, positive cells, and a count of what could not be used."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from gliner_core.examples import Example
from gliner_core.prompt import EncodedBatch, PromptEncoder
from gliner_core.sampling import prompt_types
from gliner_core.seeding import generator
from gliner_core.spans import gold_cells
from gliner_core.spec import TrainSpec

LENGTHS_AT_ONCE = 1000  # texts tokenised for their length in one go; keeps the cache of words within its bound


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
    gold_not_asked: int = 0  # their types were dropped or cut from the prompt
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

    def pinned(self) -> "TrainBatch":
        """The same batch in page-locked memory."""
        return replace(self, encoded=self.encoded.pinned(), positives=self.positives.pin_memory())


def batch_order(lengths: Sequence[int], spec: TrainSpec, epoch: int) -> list[list[int]]:
    """The batches of one epoch as lists of example indices: a pure function of seed and epoch.

    With `bucket_batches` > 1 the shuffled examples are sorted by length inside windows of that many batches, and the
    batches of a window are shuffled again: less padding. Every example still comes once an epoch, and its own draws of
    the sampler keep their distribution; what changes is its company, whose types are the pool of its negatives: texts
    of like length, out of a random window.
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


def batches_from(
    examples: Sequence[Example], spec: TrainSpec, prompts: PromptEncoder, first_step: int
) -> Iterator[list[Example]]:
    """Endless batches beginning at `first_step` (0-based); an interrupted training continues where it stopped."""
    lengths = _text_lengths(examples, prompts) if spec.optim.bucket_batches > 1 else [0] * len(examples)
    per_epoch = -(-len(examples) // spec.optim.batch_size)
    epoch, skip = divmod(first_step, per_epoch)
    while True:
        for indices in batch_order(lengths, spec, epoch)[skip:]:
            yield [examples[index] for index in indices]
        epoch, skip = epoch + 1, 0


def _text_lengths(examples: Sequence[Example], prompts: PromptEncoder) -> list[int]:
    """Sub-tokens of each text; the prompts, drawn anew at every step, add about the same to all."""
    lengths: list[int] = []
    for offset in range(0, len(examples), LENGTHS_AT_ONCE):
        texts = [example.words for example in examples[offset : offset + LENGTHS_AT_ONCE]]
        lengths += prompts.lengths(texts, [()] * len(texts))
    return lengths


def make_batch(examples: Sequence[Example], spec: TrainSpec, prompts: PromptEncoder, step: int) -> TrainBatch | None:
    """One training batch; None when no example has a type to ask for (possible without negatives)."""
    asked = prompt_types(examples, spec.sampling, generator(spec.seed, "sampling", step))
    kept = [(example, types) for example, types in zip(examples, asked, strict=True) if types]
    if not kept:
        return None
    encoded = prompts.encode([example.words for example, _ in kept], [types for _, types in kept])
    num_words = encoded.num_words.tolist()
    gold = [gold_cells(*pair, visible, spec.model.max_width) for pair, visible in zip(kept, num_words, strict=True)]
    positives = [(row, *cell) for row, (cells, _, _) in enumerate(gold) for cell in cells]
    too_wide, outside = (sum(lost[kind] for lost in gold) for kind in (1, 2))
    counts = BatchCounts(
        examples=len(kept),
        examples_without_types=len(examples) - len(kept),
        words=sum(num_words),
        lost_words=sum(encoded.lost_words),
        gold=len(positives) + too_wide + outside,
        gold_too_wide=too_wide,
        gold_outside=outside,
        gold_not_asked=sum(span.type not in types for example, types in kept for span in example.spans),
        types_asked=sum(len(types) for _, types in kept),
        types_negative=sum(len(set(types).difference(example.types())) for example, types in kept),
    )
    cells_tensor = torch.tensor(positives, dtype=torch.long).reshape(-1, 4)
    return TrainBatch(encoded=encoded, positives=cells_tensor, counts=counts)
