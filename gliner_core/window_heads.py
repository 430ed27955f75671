"""Span heads that read all words of a span, or its first word and its width.

A span (i, k), the words i .. i + k, gets a vector v that no sum of a start and an end can give. Its score against a
type t is relu(v) . m(t) + b(t): the linear map behind the ReLU is folded into the types. The vectors exist for one
block of starts at a time and are computed again in the backward pass, so that memory grows with words x D and not with
words x K x 4D. Letters as in `model.py`; R is the number of starts in a block.

`conv_mean`, `conv_sum`, `conv_max`, `conv_share` and `query` are those of the published package 0.2.29 under its own
names, weights included. Its convolutions and pools run over zeros behind the last word; no span inside the text reaches
there, and the other cells hold 0 here. Its `conv_conv` (a convolution of its own for each width: 77 matrices of D x D
for K = 12), `mlp` and `cat` are not built.
"""

from collections.abc import Iterator
from itertools import accumulate

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from gliner_core.errors import InputError
from gliner_core.scorer import full_precision
from gliner_core.span_head import SpanHead, two_layer
from gliner_core.spans import valid_spans

BLOCK_VALUES = {"cpu": 1 << 21, "cuda": 1 << 26}  # inner values of one block: 8 MiB in fp32 near a cache, else 256 MiB


