"""The fused kernels against every span written out. They run on a GPU if there is one, else as Triton interprets them.

With a GPU `python -m pytest tests/unit/test_triton_scorer.py` is the whole check.
"""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from gliner_core import scorer
from gliner_core.errors import InputError
from gliner_core.triton_scorer import INTERPRETER, available, pair_scores, why_unavailable

HAS_GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if HAS_GPU else "cpu")
needs_triton = pytest.mark.skipif(not available(DEVICE), reason=str(why_unavailable(DEVICE)))
needs_gpu = pytest.mark.skipif(
    not HAS_GPU, reason="no GPU; the same kernels were interpreted on the CPU at small sizes"
)
needs_bf16 = pytest.mark.skipif(not HAS_GPU, reason="no GPU, and Triton's interpreter takes bf16 factors for integers")
Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]

# B, L, K, C, H and the words of each text; tiles are 32 or 64 spans and columns, and 16 to 64 types
SHAPES = {
    "odd sizes": (2, 9, 4, 3, 70, [9, 6]),
    "several tiles": (1, 70, 5, 17, 36, [67]),
    "K above L, one type": (1, 3, 8, 1, 16, [2]),
    "K of one, a single word": (2, 5, 1, 60, 33, [1, 5]),
    "two tiles of types, an empty text": (2, 12, 3, 100, 20, [0, 12]),
}


def _inputs(batch: int, length: int, types: int, inner: int, dtype: torch.dtype = torch.float64) -> Inputs:
    generator = torch.Generator().manual_seed(1)
    sizes = [(batch, length, inner), (batch, length, inner), (batch, types, inner), (batch, types)]
    values = [torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes]
    start, end, type_map, type_bias = (value.to(DEVICE, dtype).requires_grad_() for value in values)
    return start, end, type_map, type_bias


def _words(counts: Sequence[int]) -> torch.Tensor:
    return torch.tensor(counts, device=DEVICE)


def _written_out(
    inputs: Sequence[torch.Tensor], counts: Sequence[int], max_width: int, keep: torch.Tensor | float = 1.0
) -> torch.Tensor:
    """The formula of the docstring in fp64 with all span vectors; `keep` [B, L, K, H] multiplies the hidden values."""
    start, end, type_map, type_bias = (value.double() for value in inputs)
    length = start.shape[1]
    last = torch.arange(length)[:, None] + torch.arange(max_width)  # [L, K]
    hidden = (start[:, :, None] + end[:, last.clamp(max=length - 1)]).relu() * keep  # [B, L, K, H]
    scores = torch.einsum("blkh,bch->blkc", hidden, type_map) + type_bias[:, None, None]
    inside = (last < torch.tensor(counts)[:, None, None]).to(DEVICE)  # [B, L, K]
    return scores * inside[..., None]


def _factors(
    batch: int, length: int, max_width: int, inner: int, dropout: float, seed: int, dtype: torch.dtype = torch.float64
) -> torch.Tensor:
    """What the dropout multiplies hidden values by, [B, L, K, H], seen through unit vectors as types."""
    ones = torch.ones(batch, length, inner, device=DEVICE, dtype=dtype)
    units = torch.eye(inner, device=DEVICE, dtype=dtype).expand(batch, -1, -1)
    counts = _words([length] * batch)
    return pair_scores(ones, ones * 0, units, units[:, 0] * 0, counts, max_width, dropout, seed)


@needs_triton
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_scores_and_gradients_are_the_written_out_ones(shape: tuple[int, int, int, int, int, list[int]]) -> None:
    batch, length, max_width, types, inner, counts = shape
    inputs = _inputs(batch, length, types, inner)
    found = pair_scores(*inputs, _words(counts), max_width)
    expected = _written_out(inputs, counts, max_width)
    assert found.dtype == torch.float64 and found.shape == (batch, length, max_width, types)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)
    weight = torch.randn_like(expected)  # also on invalid cells, which must not pass anything on
    ours = torch.autograd.grad((found * weight).sum(), inputs)
    for mine, theirs in zip(ours, torch.autograd.grad((expected * weight).sum(), inputs), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-11)


@needs_triton
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_gradcheck(dropout: float) -> None:
    inputs = _inputs(1, 2, 1, 3)
    counts = _words([2])
    # Also on a GPU the gradient is compared bit for bit between two backward passes (nondet_tol=0).
    assert torch.autograd.gradcheck(
        lambda *leaves: pair_scores(*leaves, counts, 2, dropout, 11), inputs, nondet_tol=0.0
    )


@needs_triton
def test_the_backward_pass_draws_the_mask_of_the_forward_pass() -> None:
    batch, length, max_width, types, inner, counts = 2, 21, 4, 19, 70, [21, 13]
    inputs = _inputs(batch, length, types, inner)
    keep = _factors(batch, length, max_width, inner, 0.3, 2**62 - 1)
    found = pair_scores(*inputs, _words(counts), max_width, 0.3, 2**62 - 1)
    expected = _written_out(inputs, counts, max_width, keep)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)
    weight = torch.randn_like(expected)
    ours = torch.autograd.grad((found * weight).sum(), inputs)
    for mine, theirs in zip(ours, torch.autograd.grad((expected * weight).sum(), inputs), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-11)


