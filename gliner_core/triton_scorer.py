"""`pair_scores` on a GPU: one fused kernel for the scores and three for the gradients (`triton_kernels.py`).

The hidden values of spans, L * K * 4D numbers a text, never reach the memory: each kernel computes its tiles of
relu(start + end) again and draws their dropout decisions again from the seed (Philox; Salmon et al. 2011). Sums are
fp32 for fp32, bf16 and fp16 inputs and fp64 for fp64. Triton is an optional package (extra `gpu`): this module imports
without it.
"""

import importlib.util
import os
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch.autograd.function import FunctionCtx, once_differentiable

from gliner_core.errors import InputError

# Tiles that sm_90 compiles without spilled registers: rows (spans or words), columns of H, warps. Numbers of 2 bytes
# go through the tensor cores; fp32 is multiplied in full precision, so it needs more registers for the same tile.
NARROW_TILE, WIDE_TILE = (64, 64, 8), (32, 32, 4)
LEAST_TYPES, MOST_TYPES = 16, 64  # of one matrix product: Triton needs 16
STAGES = 2  # tiles loaded ahead; with three, fp32 needs more shared memory than small GPUs have
PROGRAMS = 512  # how many programs a kernel should have: some four for each multiprocessor of a large GPU
MAX_SPANS = 1 << 31  # the span number is a 32-bit counter of the random numbers
INTERPRETER = "TRITON_INTERPRET"  # Triton's own variable: kernels run as numpy code on the CPU, for tests


def why_unavailable(device: torch.device) -> str | None:
    """One sentence that says why the kernels cannot run on `device`; None when they can."""
    if importlib.util.find_spec("triton") is None:
        return "the package triton is not installed; pip install 'gliner-bench[gpu]'"
    if os.environ.get(INTERPRETER) == "1":
        return None
    if device.type != "cuda":
        return f"the Triton kernels need a GPU and the tensors are on {device.type}; use gliner_core.scorer"
    major, minor = torch.cuda.get_device_capability(device)
    if major < 8:
        return f"the GPU has compute capability {major}.{minor} and the Triton kernels need 8.0; use gliner_core.scorer"
    return None


def available(device: torch.device) -> bool:
    """Whether `pair_scores` runs on `device`."""
    return why_unavailable(device) is None


def pair_scores(
    start: torch.Tensor,
    end: torch.Tensor,
    type_map: torch.Tensor,
    type_bias: torch.Tensor,
    num_words: torch.Tensor,
    max_width: int,
    dropout: float = 0.0,
    seed: int = 0,
) -> torch.Tensor:
    """Scores [B, L, K, C] of start and end parts [B, L, H] against folded types [B, C, H] with bias [B, C].

    score[b, i, k, c] = dropout(relu(start[b, i] + end[b, i + k])) . type_map[b, c] + type_bias[b, c]. Cells whose span
    ends past num_words [B] hold 0. `seed` (0 to 2^63 - 1) decides the dropout mask. The result is fp32 (fp64 for fp64
    inputs); gradients have the inputs' type. InputError where shapes, types or the device do not fit.
    """
    _check(start, end, type_map, type_bias, num_words, max_width, dropout)
    batch, length, inner = start.shape
    call = _Call(
        batch=batch,
        length=length,
        max_width=max_width,
        types=type_map.shape[1],
        inner=inner,
        dropout=dropout,
        seed=seed,
        dtype=start.dtype,
    )
    return _PairScores.apply(start, end, type_map, type_bias, num_words, call)


