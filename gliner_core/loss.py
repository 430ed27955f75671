"""Training objectives over valid (span, type) cells, registered by name.

Each takes scores [B, L, K, C], positive cells [P, 4] (unique rows of indices) and the validity mask, and returns the
summed loss. No dense label tensor is built: the sum over all cells of the negative term is corrected at the positives.

| version of the published code | options |
|---|---|
| paper era, until v0.1.13 | `bce`, `positive_weight` 2 |
| the paper's equation 3 | `bce`, `positive_weight` 1 |
| v0.1.14 until July 2025 | `focal`, `positive_weight` 1, `focal_alpha`, `focal_gamma` |
| since July 2025 | the same with `probability_floor` 1e-6 |
"""

from collections.abc import Callable

import torch
from torch.nn.functional import softplus
from torch.utils.checkpoint import checkpoint

from gliner_core.spec import ObjectiveSpec

Objective = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, ObjectiveSpec], torch.Tensor]


def binary_cross_entropy(
    scores: torch.Tensor, positives: torch.Tensor, valid: torch.Tensor, spec: ObjectiveSpec
) -> torch.Tensor:
    """Paper equation 3, summed; positives weighted by `positive_weight` (2 in the author's code until v0.1.13)."""
    negative_part = softplus(scores).masked_fill(~valid, 0.0).sum()
    logits = scores[tuple(positives.unbind(dim=1))]  # [P]
    return negative_part + (spec.positive_weight * softplus(-logits) - softplus(logits)).sum()


def focal(scores: torch.Tensor, positives: torch.Tensor, valid: torch.Tensor, spec: ObjectiveSpec) -> torch.Tensor:
    """Sum of weight * (1 - q)^gamma * -log q, q the probability of the right answer (the published package's loss).

    Weights: alpha * `positive_weight` at positives, 1 - alpha elsewhere; both alphas are 1 where none is set. With a
    floor, q is a rounded probability and log q stops at the floor, as there; beyond it a cell has no slope at gamma 0.
    """
    positive, negative = (1.0, 1.0) if spec.focal_alpha is None else (spec.focal_alpha, 1 - spec.focal_alpha)
    # Computed again in the backward pass, where it would keep five tensors of the size of the scores.
    everywhere = checkpoint(_negative_sum, scores, valid, spec, use_reentrant=False, preserve_rng_state=False)
    logits = scores[tuple(positives.unbind(dim=1))]  # [P]
    asked = positive * spec.positive_weight * _positive_cost(logits, spec)
    return negative * everywhere + (asked - negative * _negative_cost(logits, spec)).sum()


def _negative_sum(scores: torch.Tensor, valid: torch.Tensor, spec: ObjectiveSpec) -> torch.Tensor:
    return _negative_cost(scores, spec).masked_fill(~valid, 0.0).sum()


def _negative_cost(logits: torch.Tensor, spec: ObjectiveSpec) -> torch.Tensor:
    if spec.probability_floor is None:
        return _exact_cost(-logits, spec.focal_gamma)
    return _floored_cost(1 - logits.sigmoid(), spec.focal_gamma, spec.probability_floor)


def _positive_cost(logits: torch.Tensor, spec: ObjectiveSpec) -> torch.Tensor:
    if spec.probability_floor is None:
        return _exact_cost(logits, spec.focal_gamma)
    return _floored_cost(logits.sigmoid(), spec.focal_gamma, spec.probability_floor)


def _exact_cost(right: torch.Tensor, gamma: float) -> torch.Tensor:
    """From the logit of the right answer, in log space: log q = -softplus(-logit), log (1 - q) = -softplus(logit)."""
    cost = softplus(-right)
    return cost * (-gamma * softplus(right)).exp() if gamma else cost


def _floored_cost(right: torch.Tensor, gamma: float, floor: float) -> torch.Tensor:
    """From the probability of the right answer, rounded to the tensor's precision before the logarithm."""
    cost = -right.clamp(min=floor).log()
    return cost * (1 - right) ** gamma if gamma else cost


OBJECTIVES: dict[str, Objective] = {"bce": binary_cross_entropy, "focal": focal}
