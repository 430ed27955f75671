"""Every objective equals a loop over its cells in float64, values and slopes, and keeps few tensors for it."""

import itertools
import math
from typing import Any

import pytest
import torch

from gliner_core.loss import OBJECTIVES
from gliner_core.spans import valid_cells
from gliner_core.spec import ObjectiveSpec

SHAPE = (3, 5, 4, 2)
VALID = valid_cells(torch.tensor([5, 2, 1]), torch.tensor([2, 2, 1]), *SHAPE[1:])
POSITIVES = [[], [[0, 0, 0, 0]], [[0, 0, 0, 0], [0, 0, 0, 1], [1, 0, 1, 1], [2, 0, 0, 0]]]
OPTIONS: list[dict[str, Any]] = [
    *({"name": "bce", "positive_weight": weight} for weight in (1.0, 2.0, 4.5)),
    {"name": "focal", "positive_weight": 1.0},
    *(
        {
            "name": "focal",
            "positive_weight": 1.5,
            "focal_alpha": alpha,
            "focal_gamma": gamma,
            "probability_floor": floor,
        }
        for alpha, gamma, floor in itertools.product((None, 0.0, 0.25, 1.0), (0.0, 1.0, 2.0), (None, 1e-6, 0.1))
    ),
    {"name": "focal", "focal_gamma": 0.5},
]
PLAIN = ObjectiveSpec(name="focal", positive_weight=1.0)


def _cost_of_a_cell(score: float, positive: bool, spec: ObjectiveSpec) -> float:
    right = 1 / (1 + math.exp(-score if positive else score))
    weight = spec.positive_weight if positive else 1.0
    if spec.focal_alpha is not None:
        weight *= spec.focal_alpha if positive else 1 - spec.focal_alpha
    return weight * (1 - right) ** spec.focal_gamma * -math.log(max(right, spec.probability_floor or 0.0))


def _by_the_loop(
    scores: torch.Tensor, positives: list[list[int]], spec: ObjectiveSpec
) -> tuple[torch.Tensor, torch.Tensor]:
    """The sum over the valid cells, and its slopes by central differences."""
    total, slopes, step = 0.0, torch.zeros_like(scores), 1e-5
    for cell in itertools.product(*map(range, SHAPE)):
        if not VALID[cell]:
            continue
        score, positive = scores[cell].item(), list(cell) in positives
        total += _cost_of_a_cell(score, positive, spec)
        above, below = (_cost_of_a_cell(score + change, positive, spec) for change in (step, -step))
        slopes[cell] = (above - below) / (2 * step)
    return torch.tensor(total, dtype=torch.float64), slopes


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: "-".join(map(str, options.values())))
@pytest.mark.parametrize("positives", POSITIVES, ids=len)
def test_an_objective_is_the_sum_over_its_cells(positives: list[list[int]], options: dict[str, Any]) -> None:
    torch.manual_seed(0)
    spec = ObjectiveSpec(**options)
    scores = torch.randn(SHAPE, dtype=torch.float64) * 5
    scores[0, 0, 0] = torch.tensor([-20.0, 20.0])  # beyond every floor, on both sides
    scores.requires_grad_()
    cells = torch.tensor(positives, dtype=torch.long).reshape(-1, 4)
    ours = OBJECTIVES[spec.name](scores, cells, VALID, spec)
    total, slopes = _by_the_loop(scores.detach(), positives, spec)
    torch.testing.assert_close(ours, total, rtol=1e-9, atol=0)
    mine = torch.autograd.grad(ours, scores)[0]
    torch.testing.assert_close(mine, slopes, rtol=1e-6, atol=1e-8)
    assert not mine[~VALID].any()


def test_focal_without_its_options_is_the_plain_objective() -> None:
    torch.manual_seed(0)
    scores, cells = torch.randn(SHAPE), torch.tensor(POSITIVES[2])
    plain = OBJECTIVES["bce"](scores, cells, VALID, ObjectiveSpec(positive_weight=1.0))
    torch.testing.assert_close(OBJECTIVES["focal"](scores, cells, VALID, PLAIN), plain)


def test_cells_outside_the_grid_may_hold_anything() -> None:
    scores = torch.zeros(SHAPE).masked_fill(~VALID, float("inf")).requires_grad_()
    loss = OBJECTIVES["bce"](scores, torch.tensor([[0, 0, 0, 0]]), VALID, ObjectiveSpec(positive_weight=1.0))
    assert loss.item() == pytest.approx(int(VALID.sum()) * 0.6931472, rel=1e-6)
    loss.backward()
    assert scores.grad.isfinite().all()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"positive_weight": 2.0}, 400.0),
        ({"name": "focal", "positive_weight": 1.0, "focal_gamma": 2.0}, 200.0),
        ({"name": "focal", "positive_weight": 1.0, "probability_floor": 1e-6}, -math.log(1e-6)),
        ({"name": "focal", "positive_weight": 1.0, "focal_gamma": 1.0, "probability_floor": 1e-6}, -math.log(1e-6)),
    ],
)
@pytest.mark.parametrize("side", [1, -1])
def test_very_sure_scores_stay_finite(side: int, options: dict[str, Any], expected: float) -> None:
    """All cells are rightly far from the threshold, but for one positive on the wrong side or none."""
    spec = ObjectiveSpec(**options)
    scores = torch.full(SHAPE, -200.0)
    scores[0, 0, 0, 0] *= side
    scores.requires_grad_()
    loss = OBJECTIVES[spec.name](scores, torch.tensor([[0, 0, 0, 0]]), VALID, spec)
    assert loss.item() == pytest.approx(expected if side > 0 else 0.0, rel=1e-6)
    loss.backward()
    assert scores.grad.isfinite().all()


@pytest.mark.parametrize("options", [{}, {"name": "focal", "focal_gamma": 2.0, "probability_floor": 1e-6}])
def test_nothing_but_the_scores_and_the_mask_is_kept_for_the_slopes(options: dict[str, Any]) -> None:
    spec = ObjectiveSpec(**options)
    scores = torch.randn(2, 40, 12, 25, requires_grad=True)
    valid = torch.ones(scores.shape, dtype=torch.bool)
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        OBJECTIVES[spec.name](scores, torch.tensor([[0, 0, 0, 0]]), valid, spec)
    assert sum(kept.values()) <= scores.nbytes + 2 * valid.nbytes
