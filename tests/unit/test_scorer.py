"""Scores and gradients equal the head written out: every [start; end] concatenated and mapped, then matched."""

import pytest
import torch

from gliner_core.heads import SPAN_HEADS, MarkerV0
from gliner_core.scorer import span_type_scores

WIDTH = 6  # D


def _written_out(head: torch.nn.Module, words: torch.Tensor, types: torch.Tensor, max_width: int) -> torch.Tensor:
    """Paper equations 1 and 2, one span at a time; cells that run over the text stay zero."""
    start, end = words, words
    if isinstance(head, MarkerV0):
        start, end = head.project_start(words).relu(), head.project_end(words).relu()
    batch, length, _ = words.shape
    rows = []
    for row in range(batch):
        for first in range(length):
            for width in range(max_width):
                if first + width < length:
                    span = head.out_project(torch.cat([start[row, first], end[row, first + width]]))
                    rows.append(types[row] @ span)
                else:
                    rows.append(torch.zeros(types.shape[1], dtype=words.dtype))
    return torch.stack(rows).reshape(batch, length, max_width, -1)


def _setting(mode: str, length: int = 5) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    head = SPAN_HEADS[mode](WIDTH, 0.4).double().eval()
    words = torch.randn(2, length, WIDTH, dtype=torch.float64, requires_grad=True)
    types = torch.randn(2, 3, WIDTH, dtype=torch.float64, requires_grad=True)
    return head, words, types


@pytest.mark.parametrize("max_width", [1, 4, 5, 9])
@pytest.mark.parametrize("mode", sorted(SPAN_HEADS))
def test_scores_are_the_written_out_ones(mode: str, max_width: int) -> None:
    head, words, types = _setting(mode)
    scores = span_type_scores(head, words, types, max_width)
    assert scores.shape == (2, 5, max_width, 3)
    torch.testing.assert_close(scores, _written_out(head, words, types, max_width), rtol=0, atol=1e-12)


@pytest.mark.parametrize("mode", sorted(SPAN_HEADS))
def test_gradients_are_the_written_out_ones(mode: str) -> None:
    head, words, types = _setting(mode)
    leaves = [words, types, *head.parameters()]
    weight = torch.randn(2, 5, 4, 3, dtype=torch.float64)
    for row, start, width in [(row, start, width) for row in range(2) for start in range(5) for width in range(4)]:
        if start + width >= 5:
            weight[row, start, width] = 0
    ours = torch.autograd.grad((span_type_scores(head, words, types, 4) * weight).sum(), leaves)
    theirs = torch.autograd.grad((_written_out(head, words, types, 4) * weight).sum(), leaves)
    for mine, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("mode", sorted(SPAN_HEADS))
def test_padding_a_text_changes_none_of_its_spans(mode: str) -> None:
    head, words, types = _setting(mode)
    longer = torch.cat([words, torch.randn(2, 3, WIDTH, dtype=torch.float64)], dim=1)
    short, padded = span_type_scores(head, words, types, 4), span_type_scores(head, longer, types, 4)
    for start in range(5):
        for width in range(min(4, 5 - start)):
            torch.testing.assert_close(padded[:, start, width], short[:, start, width], rtol=0, atol=1e-12)


@pytest.mark.parametrize("mode", sorted(SPAN_HEADS))
def test_dropout_acts_on_the_inner_layer_in_training_only(mode: str) -> None:
    head, words, types = _setting(mode)
    head.out_project[2].p = 1.0
    assert not torch.allclose(span_type_scores(head, words, types, 2)[0, 0, 0], types[0] @ head.out_project[3].bias)
    head.train()
    dropped = span_type_scores(head, words, types, 2)[:, 0, 0]
    torch.testing.assert_close(dropped, types @ head.out_project[3].bias)