def _check(
    start: torch.Tensor,
    end: torch.Tensor,
    type_map: torch.Tensor,
    type_bias: torch.Tensor,
    num_words: torch.Tensor,
    max_width: int,
    dropout: float,
) -> None:
    batch, length, inner = start.shape
    types = type_map.shape[1]
    wanted = {"end": (batch, length, inner), "type_map": (batch, types, inner), "type_bias": (batch, types)}
    for name, tensor in {"end": end, "type_map": type_map, "type_bias": type_bias}.items():
        if tensor.shape != wanted[name] or tensor.dtype != start.dtype or tensor.device != start.device:
            raise InputError(
                f"`{name}` is {list(tensor.shape)} {tensor.dtype} on {tensor.device}; give {list(wanted[name])} "
                f"{start.dtype} on {start.device}, as `start` has it"
            )
    if num_words.shape != (batch,) or num_words.device != start.device or num_words.is_floating_point():
        raise InputError(
            f"`num_words` is {list(num_words.shape)} {num_words.dtype}; give {batch} integers on the device"
        )
    if max_width < 1 or not 0 <= dropout <= 1:
        raise InputError(f"`max_width` is {max_width} and `dropout` {dropout}; give at least 1 and a probability")
    if batch * length * max_width >= MAX_SPANS:
        raise InputError(f"{batch} x {length} x {max_width} spans are more than 2^31; give a smaller batch")
    if reason := why_unavailable(start.device):
        raise InputError(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """Sizes, draws and tiles of one call, in the form that the kernels take them."""

    batch: int
    length: int
    max_width: int
    types: int
    inner: int
    dropout: float
    seed: int
    dtype: torch.dtype

    @property
    def scalars(self) -> tuple[int, ...]:
        """seed, drop_below, L, K, C, H."""
        return self.seed, round(self.dropout * 2**31), self.length, self.max_width, self.types, self.inner

    @property
    def sum_dtype(self) -> torch.dtype:
        """What is added in and what the scores have."""
        return torch.float64 if self.dtype == torch.float64 else torch.float32

    @property
    def type_tile(self) -> int:
        """BC: the power of two that holds all types, within what a matrix product can take."""
        return min(max(1 << (self.types - 1).bit_length(), LEAST_TYPES), MOST_TYPES)

    @property
    def tile(self) -> tuple[int, int, int]:
        """R, BH and the warps of a program."""
        return NARROW_TILE if self.dtype.itemsize == 2 else WIDE_TILE

    def options(self, kernels: ModuleType) -> dict[str, Any]:
        """The arguments that are constants of a compiled kernel."""
        rows, columns, warps = self.tile
        return {
            "DROPOUT": self.dropout > 0,
            "R": rows,
            "BC": self.type_tile,
            "BH": columns,
            "SUM": kernels.tl.float64 if self.dtype == torch.float64 else kernels.tl.float32,
            "num_warps": warps,
            "num_stages": STAGES,
        }


class _PairScores(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        start: torch.Tensor,
        end: torch.Tensor,
        type_map: torch.Tensor,
        type_bias: torch.Tensor,
        num_words: torch.Tensor,
        call: _Call,
    ) -> torch.Tensor:
        kernels = _kernels()
        start, end, type_map = start.contiguous(), end.contiguous(), type_map.contiguous()
        ctx.save_for_backward(start, end, type_map, num_words)
        ctx.call = call
        scores = start.new_zeros(call.batch, call.length, call.max_width, call.types, dtype=call.sum_dtype)
        grid = _tiles(call.length * call.max_width, call.tile[0]), _tiles(call.types, call.type_tile), call.batch
        tensors = start, end, type_map, type_bias.contiguous(), num_words, scores
        with torch.cuda.device_of(start):
            kernels.score_kernel[grid](*tensors, *call.scalars, **call.options(kernels))
        return scores

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        start, end, type_map, num_words = ctx.saved_tensors
        call, gradient = ctx.call, gradient.contiguous()
        with torch.cuda.device_of(start):
            to_start = _word_gradient(call, start, end, type_map, num_words, gradient, at_end=False)
            to_end = _word_gradient(call, start, end, type_map, num_words, gradient, at_end=True)
            to_types = _type_gradient(call, start, end, num_words, gradient)
        last = torch.arange(call.length, device=start.device)[:, None] + torch.arange(
            call.max_width, device=start.device
        )  # [L, K]
        inside = last < num_words[:, None, None]  # [B, L, K]
        to_bias = torch.where(inside[..., None], gradient, 0).sum(dim=(1, 2)).to(start.dtype)
        return to_start, to_end, to_types, to_bias, None, None


def _word_gradient(
    call: _Call,
    start: torch.Tensor,
    end: torch.Tensor,
    type_map: torch.Tensor,
    num_words: torch.Tensor,
    gradient: torch.Tensor,
    *,
    at_end: bool,
) -> torch.Tensor:
    kernels = _kernels()
    found = torch.empty_like(start)
    grid = _tiles(call.length, call.tile[0]), _tiles(call.inner, call.tile[1]), call.batch
    tensors = start, end, type_map, num_words, gradient, found
    kernels.word_gradient_kernel[grid](*tensors, *call.scalars, AT_END=at_end, **call.options(kernels))
    return found


def _type_gradient(
    call: _Call, start: torch.Tensor, end: torch.Tensor, num_words: torch.Tensor, gradient: torch.Tensor
) -> torch.Tensor:
    kernels = _kernels()
    tiles = _tiles(call.types, call.type_tile), _tiles(call.inner, call.tile[1])
    # A text's spans are shared by several programs where there are few tiles; the sum of their parts is torch's.
    parts = min(
        _tiles(PROGRAMS, max(tiles[0] * tiles[1] * call.batch, 1)), _tiles(call.length * call.max_width, call.tile[0])
    )
    partial = start.new_empty(call.batch, parts, call.types, call.inner, dtype=call.sum_dtype)
    kernels.type_gradient_kernel[(*tiles, call.batch * parts)](
        start, end, num_words, gradient, partial, *call.scalars, PARTS=parts, **call.options(kernels)
    )
    return partial.sum(dim=1).to(start.dtype)


def _tiles(count: int, size: int) -> int:
    return -(-count // size)


def _kernels() -> ModuleType:
    """Imported at the first use: Triton may be missing, and its import takes time."""
    return importlib.import_module("gliner_core.triton_kernels")