@needs_triton
@pytest.mark.parametrize("dropout", [0.1, 0.4, 0.75])
def test_the_mask_drops_its_share_and_neighbours_are_independent(dropout: float) -> None:
    factors = _factors(2, 24, 4, 64, dropout, 5)[:, :20]  # starts whose spans all lie inside: 10 240 values
    kept = factors > 0
    assert torch.equal(factors, kept.double() / (1 - round(dropout * 2**31) / 2**31))
    sigma = (dropout * (1 - dropout) / kept.numel()) ** 0.5
    assert abs(float(kept.double().mean()) - (1 - dropout)) < 4 * sigma
    both = (1 - dropout) ** 2
    columns = ((3, step) for step in (1, 2, 3, 4, 32))  # one draw has four columns, one tile 32
    for axis, step in [(0, 1), (1, 1), (2, 1), *columns]:  # texts, words, widths, columns
        size = kept.shape[axis] - step
        pairs = kept.narrow(axis, 0, size) & kept.narrow(axis, step, size)
        assert abs(float(pairs.double().mean()) - both) < 5 * (both * (1 - both) / pairs.numel()) ** 0.5


@needs_triton
def test_the_mask_follows_the_seed_and_not_the_tiles() -> None:
    wide, narrow = (_factors(1, 20, 5, 100, 0.5, 7, dtype) for dtype in (torch.float64, torch.float16))
    assert torch.equal(wide.float(), narrow)
    for seed in (8, 7 + 2**32, 7 + 2**61):  # every bit of a seed counts
        assert not torch.equal(wide, _factors(1, 20, 5, 100, 0.5, seed))


@needs_triton
def test_the_ends_of_the_dropout() -> None:
    inputs, counts = _inputs(1, 6, 3, 20), _words([6])
    assert torch.equal(pair_scores(*inputs, counts, 2, 0.0, 3), pair_scores(*inputs, counts, 2))
    nothing = pair_scores(*inputs, counts, 2, 1.0, 3)
    assert torch.equal(nothing[0, :5], inputs[3].expand(5, 2, -1))
    gradients = torch.autograd.grad(nothing.sum(), inputs)
    assert [float(gradient.abs().sum()) for gradient in gradients] == [0.0, 0.0, 0.0, 33.0]  # 11 spans, 3 types


@needs_triton
def test_equal_inputs_give_equal_bits() -> None:
    inputs, counts = _inputs(1, 90, 5, 40, torch.float32), _words([88])  # spans of one text in several programs
    runs = []
    for _ in range(2):
        scores = pair_scores(*inputs, counts, 6, 0.2, 9)
        runs.append([scores, *torch.autograd.grad(scores.square().sum(), inputs)])
    assert all(torch.equal(one, two) for one, two in zip(*runs, strict=True))


@needs_triton
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, pytest.param(torch.bfloat16, marks=needs_bf16)])
def test_low_precision_loses_what_its_rounding_explains(dtype: torch.dtype) -> None:
    inputs, counts, max_width = _inputs(2, 20, 17, 70, dtype), [20, 11], 5
    found = pair_scores(*inputs, _words(counts), max_width)
    exact = _written_out(inputs, counts, max_width)
    weight = torch.randn_like(exact)
    ours = [found, *torch.autograd.grad((found * weight).sum(), inputs)]
    theirs = [exact, *torch.autograd.grad((exact * weight).sum(), inputs)]
    # The same sums with all terms positive: each rounding changes a result by at most half an eps of them.
    start, end, type_map, type_bias = inputs
    absolute = [start, end, *(value.detach().abs().requires_grad_() for value in (type_map, type_bias))]
    size = _written_out(absolute, counts, max_width)
    sizes = [size, *torch.autograd.grad((size * weight.abs()).sum(), absolute)]
    assert found.dtype == torch.float32 and [grad.dtype for grad in ours[1:]] == [dtype] * 4
    sums = 100 * torch.finfo(torch.float32).eps  # fp32 sums of up to 150 terms
    roundings = (1, 2, 2, 3, 1)  # hidden | given, result | given, hidden, result | result
    for mine, expected, bound, count in zip(ours, theirs, sizes, roundings, strict=True):
        error = (mine.double() - expected).abs()
        assert bool((error <= bound * (count * torch.finfo(dtype).eps / 2 * 1.01 + sums) + 1e-7).all())


@needs_triton
def test_it_agrees_with_the_scorer_of_the_cpu() -> None:
    inputs, counts = _inputs(2, 15, 4, 48), _words([15, 8])
    ours = pair_scores(*inputs, counts, 4)
    theirs = scorer.pair_scores(*(value.cpu() for value in inputs), counts.cpu(), 4).to(DEVICE)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)


