"""The sparse loss equals torch's dense one, values and gradients."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from gliner_core.loss import binary_cross_entropy
from gliner_core.spans import valid_cells
from gliner_core.spec import ObjectiveSpec

SHAPE = (3, 5, 4, 2)
VALID = valid_cells(torch.tensor([5, 2, 1]), torch.tensor([2, 2, 1]), *SHAPE[1:])


def _dense(scores: torch.Tensor, positives: torch.Tensor, weight: float) -> torch.Tensor:
    labels = torch.zeros_like(scores)
    labels[tuple(positives.T)] = 1.0
    losses = binary_cross_entropy_with_logits(scores, labels, weight=1 + (weight - 1) * labels, reduction="none")
    return losses[VALID].sum()


@pytest.mark.parametrize("weight", [1.0, 2.0, 4.5])
@pytest.mark.parametrize("positives", [[], [[0, 0, 0, 0]], [[0, 0, 0, 0], [0, 0, 0, 1], [1, 0, 1, 1], [2, 0, 0, 0]]])
def test_the_loss_is_the_weighted_sum_over_valid_cells(positives: list[list[int]], weight: float) -> None:
    torch.manual_seed(0)
    scores = (torch.randn(SHAPE, dtype=torch.float64) * 5).requires_grad_()
    cells = torch.tensor(positives, dtype=torch.long).reshape(-1, 4)
    ours = binary_cross_entropy(scores, cells, VALID, ObjectiveSpec(positive_weight=weight))
    theirs = _dense(scores, cells, weight)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=0)
    mine, expected = (torch.autograd.grad(loss, scores)[0] for loss in (ours, theirs))
    torch.testing.assert_close(mine, expected, rtol=0, atol=1e-12)
    assert not mine[~VALID].any()


def test_cells_outside_the_grid_may_hold_anything() -> None:
    scores = torch.zeros(SHAPE).masked_fill(~VALID, float("inf")).requires_grad_()
    loss = binary_cross_entropy(scores, torch.tensor([[0, 0, 0, 0]]), VALID, ObjectiveSpec(positive_weight=1.0))
    assert loss.item() == pytest.approx(int(VALID.sum()) * 0.6931472, rel=1e-6)
    loss.backward()
    assert scores.grad.isfinite().all()


def test_very_sure_scores_stay_finite() -> None:
    scores = torch.full(SHAPE, 200.0)
    wrong = binary_cross_entropy(-scores, torch.tensor([[0, 0, 0, 0]]), VALID, ObjectiveSpec(positive_weight=2.0))
    assert wrong.item() == pytest.approx(400.0)
