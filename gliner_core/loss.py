"""Training objectives over valid (span, type) cells, registered by name.

Each takes scores [B, L, K, C], positive cells [P, 4] (unique rows of indices) and the validity mask, and returns the
summed loss. No dense label tensor is built: the sum over all cells of the negative term is corrected at the positives.
"""

from collections.abc import Callable

import torch
from torch.nn.functional import softplus

from gliner_core.spec import ObjectiveSpec

Objective = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, ObjectiveSpec], torch.Tensor]


def binary_cross_entropy(
    scores: torch.Tensor, positives: torch.Tensor, valid: torch.Tensor, spec: ObjectiveSpec
) -> torch.Tensor:
    """Paper equation 3, summed; positives weighted by `positive_weight` (2 in the author's code until v0.1.13)."""
    negative_part = softplus(scores).masked_fill(~valid, 0.0).sum()
    logits = scores[tuple(positives.unbind(dim=1))]  # [P]
    return negative_part + (spec.positive_weight * softplus(-logits) - softplus(logits)).sum()


OBJECTIVES: dict[str, Objective] = {"bce": binary_cross_entropy}
