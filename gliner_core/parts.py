"""A training batch -> parts of texts of like length, whose gradients add up to that of the whole batch.

The loss is a sum over cells, so the parts give the same gradient; they hold less padding and need less memory at once.
A part that does not fit into the memory of the device is halved. Prompts, types and positives of a text never change
with the part it stands in. Dropout does: a part draws masks of its own shape, of the same distribution.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from gliner_core.batching import cheapest_batches
from gliner_core.collate import BatchCounts, TrainBatch
from gliner_core.errors import InputError
from gliner_core.prompt import EncodedBatch

# What a further forward and backward pass costs, in sub-tokens. CPU: measured with a 6-layer encoder of width 384 and
# one thread (about 30 ms, most of it to add up the gradients of all weights, against 0.85 ms a sub-token).
CPU_PASS, OTHER_PASS = 40, 4096


def cheap_parts(batch: TrainBatch, device: torch.device) -> list[TrainBatch]:
    """The batch in as many parts as pay on this device, often one; together they hold each text once.

    The counts stay with the first part.
    """
    lengths = batch.encoded.attention_mask.sum(dim=1).tolist()
    groups = cheapest_batches(lengths, len(lengths), CPU_PASS if device.type == "cpu" else OTHER_PASS)
    if len(groups) == 1:
        return [batch]
    return _parts(batch, groups)


def halves(batch: TrainBatch) -> list[TrainBatch]:
    """The longer and the shorter half of the texts; `InputError` for a single text."""
    lengths = batch.encoded.attention_mask.sum(dim=1)
    if len(lengths) == 1:
        raise InputError(
            f"an example of {int(lengths[0])} sub-tokens, {int(batch.encoded.num_words[0])} words and "
            f"{int(batch.encoded.num_types[0])} types needs more memory than the device has; lower `model.max_words`, "
            "`sampling.max_types` or `model.max_width`, or train on a device with more memory; no model was written"
        )
    order = lengths.argsort(descending=True, stable=True).tolist()
    middle = (len(order) + 1) // 2
    return _parts(batch, [order[:middle], order[middle:]])


def _parts(batch: TrainBatch, groups: Sequence[Sequence[int]]) -> list[TrainBatch]:
    parts = [take_rows(batch, torch.tensor(rows)) for rows in groups]
    return [replace(part, counts=batch.counts if part is parts[0] else BatchCounts()) for part in parts]


def take_rows(batch: TrainBatch, rows: torch.Tensor) -> TrainBatch:
    """Some texts of a batch, without the padding that only the others need; the counts stay those of the batch."""
    found = batch.positives[:, :1] == rows[None, :]  # [P, rows]
    inside = found.any(dim=1)
    row = found[inside].long().argmax(dim=1)
    positives = torch.cat([row[:, None], batch.positives[inside, 1:]], dim=1)
    return TrainBatch(encoded=_rows(batch.encoded, rows), positives=positives, counts=batch.counts)


def _rows(encoded: EncodedBatch, rows: torch.Tensor) -> EncodedBatch:
    num_words, num_types = encoded.num_words[rows], encoded.num_types[rows]
    tokens = int(encoded.attention_mask[rows].sum(dim=1).max())
    return EncodedBatch(
        input_ids=encoded.input_ids[rows, :tokens],
        attention_mask=encoded.attention_mask[rows, :tokens],
        word_position=encoded.word_position[rows, : int(num_words.max())],
        type_position=encoded.type_position[rows, : int(num_types.max())],
        num_words=num_words,
        num_types=num_types,
        lost_words=(),  # counted with the whole batch
    )
