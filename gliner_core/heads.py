"""Span representations and the type representation.

A pairwise head describes span (i, j) by out(relu(start_i + end_j)), where `start` and `end` depend on one word each
and `out` is linear. Both heads of the paper's lineage have this form, because the first linear map over the
concatenation [a_i ; b_j] is the sum of a map of a_i and a map of b_j. `scorer.py` relies on it.
"""

from typing import Protocol

import torch
from torch import nn

WIDENING = 4  # inner width of all two-layer maps, in units of D (author's code)


def two_layer(inputs: int, outputs: int, dropout: float) -> nn.Sequential:
    """Linear -> ReLU -> Dropout -> Linear with inner width 4 * outputs; index 0 and 3 hold the weights."""
    inner = WIDENING * outputs
    return nn.Sequential(nn.Linear(inputs, inner), nn.ReLU(), nn.Dropout(dropout), nn.Linear(inner, outputs))


class PairwiseHead(Protocol):
    """What the scorer needs of a span representation."""

    out_project: nn.Sequential

    def word_parts(self, words: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[B, L, D] -> start part and end part, each [B, L, 4D]; the inner layer's bias is in the start part."""


def _split_first_layer(
    out_project: nn.Sequential, start: torch.Tensor, end: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    first = out_project[0]
    width = start.shape[-1]
    start_part = nn.functional.linear(start, first.weight[:, :width], first.bias)  # [B, L, 4D]
    end_part = nn.functional.linear(end, first.weight[:, width:])  # [B, L, 4D]
    return start_part, end_part


class MarkerV0(nn.Module):
    """The author's layer: a two-layer map for start and one for end, ReLU, then the two-layer map of the pair."""

    def __init__(self, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.project_start = two_layer(hidden_size, hidden_size, dropout)
        self.project_end = two_layer(hidden_size, hidden_size, dropout)
        self.out_project = two_layer(2 * hidden_size, hidden_size, dropout)

    def word_parts(self, words: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See PairwiseHead."""
        start, end = self.project_start(words).relu(), self.project_end(words).relu()  # [B, L, D]
        return _split_first_layer(self.out_project, start, end)


class PaperFFN(nn.Module):
    """The paper's equation 1: S_ij = FFN(h_i concatenated with h_j), one two-layer map and nothing before it."""

    def __init__(self, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.out_project = two_layer(2 * hidden_size, hidden_size, dropout)

    def word_parts(self, words: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See PairwiseHead."""
        return _split_first_layer(self.out_project, words, words)


SPAN_HEADS: dict[str, type[nn.Module]] = {"marker_v0": MarkerV0, "paper_ffn": PaperFFN}
