"""Small trainings for the tests of faults: an encoder without dropout, and what a training left."""

import json
from pathlib import Path
from typing import Any

import torch
from tiny_model import LABELS, TEXTS, make_backbone, tiny_spec, toy_examples
from transformers import BertConfig, PretrainedConfig

from gliner_core.examples import Example, Span
from gliner_core.spec import TrainSpec

STILL = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def still_backbone(folder: Path) -> Path:
    """The tiny encoder without dropout: the same weights give the same loss in any split of a batch."""

    def config(vocab_size: int) -> PretrainedConfig:
        return BertConfig(vocab_size=vocab_size, max_position_embeddings=96, **SHAPE, **STILL)

    return make_backbone(folder, config)


def still_spec(backbone: Path, **changes: Any) -> TrainSpec:
    """A short training without any dropout; `changes` as for `tiny_spec`."""
    return tiny_spec(backbone, model_dropout=0.0, **changes)


def mixed_examples() -> list[Example]:
    """Texts of 1 to 14 words with two entities each, and sentences of the toy set, some without any."""
    found = []
    for row, words in enumerate(TEXTS):
        last = len(words) - 1
        spans = [Span(0, 0, LABELS[row % 3]), Span(last, last, LABELS[1])][: len(words)]
        found.append(Example(id=str(row), words=tuple(words), spans=tuple(spans)))
    return found + toy_examples(12)


def losses(folder: Path) -> list[float]:
    """The loss curve that a training left."""
    return [json.loads(line)["loss"] for line in (folder / "history.jsonl").read_text().splitlines()]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """The weights that a training left, by name."""
    from safetensors.torch import load_file

    return load_file(folder / "model" / "model.safetensors")
