"""One network for all sides: our spec on the card's backbone, saved in the official format, opened by each side."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks.catalog.measurement import MeasurementCard, Shape
from benchmarks.efficiency.texts import Load
from gliner_core.examples import Example
from gliner_core.model import SpanScoringModel
from gliner_core.saving import save_network
from gliner_core.seeding import seed_torch
from gliner_core.spans import valid_cells
from gliner_core.spec import TrainSpec, spec_from_json

# PyTorch's default initial weights let signals fade: a fresh model scores every span alike, so that a mistake would be
# hidden. Six times their variance keeps signals alive through ReLUs (He et al. 2015, arXiv 1502.01852, equation 10).
GAIN = 6**0.5
SPREAD = 1.0  # standard deviation of the scores
ENDLESS = 10**9  # steps of the schedule and negatives of an example: more than any case uses


def train_spec(card: MeasurementCard, backbone: Mapping[str, Any], shape: Shape, precision: str) -> TrainSpec:
    """Every example is asked for all types of the case, in a fixed number of steps' worth of learning rate."""
    tree = {
        "model": {
            "backbone": dict(backbone),
            "hidden_size": card.hidden_size,
            "max_width": shape.max_width,
            "dropout": card.dropout,
        },
        "data": {"name": "efficiency"},
        "sampling": {
            "negative_ratio": ENDLESS,
            "negative_pool": "explicit",
            "type_dropping": False,
            "shuffle_types": False,
            "max_types": shape.types,
        },
        "objective": {"name": "bce", "positive_weight": 1.0},
        "optim": {
            "steps": ENDLESS,
            "batch_size": shape.batch,
            "lr_encoder": card.lr_encoder,
            "lr_others": card.lr_others,
            "weight_decay": card.weight_decay,
            "warmup_ratio": 0.0,
            "grad_clip": card.grad_clip,
            "precision": precision,
        },
        "seed": card.seed,
    }
    return spec_from_json(tree, "efficiency")


def save_spread_network(spec: TrainSpec, load: Load, folder: Path) -> None:
    """Writes the checkpoint of a fresh network whose scores on `load` have the standard deviation SPREAD."""
    seed_torch(spec.seed, "init")
    network = SpanScoringModel.from_spec(spec.model).eval()
    with torch.no_grad():
        for part in (network.rnn, network.span_head, network.type_head):
            for weight in part.parameters():
                weight *= GAIN if weight.dim() == 2 else 1.0
        scores = valid_scores(network, load.examples, load.types)
        for weight in network.type_head[3].parameters():
            weight *= SPREAD / scores.std()
    save_network(network, folder)


@torch.no_grad()
def valid_scores(network: SpanScoringModel, examples: tuple[Example, ...], types: tuple[str, ...]) -> torch.Tensor:
    """Scores [N] of all spans inside the texts and all types, in (text, start, width, type) order."""
    batch = network.prompts.encode([example.words for example in examples], [types] * len(examples))
    batch = batch.to(network.device)
    scores = network(batch).float()
    return scores[valid_cells(batch.num_words, batch.num_types, *scores.shape[1:])].cpu()
