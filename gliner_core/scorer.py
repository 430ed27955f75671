"""Span x type scores without span vectors.

score(i, j, c) = out2(relu(s_i + e_j)) . t_c = relu(s_i + e_j) . (W2^T t_c) + b2 . t_c: the second linear map is folded
into the types, so a span costs one add, one ReLU and C dot products of width H = 4D, and no [L, K, D] tensor exists.
The hidden values live in one small block at a time and are computed again in the backward pass: nothing of the size
words x K x H is kept. Letters as in `model.py`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import FunctionCtx, once_differentiable

from gliner_core import triton_scorer
from gliner_core.dropout import MaskStream, fresh_seed, scale_of

BLOCK_VALUES = 1 << 19  # hidden values of one block: 2 MiB in fp32, so that the passes over it stay in the cache


def pair_scores(
    start: torch.Tensor,
    end: torch.Tensor,
    type_map: torch.Tensor,
    type_bias: torch.Tensor,
    num_words: torch.Tensor,
    max_width: int,
    dropout: float = 0.0,
) -> torch.Tensor:
    """Scores [B, L, K, C] of start and end parts [B, L, H] against folded types [B, C, H] with bias [B, C].

    score[b, i, k, c] = dropout(relu(start[b, i] + end[b, i + k])) . type_map[b, c] + type_bias[b, c]. Cells whose span
    ends past `num_words` are not computed and hold 0. `dropout` is the probability of dropping a hidden value. On a GPU
    with Triton one fused kernel does it; elsewhere, and as its reference, the blocks below.
    """
    seed = fresh_seed() if dropout else 0
    if scorer_kernel(start.device) == "triton":
        return triton_scorer.pair_scores(start, end, type_map, type_bias, num_words, max_width, dropout, seed)
    inputs = full_precision(start, end, type_map, type_bias)
    with torch.autocast(start.device.type, enabled=False):
        return _PairScores.apply(*inputs, tuple(num_words.tolist()), max_width, dropout, seed)


def full_precision(*inputs: torch.Tensor) -> list[torch.Tensor]:
    """16-bit numbers, which autocast makes, as fp32: logits and their gradients are sums of thousands of terms."""
    return [tensor.float() if tensor.dtype.itemsize == 2 else tensor for tensor in inputs]


def scorer_kernel(device: torch.device) -> str:
    """What computes the scores of a pairwise head on a device, for receipts."""
    return "triton" if device.type == "cuda" and triton_scorer.available(device) else "blocks"


def sum_scores(
    start: torch.Tensor, end: torch.Tensor, types: torch.Tensor, num_words: torch.Tensor, max_width: int
) -> torch.Tensor:
    """Scores [B, L, K, C] of an additive head: (start[b, i] + end[b, i + k]) . types[b, c], from [B, L, D], [B, C, D].

    Without a nonlinearity behind the sum a span costs C additions. Cells past the last word hold 0.
    """
    start, end, types = full_precision(start, end, types)
    with torch.autocast(start.device.type, enabled=False):
        start_score, end_score = start @ types.transpose(1, 2), end @ types.transpose(1, 2)  # [B, L, C]
    length = start.shape[1]
    first = torch.arange(length, device=start.device)[:, None]
    last = first + torch.arange(max_width, device=start.device)[None, :]  # [L, K]
    inside = last[None] < num_words[:, None, None]  # [B, L, K]
    scores = start_score.unsqueeze(2) + end_score[:, last.clamp(max=length - 1)]  # [B, L, K, C]
    return scores * inside[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """The spans of some neighbouring starts of one text, ordered by width and then by start."""

    row: int
    first: int
    counts: tuple[int, ...]  # starts per width; they get fewer towards the end of the text

    def pieces(self) -> Iterator[tuple[int, slice, slice, slice]]:
        """Per width: its index, and the slices of its spans, their start words and their end words."""
        offset = 0
        for width, count in enumerate(self.counts):
            starts = slice(self.first, self.first + count)
            yield width, slice(offset, offset + count), starts, slice(starts.start + width, starts.stop + width)
            offset += count


def _blocks(num_words: Sequence[int], max_width: int, hidden: int) -> Iterator[_Block]:
    rows = max(1, BLOCK_VALUES // (hidden * max_width))
    for row, length in enumerate(num_words):
        for first in range(0, length, rows):
            last = min(first + rows, length)
            counts = (min(last, length - width) - first for width in range(min(max_width, length - first)))
            yield _Block(row=row, first=first, counts=tuple(counts))


def _hidden(block: _Block, start: torch.Tensor, end: torch.Tensor, masks: MaskStream | None) -> torch.Tensor:
    """relu(start + end), zero where dropped, [spans of the block, H]; the scale of the dropout is in the types."""
    hidden = start.new_empty(sum(block.counts), start.shape[-1])
    for _, spans, starts, ends in block.pieces():
        torch.add(start[block.row, starts], end[block.row, ends], out=hidden[spans])
    hidden.relu_()
    return hidden if masks is None else masks.drop_(hidden)


class _PairScores(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        start: torch.Tensor,
        end: torch.Tensor,
        type_map: torch.Tensor,
        type_bias: torch.Tensor,
        num_words: tuple[int, ...],
        max_width: int,
        dropout: float,
        seed: int,
    ) -> torch.Tensor:
        ctx.save_for_backward(start, end, type_map)
        ctx.layout = num_words, max_width, dropout, seed
        folded = type_map * scale_of(dropout)  # [B, C, H]
        masks = MaskStream(dropout, seed) if dropout else None
        scores = start.new_zeros(*start.shape[:2], max_width, type_map.shape[1])
        for block in _blocks(num_words, max_width, start.shape[-1]):
            hidden = _hidden(block, start, end, masks)
            # Types first: BLAS is up to three times faster with the long side of a thin product as its columns.
            found = torch.addmm(type_bias[block.row, :, None], folded[block.row], hidden.T)  # [C, spans]
            for width, spans, starts, _ in block.pieces():
                scores[block.row, starts, width] = found[:, spans].T
        return scores

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: torch.Tensor) -> tuple[Any, ...]:
        start, end, type_map = ctx.saved_tensors
        num_words, max_width, dropout, seed = ctx.layout
        folded = type_map * scale_of(dropout)
        masks = MaskStream(dropout, seed) if dropout else None
        to_start, to_end, to_types = torch.zeros_like(start), torch.zeros_like(end), torch.zeros_like(type_map)
        to_bias = torch.zeros_like(type_map[..., 0])
        for block in _blocks(num_words, max_width, start.shape[-1]):
            hidden = _hidden(block, start, end, masks)
            given = torch.cat([gradient[block.row, starts, width] for width, _, starts, _ in block.pieces()])
            to_types[block.row].addmm_(given.T, hidden)
            to_bias[block.row] += given.sum(dim=0)
            # A hidden value is positive exactly where neither the ReLU nor the mask stopped it.
            inner = given @ folded[block.row]  # [spans, H]
            torch.ops.aten.threshold_backward.grad_input(inner, hidden, 0, grad_input=inner)
            for _, spans, starts, ends in block.pieces():
                to_start[block.row, starts] += inner[spans]
                to_end[block.row, ends] += inner[spans]
        return to_start, to_end, to_types.mul_(scale_of(dropout)), to_bias, None, None, None, None
