"""Rough cost of a run before it has run: hours, memory and disk, from the cards alone.

Only ratios are modelled: the baseline's hours stand on the scale card (measured, or printed by the paper) and every
other training is scaled from them. An estimate is for planning, never for a table; what a run cost stands in costs.csv.
"""

from dataclasses import dataclass

from benchmarks.catalog.cards import BackboneCard, ScaleCard
from gliner_core.spec import ModelSpec, TrainSpec

BYTES = 4  # weights, gradients and both moments of AdamW are fp32, also under bf16 autocast
TRAINING_COPIES = 4
FACTOR_HEADS = 42  # weights of the heads in units of D^2: type, start and end maps 8 each, pair map 12, BiLSTM 6
SUB_TOKENS_PER_WORD = 1.3  # English words under the cards' vocabularies; other languages need more
SUB_TOKENS_PER_TYPE = 3  # <<ENT>> and a short name
HIDDEN = 4  # width of the span head's hidden layer in units of D; a span takes as many products with each type
CELL_BYTES = 16  # of one span and type in training: score, target, weight and gradient, fp32 each
WORDS_PER_TEST = 50_000  # of one test set; the suites here lie between 20,000 and 120,000
PREDICTION_BYTES = 2_000_000  # of one cell: 0.3 to 9 MB were seen at scale pilot, less the better a model is trained


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Of one run with its cells; hours are None where the scale card has none for the device."""

    hours: float | None
    bytes_memory: float
    bytes_disk: float


def estimate_run(
    scale: ScaleCard, spec: TrainSpec, base: TrainSpec, cards: dict[str, BackboneCard], device: str, num_cells: int
) -> Estimate:
    """Cost of one training and of answering its cells; `cards` are the backbones, `device` is cpu or gpu."""
    mine, usual = cards[spec.model.backbone.name], cards[base.model.backbone.name]
    relative = _work(spec, mine) / _work(base, usual) if base.optim.steps else 0.0
    speed = scale.words_per_second.get(device)
    hours = scale.hours_per_run.get(device)
    if hours is not None:
        hours *= relative
        if speed:
            hours += num_cells * WORDS_PER_TEST / speed / 3600 * _per_token(spec, mine) / _per_token(base, usual)
    return Estimate(
        hours=hours,
        bytes_memory=memory_bytes(spec, mine, device),
        bytes_disk=checkpoint_bytes(spec.model, mine) + num_cells * PREDICTION_BYTES,
    )


def checkpoint_bytes(model: ModelSpec, backbone: BackboneCard) -> int:
    """Size of a checkpoint: the backbone's parameters from its card and the heads' from D."""
    return BYTES * (backbone.parameters + FACTOR_HEADS * model.hidden_size**2)


def memory_bytes(spec: TrainSpec, backbone: BackboneCard, device: str) -> float:
    """Peak of a training step on texts that fill the window: weights with their optimiser, and activations.

    Activations per layer and token: width * (34 + 5 * heads * tokens / width) bytes in 16 bits, twice that in fp32
    (Korthikanti et al. 2022, arXiv 2205.05198, section 4.1), heads of 64 as in BERT. Of the spans only the scores are
    kept, words * K * types of them: hidden values are made in small blocks (`gliner_core/scorer.py`).
    """
    weights = TRAINING_COPIES * checkpoint_bytes(spec.model, backbone)
    layers, width = backbone.layers or 12, backbone.width or 768
    tokens = SUB_TOKENS_PER_WORD * spec.model.max_words + SUB_TOKENS_PER_TYPE * spec.sampling.max_types
    per_token = layers * width * (34 + 5 * tokens / 64)
    precision = 2 if device == "cpu" or spec.optim.precision == "fp32" else 1
    cells = spec.model.max_words * spec.model.max_width * spec.sampling.max_types
    return weights + spec.optim.batch_size * (precision * tokens * per_token + CELL_BYTES * cells)


def _work(spec: TrainSpec, backbone: BackboneCard) -> float:
    return spec.optim.steps * spec.optim.batch_size * _per_token(spec, backbone)


def _per_token(spec: TrainSpec, backbone: BackboneCard) -> float:
    """Products of a token: 12 width^2 in each layer (shared layers count each time), the heads', and the span scores'.

    A span is scored by one product of width 4 D with each type (`gliner_core/scorer.py`), and K spans start at a word.
    """
    layers, width = backbone.layers or 12, backbone.width or 768
    scores = HIDDEN * spec.model.hidden_size * spec.model.max_width * spec.sampling.max_types / SUB_TOKENS_PER_WORD
    return 12 * layers * width**2 + FACTOR_HEADS * spec.model.hidden_size**2 + scores
