"""Scores and gradients equal the head written out: the vector of one span after the other, matched with the types."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import tiny_network

from gliner_core import scorer, window_heads
from gliner_core.errors import InputError
from gliner_core.heads import SPAN_HEADS
from gliner_core.predict import candidate_spans
from gliner_core.scorer import pair_scores

WIDTH = 6  # D
LENGTHS = (7, 4, 1)
TRAINED = 9  # K of the heads with weights for each width


def _marker(head: Any, span: torch.Tensor) -> torch.Tensor:
    ends = [head.project_start(span[0]).relu(), head.project_end(span[-1]).relu()]
    return head.out_project(torch.cat(ends))


def _ends(head: Any, span: torch.Tensor) -> torch.Tensor:
    return head.out_project(torch.cat([span[0], span[-1]]))


def _convolution(head: Any, span: torch.Tensor) -> torch.Tensor:
    kernel = head.conv_weigth[:, :, : len(span)]
    return head.project(torch.conv1d(span.T[None], kernel)[0, :, 0])


# What each head says of the words [k, D] of one span, from its docstring.
VECTORS: dict[str, Callable[[Any, torch.Tensor], torch.Tensor]] = {
    "marker_v0": _marker,
    "marker": _marker,
    "paper_ffn": _ends,
    "endpoints": _ends,
    "mean_pool": lambda head, span: head.out_project(span.mean(dim=0)),
    "max_pool": lambda head, span: head.out_project(span.amax(dim=0)),
    "conv_mean": lambda head, span: head.project(span.mean(dim=0)),
    "conv_sum": lambda head, span: head.project(span.sum(dim=0)),
    "conv_max": lambda head, span: head.project(span.amax(dim=0)),
    "conv_share": _convolution,
    "query": lambda head, span: head.project(span[0] * head.query_seg[:, len(span) - 1]),
}
WITH_DROPOUT = ["marker_v0", "max_pool", "mean_pool", "paper_ffn"]  # dropout behind the ReLU of the last map
PER_WIDTH = ["conv_share", "query"]


def _written_out(mode: str, head: Any, words: torch.Tensor, types: torch.Tensor, max_width: int) -> torch.Tensor:
    """One span at a time, matched as in the paper's equation 2; cells that run over the text stay zero."""
    scores = torch.zeros(len(words), max(LENGTHS), max_width, types.shape[1], dtype=words.dtype)
    for row, length in enumerate(LENGTHS):
        for first in range(length):
            for width in range(min(max_width, length - first)):
                scores[row, first, width] = types[row] @ VECTORS[mode](head, words[row, first : first + width + 1])
    return scores


def _setting(mode: str) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    head = SPAN_HEADS[mode](WIDTH, 0.4, TRAINED).double().eval()
    words = torch.randn(len(LENGTHS), max(LENGTHS), WIDTH, dtype=torch.float64, requires_grad=True)
    types = torch.randn(len(LENGTHS), 3, WIDTH, dtype=torch.float64, requires_grad=True)
    return head, words, types


