"""Floating-point operations of a forward pass: torch's counter on the real network, and by hand what it cannot see.

Operations, not their speed: counted once on a CPU, whatever device is timed. Only products of matrices count, two
operations for each multiplication with its addition. The counter sees those of the encoder and of the heads; attention
is computed by its plain form for the count, because the fused kernels of a CPU are invisible to it, and so is the LSTM,
whose products are added by hand.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from gliner_core.model import SpanScoringModel
from gliner_core.prompt import EncodedBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Flops:
    """Operations of one batch: seen by torch's counter, and those of the LSTM."""

    counted: int
    by_hand: int

    @property
    def total(self) -> int:
        """Both."""
        return self.counted + self.by_hand


@torch.no_grad()
def forward_flops(network: SpanScoringModel, batch: EncodedBatch, max_width: int | None) -> Flops:
    """Operations of one forward pass at K = `max_width` (None = the network's own), padding included.

    The network must be on the CPU, where no part of it is a kernel of our own that the counter would miss.
    """
    network.eval()
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        network(batch, max_width)
    places = counter.get_flop_counts()
    seen = sum(places.get(f"{type(network).__name__}.rnn", {}).values())  # of the LSTM, in case a kernel is visible
    rnn = network.rnn
    return Flops(
        counted=counter.get_total_flops() - seen,
        by_hand=0 if rnn is None else lstm_flops(rnn.lstm, batch.word_position.numel()),
    )


def lstm_flops(lstm: nn.LSTM, steps: int) -> int:
    """Products of an LSTM over `steps` words, all directions and layers: a gate reads the input and the state."""
    weights = sum(weight.numel() for name, weight in lstm.named_parameters() if name.startswith("weight"))
    return 2 * steps * weights
