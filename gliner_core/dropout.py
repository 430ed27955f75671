"""Dropout whose mask is cheap to draw on a CPU.

torch draws one Bernoulli number an element on one thread, about 10 ns each. Here four elements share one 64-bit draw
of numpy's SFC64: the same distribution (p rounded to 1/65536, the scale follows the rounded p), another random stream,
about 0.5 ns. No mask is kept: its seed comes from torch's global generator, so `seed_torch` decides it, and the
backward pass draws it again. On other devices torch's own dropout is used.
"""

import numpy as np
import torch
from torch import nn
from torch.autograd.function import FunctionCtx, once_differentiable

STEPS = 1 << 16


def fresh_seed() -> int:
    """A seed for one mask, from torch's global generator."""
    return int(torch.randint(1 << 62, ()))


def scale_of(probability: float) -> float:
    """What kept values are multiplied with, so that the mean stays."""
    kept = 1 - round(probability * STEPS) / STEPS
    return 1 / kept if kept else 0.0


class MaskStream:
    """Drops values of one tensor after the other; the same ones for the same seed and shapes."""

    def __init__(self, probability: float, seed: int) -> None:
        self._last_dropped = round(probability * STEPS) - STEPS // 2 - 1  # 16-bit draws up to here drop their value
        self._bits = np.random.SFC64(seed)

    def drop_(self, values: torch.Tensor) -> torch.Tensor:
        """Sets the dropped ones of `values` (any shape, floating point) to zero, in place and without scaling."""
        count = values.numel()
        draws = torch.from_numpy(self._bits.random_raw(-(-count // 4)).view(np.int16))[:count]
        draws = draws.view(values.shape)
        if values.dtype.itemsize == 2:  # 16 random bits do not fit a 16-bit float
            return values.masked_fill_((draws <= self._last_dropped).to(values.device), 0)
        # This kernel is "zero where the second is not above the threshold": one pass, no boolean tensor.
        drop = torch.ops.aten.threshold_backward.grad_input
        return drop(values, draws.to(values), self._last_dropped, grad_input=values)


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, values: torch.Tensor, probability: float, seed: int) -> torch.Tensor:
        ctx.settings = probability, seed
        return MaskStream(probability, seed).drop_(values * scale_of(probability))

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        probability, seed = ctx.settings
        return MaskStream(probability, seed).drop_(gradient * scale_of(probability)), None, None


class Dropout(nn.Dropout):
    """A drop-in for `nn.Dropout`."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Any shape; the identity in evaluation mode."""
        if not self.training or self.p == 0 or values.device.type != "cpu":
            return super().forward(values)
        return _Dropout.apply(values, self.p, fresh_seed())


def use_cheap_dropout(module: nn.Module) -> None:
    """Replaces every `nn.Dropout` inside `module`; parameters and their names stay as they are."""
    for parent in module.modules():
        for name, child in parent.named_children():
            if type(child) is nn.Dropout:
                setattr(parent, name, Dropout(child.p).train(child.training))