@pytest.fixture(params=[1, 1 << 19], ids=["a block a start", "one block"])
def block_values(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The same results whether a text is cut into many blocks or none."""
    monkeypatch.setattr(scorer, "BLOCK_VALUES", request.param)
    monkeypatch.setattr(window_heads, "BLOCK_VALUES", {"cpu": request.param})
    return request.param


@pytest.mark.usefixtures("block_values")
@pytest.mark.parametrize("max_width", [1, 4, 7, 9])
@pytest.mark.parametrize("mode", sorted(SPAN_HEADS))
def test_scores_are_the_written_out_ones(mode: str, max_width: int) -> None:
    head, words, types = _setting(mode)
    scores = head(words, types, torch.tensor(LENGTHS), max_width)
    assert scores.shape == (3, 7, max_width, 3)
    torch.testing.assert_close(scores, _written_out(mode, head, words, types, max_width), rtol=0, atol=1e-12)


@pytest.mark.usefixtures("block_values")
@pytest.mark.parametrize("mode", sorted(SPAN_HEADS))
def test_gradients_are_the_written_out_ones(mode: str) -> None:
    head, words, types = _setting(mode)
    leaves = [words, types, *head.parameters()]
    weight = torch.randn(3, 7, 4, 3, dtype=torch.float64)
    ours = torch.autograd.grad((head(words, types, torch.tensor(LENGTHS), 4) * weight).sum(), leaves)
    theirs = torch.autograd.grad((_written_out(mode, head, words, types, 4) * weight).sum(), leaves)
    for mine, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("mode", sorted(SPAN_HEADS))
def test_what_stands_in_the_padding_has_no_influence(mode: str) -> None:
    head, words, types = _setting(mode)
    inside = torch.arange(7)[None, :] < torch.tensor(LENGTHS)[:, None]
    other = torch.where(inside[..., None], words, torch.full_like(words, 1e3))
    lengths = torch.tensor(LENGTHS)
    assert torch.equal(head(words, types, lengths, 4), head(other, types, lengths, 4))


def _pair_inputs() -> list[torch.Tensor]:
    torch.manual_seed(1)
    shapes = [(3, 7, 24), (3, 7, 24), (3, 3, 24), (3, 3)]
    return [torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes]


@pytest.mark.usefixtures("block_values")
def test_the_gradient_of_a_dropped_score_is_the_numerical_one() -> None:
    def scores(*inputs: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(2)
        return pair_scores(*inputs, torch.tensor(LENGTHS), 3, dropout=0.4)

    assert torch.autograd.gradcheck(scores, _pair_inputs(), eps=1e-6, atol=1e-7)


@pytest.mark.usefixtures("block_values")
def test_dropout_drops_hidden_values_of_each_span_on_its_own_and_keeps_the_mean() -> None:
    """With one-hot types each score is one hidden value, so the mask can be read off the scores."""
    torch.manual_seed(3)
    length, hidden = 60, 64  # several blocks where a block is small
    ones = torch.full((1, length, hidden), 0.5)
    eye, bias, lengths = torch.eye(hidden)[None], torch.zeros(1, hidden), torch.tensor([length])
    scores = pair_scores(ones, ones, eye, bias, lengths, 4, dropout=0.4)
    inside = torch.arange(length)[:, None] + torch.arange(4)[None, :] < length
    values = scores[0][inside]  # [spans, hidden], each 0 or 1 / 0.6
    dropped = values == 0
    torch.testing.assert_close(values[~dropped], torch.full_like(values[~dropped], 1 / 0.6), rtol=1e-4, atol=0)
    share, spread = float(dropped.float().mean()), (0.24 / dropped.numel()) ** 0.5
    assert abs(share - 0.4) < 4 * spread
    assert len({tuple(row) for row in dropped.tolist()}) == len(dropped)  # no two spans share a mask
    assert not torch.equal(scores, pair_scores(ones, ones, eye, bias, lengths, 4, dropout=0.4))
    torch.manual_seed(3)
    assert torch.equal(scores, pair_scores(ones, ones, eye, bias, lengths, 4, dropout=0.4))


def test_everything_dropped_leaves_the_bias() -> None:
    start, end, types, bias = _pair_inputs()
    scores = pair_scores(start, end, types, bias, torch.tensor(LENGTHS), 2, dropout=1.0)
    torch.testing.assert_close(scores[:, 0, 0], bias, rtol=0, atol=0)
    gradients = torch.autograd.grad(scores.sum(), [start, end, types])
    assert all(not gradient.any() for gradient in gradients)


@pytest.mark.parametrize("mode", WITH_DROPOUT)
def test_dropout_acts_on_the_inner_layer_in_training_only(mode: str) -> None:
    head, words, types = _setting(mode)
    head.out_project[2].p = 1.0
    lengths = torch.tensor(LENGTHS)
    bias = types @ head.out_project[3].bias
    assert not torch.allclose(head(words, types, lengths, 2)[:, 0, 0], bias)
    head.train()
    torch.testing.assert_close(head(words, types, lengths, 2)[:, 0, 0], bias)


@pytest.mark.usefixtures("block_values")
@pytest.mark.parametrize("mode", ["max_pool", "mean_pool"])
def test_what_was_dropped_is_dropped_in_the_backward_pass_too(mode: str) -> None:
    """Its blocks are computed twice; the numerical gradient knows only the first time."""
    head, words, types = _setting(mode)
    head.train()

    def scores(*inputs: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(2)
        return head(*inputs, torch.tensor(LENGTHS), 3)

    assert not torch.equal(scores(words, types), head.eval()(words, types, torch.tensor(LENGTHS), 3))
    head.train()
    assert torch.autograd.gradcheck(scores, [words, types], eps=1e-6, atol=1e-7)


@pytest.mark.parametrize("mode", sorted(SPAN_HEADS))
def test_a_smaller_width_asks_for_the_same_spans_less_the_wider_ones(mode: str) -> None:
    head, words, types = _setting(mode)
    lengths = torch.tensor(LENGTHS)
    scores = head(words, types, lengths, 6)
    torch.testing.assert_close(head(words, types, lengths, 2), scores[:, :, :2], rtol=0, atol=1e-12)


@pytest.mark.parametrize("mode", sorted(SPAN_HEADS))
def test_a_width_without_weights_is_refused(mode: str) -> None:
    head, words, types = _setting(mode)
    if mode not in PER_WIDTH:
        assert head(words, types, torch.tensor(LENGTHS), TRAINED + 1).shape == (3, 7, TRAINED + 1, 3)
        return
    with pytest.raises(InputError, match=r"up to 10 words are asked for, .* has weights for 9 widths; ask for at most"):
        head(words, types, torch.tensor(LENGTHS), TRAINED + 1)


@pytest.mark.parametrize("mode", PER_WIDTH)
def test_a_prediction_without_weights_for_its_width_is_refused(mode: str, backbone: Path) -> None:
    network = tiny_network(backbone, model_span_mode=mode)
    assert candidate_spans(network, [["anna", "left", "rome"]], ["person"], floor=0.0, max_width=2)
    with pytest.raises(InputError, match="this model's span head has weights for 4 widths"):
        candidate_spans(network, [["anna", "left", "rome"]], ["person"], floor=0.0, max_width=5)


def test_memory_does_not_grow_with_the_inner_width_of_every_span() -> None:
    """What is kept for the backward pass is a few tensors of the size words x D, or words x K x D of a convolution."""
    kept: list[int] = []
    for mode in ("mean_pool", "max_pool", "conv_max", "conv_share", "query"):
        head = SPAN_HEADS[mode](16, 0.1, 12).train()
        words, types = torch.randn(1, 200, 16, requires_grad=True), torch.randn(1, 2, 16)
        seen: dict[int, int] = {}

        def note(value: torch.Tensor, seen: dict[int, int] = seen) -> torch.Tensor:
            seen[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
            return value

        with torch.autograd.graph.saved_tensors_hooks(note, lambda value: value):
            head(words, types, torch.tensor([200]), 12)
        kept.append(sum(seen.values()))
    every_span = 200 * 12 * 4 * 16 * 4  # bytes of words x K x 4D in fp32
    assert max(kept) < every_span / 2


@pytest.mark.parametrize("mode", sorted(SPAN_HEADS))
def test_scores_are_fp32_under_autocast(mode: str) -> None:
    """Sums over thousands of hidden values do not happen at 16 bits, in either direction."""
    head, words, types = _setting(mode)
    head, words, types = head.float(), words.detach().float().requires_grad_(), types.detach().float()
    expected = head(words, types, torch.tensor(LENGTHS), 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = head(words, types, torch.tensor(LENGTHS), 4)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0.02)
    found.sum().backward()
    assert words.grad is not None and words.grad.isfinite().all()
