"""Counting weights from the header of a checkpoint."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from benchmarks.reporting.weights import parameters_without_embeddings, size_facts
from gliner_core.errors import InputError

ENCODER = "token_rep_layer.bert_layer.model."


@pytest.mark.parametrize("name", ["embeddings.word_embeddings.weight", "word_embedding.weight"])
def test_all_weights_count_but_those_of_the_word_embeddings(tmp_path: Path, name: str) -> None:
    checkpoint = tmp_path / "model" / "model.safetensors"
    checkpoint.parent.mkdir()
    weights = {"embeddings.position_embeddings.weight": (5, 4), "layer.0.weight": (4, 4), "layer.0.bias": (4,)}
    tensors = {ENCODER + key: torch.zeros(shape) for key, shape in (weights | {name: (100, 4)}).items()}
    save_file(tensors, checkpoint, metadata={"format": "pt"})
    assert parameters_without_embeddings(checkpoint) == 20 + 16 + 4
    assert size_facts(tmp_path) == {"parameters_without_embeddings": 40}


def test_what_has_no_checkpoint_has_no_count(tmp_path: Path) -> None:
    assert size_facts(tmp_path) == {}


def test_an_unknown_name_of_the_embeddings_is_not_counted_silently(tmp_path: Path) -> None:
    save_file({"shared.weight": torch.zeros(3, 3)}, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="holds no matrix of word embeddings"):
        parameters_without_embeddings(tmp_path / "model.safetensors")
