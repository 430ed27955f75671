"""Span heads that read the two end words of a span, and the registry of all span heads.

A pairwise head describes span (i, j) by out(relu(start_i + end_j)), where `start` and `end` depend on one word each
and `out` is linear. Both heads of the paper's lineage have this form, because the first linear map over the
concatenation [a_i ; b_j] is the sum of a map of a_i and a map of b_j. `scorer.py` relies on it.
"""

import torch
from torch import nn

from gliner_core.scorer import pair_scores, scorer_kernel, sum_scores
from gliner_core.span_head import SpanHead, two_layer
from gliner_core.window_heads import ConvMax, ConvMean, ConvShare, ConvSum, MaxPool, MeanPool, Query


class PairwiseHead(SpanHead):
    """A head whose `out_project` is a two-layer map over the concatenated start and end."""

    out_project: nn.Sequential

    def ends(self, words: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Words [B, L, D] -> start vectors and end vectors, each [B, L, D], as they are concatenated."""
        raise NotImplementedError

    def kernel(self, device: torch.device) -> str:
        """See SpanHead."""
        return scorer_kernel(device)

    def forward(
        self, words: torch.Tensor, types: torch.Tensor, num_words: torch.Tensor, max_width: int
    ) -> torch.Tensor:
        """See SpanHead."""
        first, _, dropout, second = self.out_project
        start, end = self.ends(words)
        for_start, for_end = first.weight.chunk(2, dim=1)
        return pair_scores(
            nn.functional.linear(start, for_start, first.bias),  # [B, L, 4D]
            nn.functional.linear(end, for_end),  # [B, L, 4D]
            types @ second.weight,  # [B, C, 4D]
            types @ second.bias,  # [B, C]
            num_words,
            max_width,
            dropout.p if self.training else 0.0,
        )


class MarkerV0(PairwiseHead):
    """The author's layer: a two-layer map for start and one for end, ReLU, then the two-layer map of the pair."""

    def __init__(self, hidden_size: int, dropout: float, max_width: int) -> None:
        super().__init__(hidden_size, dropout, max_width)
        self.project_start = two_layer(hidden_size, hidden_size, dropout)
        self.project_end = two_layer(hidden_size, hidden_size, dropout)
        self.out_project = two_layer(2 * hidden_size, hidden_size, dropout)

    def ends(self, words: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See PairwiseHead."""
        return self.project_start(words).relu(), self.project_end(words).relu()


class PaperFFN(PairwiseHead):
    """The paper's equation 1: S_ij = FFN(h_i concatenated with h_j), one two-layer map and nothing before it."""

    def __init__(self, hidden_size: int, dropout: float, max_width: int) -> None:
        super().__init__(hidden_size, dropout, max_width)
        self.out_project = two_layer(2 * hidden_size, hidden_size, dropout)

    def ends(self, words: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See PairwiseHead."""
        return words, words


class Marker(SpanHead):
    """The package's `marker` (early 2024, not the layer of that name in the paper's code): narrower maps, one linear.

    Nothing follows the last linear map, so start and end never interact: a score is a sum of two.
    """

    def __init__(self, hidden_size: int, dropout: float, max_width: int) -> None:
        super().__init__(hidden_size, dropout, max_width)
        self.project_start = two_layer(hidden_size, hidden_size, dropout, widening=2)
        self.project_end = two_layer(hidden_size, hidden_size, dropout, widening=2)
        self.out_project = nn.Linear(2 * hidden_size, hidden_size)

    def forward(
        self, words: torch.Tensor, types: torch.Tensor, num_words: torch.Tensor, max_width: int
    ) -> torch.Tensor:
        """See SpanHead."""
        start, end = self.project_start(words).relu(), self.project_end(words).relu()  # [B, L, D]
        return _added_ends(self.out_project, start, end, types, num_words, max_width)


class Endpoints(SpanHead):
    """S_ij = linear(h_i concatenated with h_j): the end words and one linear map, the least that can be said of a span.

    Like `marker` it adds a score of the start and one of the end, but without the two-layer map of each word before.
    """

    def __init__(self, hidden_size: int, dropout: float, max_width: int) -> None:
        super().__init__(hidden_size, dropout, max_width)
        self.out_project = nn.Linear(2 * hidden_size, hidden_size)

    def forward(
        self, words: torch.Tensor, types: torch.Tensor, num_words: torch.Tensor, max_width: int
    ) -> torch.Tensor:
        """See SpanHead."""
        return _added_ends(self.out_project, words, words, types, num_words, max_width)


def _added_ends(
    out_project: nn.Linear,
    start: torch.Tensor,
    end: torch.Tensor,
    types: torch.Tensor,
    num_words: torch.Tensor,
    max_width: int,
) -> torch.Tensor:
    """Scores [B, L, K, C] of out_project(start_i concatenated with end_j) from start and end vectors [B, L, D]."""
    for_start, for_end = out_project.weight.chunk(2, dim=1)
    start = nn.functional.linear(start, for_start, out_project.bias)  # [B, L, D]
    return sum_scores(start, nn.functional.linear(end, for_end), types, num_words, max_width)


SPAN_HEADS: dict[str, type[SpanHead]] = {
    "marker_v0": MarkerV0,
    "paper_ffn": PaperFFN,
    "marker": Marker,
    "endpoints": Endpoints,
    "mean_pool": MeanPool,
    "max_pool": MaxPool,
    "conv_mean": ConvMean,
    "conv_sum": ConvSum,
    "conv_max": ConvMax,
    "conv_share": ConvShare,
    "query": Query,
}
