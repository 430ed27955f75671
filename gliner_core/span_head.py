"""What every span head is, and the small map that most of them are made of."""

import torch
from torch import nn

from gliner_core.dropout import Dropout


def two_layer(inputs: int, outputs: int, dropout: float, widening: int = 4) -> nn.Sequential:
    """Linear -> ReLU -> Dropout -> Linear with inner width `widening` * outputs; index 0 and 3 hold the weights."""
    inner = widening * outputs
    return nn.Sequential(nn.Linear(inputs, inner), nn.ReLU(), Dropout(dropout), nn.Linear(inner, outputs))


class SpanHead(nn.Module):
    """What the model needs of a span representation.

    Every head is built with (hidden_size, dropout, max_width): D, the probability of dropping an inner value in
    training, and the K of the training, which matters only to a head with weights for each width.
    """

    def __init__(self, hidden_size: int, dropout: float, max_width: int) -> None:
        super().__init__()

    def kernel(self, device: torch.device) -> str:
        """What computes the scores on a device, for reports."""
        return f"torch on {device.type}"

    def forward(
        self, words: torch.Tensor, types: torch.Tensor, num_words: torch.Tensor, max_width: int
    ) -> torch.Tensor:
        """Scores [B, L, K, C] from words [B, L, D], types [B, C, D] and the true lengths [B].

        Cell (i, k) is the span of words i .. i + k; cells past the last word hold 0 and must be masked by the caller.
        """
        raise NotImplementedError