class WindowHead(SpanHead):
    """A head that is told by `word_values`, `span_values` and `fold`; this class cuts blocks and matches types."""

    def word_values(self, words: torch.Tensor) -> torch.Tensor:
        """What is computed once a word: [B, L, D] -> [B, L, ...]; the words themselves unless a head overrides it."""
        return words

    def span_values(self, window: torch.Tensor, max_width: int) -> torch.Tensor:
        """Vectors before the ReLU, [B, R, K, H], of the spans that start at the first R of R + K - 1 word values."""
        raise NotImplementedError

    def drop(self, hidden: torch.Tensor) -> torch.Tensor:
        """Dropout behind the ReLU, any shape; none unless a head overrides it."""
        return hidden

    def fold(self, types: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Types [B, C, D] -> what relu(v) is multiplied with, [B, C, H], and what is added, [B, C]."""
        raise NotImplementedError

    def forward(
        self, words: torch.Tensor, types: torch.Tensor, num_words: torch.Tensor, max_width: int
    ) -> torch.Tensor:
        """See SpanHead. Raises `InputError` where the head has no weights for so wide a span."""
        type_map, type_bias = self.fold(types)
        values = self.word_values(words)
        length, of_one_start = words.shape[1], len(words) * max_width * type_map.shape[-1]
        rows = max(1, BLOCK_VALUES.get(words.device.type, BLOCK_VALUES["cpu"]) // of_one_start)
        behind = values.new_zeros(len(values), max_width - 1, *values.shape[2:])
        values = torch.cat([values, behind], dim=1)
        blocks = [
            checkpoint(
                self._block,
                values[:, first : first + rows + max_width - 1],
                type_map,
                type_bias,
                max_width,
                use_reentrant=False,
            )
            for first in range(0, length, rows)
        ]
        outside = ~valid_spans(num_words, length, max_width)
        return torch.cat(blocks, dim=1).masked_fill(outside[..., None], 0)

    def _block(
        self, window: torch.Tensor, type_map: torch.Tensor, type_bias: torch.Tensor, max_width: int
    ) -> torch.Tensor:
        hidden = self.drop(self.span_values(window, max_width).relu())  # [B, R, K, H]
        hidden, type_map, type_bias = full_precision(hidden, type_map, type_bias)
        with torch.autocast(window.device.type, enabled=False):
            found = torch.baddbmm(type_bias[:, None], hidden.flatten(1, 2), type_map.transpose(1, 2))  # [B, R K, C]
        return found.unflatten(1, hidden.shape[1:3])


def _last_words(window: torch.Tensor, max_width: int) -> Iterator[torch.Tensor]:
    """For each width the value at the last word of the spans: K tensors [B, R, ...]."""
    rows = window.shape[1] - max_width + 1
    return (window[:, width : width + rows] for width in range(max_width))


def running_sum(window: torch.Tensor, max_width: int) -> torch.Tensor:
    """Sums over the words of each span, [B, R + K - 1, E] -> [B, R, K, E].

    Added up word by word: differences of sums from the start of the text would lose digits in long texts.
    """
    return torch.stack(list(accumulate(_last_words(window, max_width), torch.add)), dim=2)


def running_mean(window: torch.Tensor, max_width: int) -> torch.Tensor:
    """Means over the words of each span; shapes as in `running_sum`."""
    counts = torch.arange(1, max_width + 1, device=window.device, dtype=window.dtype)
    return running_sum(window, max_width) / counts[:, None]


def running_max(window: torch.Tensor, max_width: int) -> torch.Tensor:
    """Largest values over the words of each span; shapes as in `running_sum`."""
    return torch.stack(list(accumulate(_last_words(window, max_width), torch.maximum)), dim=2)


class TwoLayerPool(WindowHead):
    """A head that pools words and passes the result through the two-layer map of `paper_ffn`, one D wide at its end."""

    def __init__(self, hidden_size: int, dropout: float, max_width: int) -> None:
        super().__init__(hidden_size, dropout, max_width)
        self.out_project = two_layer(hidden_size, hidden_size, dropout)

    def drop(self, hidden: torch.Tensor) -> torch.Tensor:
        """See WindowHead."""
        return self.out_project[2](hidden)

    def fold(self, types: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See WindowHead."""
        return types @ self.out_project[3].weight, types @ self.out_project[3].bias


class MeanPool(TwoLayerPool):
    """S_ij = FFN(mean of h_i .. h_j). The mean is taken behind the first linear map, which gives the same number."""

    def word_values(self, words: torch.Tensor) -> torch.Tensor:
        """See WindowHead."""
        return self.out_project[0](words)  # [B, L, 4D]

    def span_values(self, window: torch.Tensor, max_width: int) -> torch.Tensor:
        """See WindowHead."""
        return running_mean(window, max_width)


class MaxPool(TwoLayerPool):
    """S_ij = FFN(max of h_i .. h_j in each dimension)."""

    def span_values(self, window: torch.Tensor, max_width: int) -> torch.Tensor:
        """See WindowHead."""
        return self.out_project[0](running_max(window, max_width))


class _Projected(WindowHead):
    """What the package's convolutions and pools share: S_ij = linear(relu(v_ij)), D wide throughout, no dropout."""

    def __init__(self, hidden_size: int, dropout: float, max_width: int) -> None:
        super().__init__(hidden_size, dropout, max_width)
        self.project = nn.Sequential(nn.ReLU(), nn.Linear(hidden_size, hidden_size))  # index 1, as the package saves it

    def fold(self, types: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See WindowHead."""
        return types @ self.project[1].weight, types @ self.project[1].bias


class ConvMean(_Projected):
    """The package's `conv_mean`: the mean of the words, no map before the ReLU, so that half of it is lost there."""

    def span_values(self, window: torch.Tensor, max_width: int) -> torch.Tensor:
        """See WindowHead."""
        return running_mean(window, max_width)


class ConvSum(_Projected):
    """The package's `conv_sum`: the sum of the words."""

    def span_values(self, window: torch.Tensor, max_width: int) -> torch.Tensor:
        """See WindowHead."""
        return running_sum(window, max_width)


class ConvMax(_Projected):
    """The package's `conv_max`: the maximum over the words in each dimension."""

    def span_values(self, window: torch.Tensor, max_width: int) -> torch.Tensor:
        """See WindowHead."""
        return running_max(window, max_width)


class ConvShare(_Projected):
    """The package's `conv_share`: v_ij = W_0 h_i + W_1 h_i+1 + ... + W_j-i h_j; one matrix for each place in a span.

    A convolution of width k + 1 without bias for the spans of k + 1 words, all with the same first matrices. The words
    pass each matrix once, and wider spans add to narrower ones. K matrices bound the width.
    """

    def __init__(self, hidden_size: int, dropout: float, max_width: int) -> None:
        super().__init__(hidden_size, dropout, max_width)
        self.conv_weigth = nn.Parameter(torch.empty(hidden_size, hidden_size, max_width))  # the package's spelling
        nn.init.kaiming_uniform_(self.conv_weigth, nonlinearity="relu")

    def word_values(self, words: torch.Tensor) -> torch.Tensor:
        """See WindowHead."""
        matrices = self.conv_weigth.permute(2, 0, 1)  # [K, D, D]
        return nn.functional.linear(words, matrices.flatten(0, 1)).unflatten(-1, matrices.shape[:2])  # [B, L, K, D]

    def span_values(self, window: torch.Tensor, max_width: int) -> torch.Tensor:
        """See WindowHead."""
        check_width(max_width, self.conv_weigth.shape[2])
        places = (value[:, :, place] for place, value in enumerate(_last_words(window, max_width)))
        return torch.stack(list(accumulate(places, torch.add)), dim=2)


class Query(WindowHead):
    """The package's `query`: S_ij = relu(linear(h_i * q_j-i)) with a learned vector q for each width.

    It reads the first word and the width. What the last word is it knows only as far as the encoder or the BiLSTM has
    told the first one. K vectors bound the width.
    """

    def __init__(self, hidden_size: int, dropout: float, max_width: int) -> None:
        super().__init__(hidden_size, dropout, max_width)
        self.query_seg = nn.Parameter(torch.empty(hidden_size, max_width).uniform_(-1, 1))
        self.project = nn.Sequential(nn.Linear(hidden_size, hidden_size), nn.ReLU())  # index 0, as the package saves it

    def span_values(self, window: torch.Tensor, max_width: int) -> torch.Tensor:
        """See WindowHead."""
        check_width(max_width, self.query_seg.shape[1])
        starts = window[:, : window.shape[1] - max_width + 1, None]  # [B, R, 1, D]
        return self.project[0](starts * self.query_seg.T[:max_width])

    def fold(self, types: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See WindowHead; the ReLU is the last thing that happens to a span."""
        return types, torch.zeros_like(types[..., 0])


def check_width(asked: int, known: int) -> None:
    """Raises `InputError` where spans are asked for that are wider than the widths a head has weights for, in words."""
    if asked > known:
        raise InputError(
            f"spans of up to {asked} words are asked for, but this model's span head has weights for {known} widths; "
            f"ask for at most {known}, or train with a larger `model.max_width` or another `model.span_mode`"
        )