@needs_triton
def test_views_are_taken_as_they_are_and_unasked_gradients_are_none() -> None:
    start, end, type_map, type_bias = (value.detach() for value in _inputs(2, 7, 3, 24))
    turned = type_map.transpose(1, 2).contiguous().transpose(1, 2).requires_grad_()
    found = pair_scores(start.expand(2, -1, -1), end, turned, type_bias, _words([7, 7]), 3)
    torch.testing.assert_close(found, _written_out((start, end, turned, type_bias), [7, 7], 3), rtol=0, atol=1e-11)
    (gradient,) = torch.autograd.grad(found.sum(), turned)
    assert gradient.shape == type_map.shape


@needs_triton
def test_what_does_not_fit_is_one_sentence() -> None:
    start, end, type_map, type_bias = (value.detach() for value in _inputs(2, 5, 3, 8))
    counts = _words([5, 5])
    wrong = {
        "`end` is [2, 4, 8]": (start, end[:, :4], type_map, type_bias, counts, 2),
        "`type_map` is [2, 3, 8] torch.float32": (start, end, type_map.float(), type_bias, counts, 2),
        "`type_bias` is [2, 2]": (start, end, type_map, type_bias[:, :2], counts, 2),
        "`num_words` is [1]": (start, end, type_map, type_bias, counts[:1], 2),
        "`max_width` is 0": (start, end, type_map, type_bias, counts, 0),
        "`dropout` 1.5": (start, end, type_map, type_bias, counts, 2, 1.5),
        "spans are more than 2^31": (start, end, type_map, type_bias, counts, 2**29),
    }
    for words, arguments in wrong.items():
        with pytest.raises(InputError) as caught:
            pair_scores(*arguments)
        assert words in str(caught.value) and "\n" not in str(caught.value)


def test_where_the_kernels_cannot_run_the_reason_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "gliner-bench[gpu]" in (why_unavailable(DEVICE) or "")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.delenv(INTERPRETER, raising=False)
    assert "need a GPU" in (why_unavailable(torch.device("cpu")) or "") and not available(torch.device("cpu"))
    cuda = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    assert "compute capability 7.5" in (why_unavailable(cuda) or "")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    assert why_unavailable(cuda) is None and available(cuda)


COMPILE = """
import sys
from triton import compile, language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from gliner_core import triton_kernels as kernels

TILES = {"bf16": (64, 64, 8), "fp16": (64, 64, 8), "fp32": (32, 32, 4)}
for capability in (80, 90):
    for dtype, (rows, columns, warps) in TILES.items():
        for kernel in (kernels.score_kernel, kernels.word_gradient_kernel, kernels.type_gradient_kernel):
            sizes = dict(R=rows, BH=columns, BC=32, SUM=tl.float32, DROPOUT=True, AT_END=True, PARTS=4)
            constants = {name: sizes[name] for name in kernel.arg_names if name in sizes}
            types = dict.fromkeys(kernel.arg_names, "i32")
            types |= dict(seed="i64", num_words="*i64", scores="*fp32", gradient="*fp32", partial="*fp32")
            types |= dict.fromkeys(("start", "end", "type_map", "type_bias", "to_words"), "*" + dtype)
            types |= dict.fromkeys(constants, "constexpr")
            signature = {name: types[name] for name in kernel.arg_names}
            source, options = ASTSource(kernel, signature, constants), dict(num_warps=warps, num_stages=2)
            built = compile(source, GPUTarget("cuda", capability, 32), options=options)
            assert built.metadata.shared < 99 * 1024, (kernel, dtype, built.metadata.shared)
print("compiled")
"""


@needs_triton
def test_the_kernels_compile_for_gpus_that_are_not_here(tmp_path: Path) -> None:
    """Triton compiles without a GPU; 99 KiB is the least shared memory a program gets from capability 8.0 on."""
    environment = os.environ | {INTERPRETER: "0", "TRITON_CACHE_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", COMPILE], capture_output=True, text=True, env=environment, check=False)
    assert done.stdout == "compiled\n", done.stderr[-2000:]


@needs_triton
@needs_gpu
def test_a_large_batch_on_the_gpu_is_exact_and_needs_no_span_vectors() -> None:
    batch, length, max_width, types, inner = 4, 384, 12, 25, 3072
    inputs, counts = _inputs(batch, length, types, inner, torch.bfloat16), [384, 200, 384, 17]
    expected = _written_out([value.detach() for value in inputs], counts, max_width)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    found = pair_scores(*inputs, _words(counts), max_width, 0.0)
    found.sum().backward()
    spans = batch * length * max_width * inner * 2  # bytes of the hidden values in bf16
    assert torch.cuda.max_memory_allocated() - before < spans / 2
    scale = expected.abs().max()
    assert float((found.double() - expected).abs().max() / scale) < torch.finfo(torch.bfloat16).eps
