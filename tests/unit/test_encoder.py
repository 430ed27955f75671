"""Backbones: folder, random weights, fewer layers, pinned bytes, and a vector of its own for each prompt token."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_model import MAX_TOKENS
from transformers import AutoModel

from gliner_core.encoder import load_backbone, token_limit
from gliner_core.errors import InputError
from gliner_core.files import file_digest
from gliner_core.spec import BackboneSpec


def _spec(folder: Path | str, **changes: object) -> BackboneSpec:
    return BackboneSpec(**{"name": "tiny", "kind": "folder", "base": "folder", "location": str(folder)} | changes)


def test_pretrained_rows_are_kept_and_each_new_token_has_a_vector_of_its_own(backbone: Path) -> None:
    torch.manual_seed(3)
    model, tokenizer = load_backbone(_spec(backbone))
    table = model.get_input_embeddings().weight
    original = AutoModel.from_pretrained(backbone).get_input_embeddings().weight
    assert torch.equal(table[:-3], original) and len(table) == len(tokenizer) == len(original) + 3
    added = table[-3:].detach()
    assert torch.pdist(added).min() > 0.02
    assert float(added.std()) == pytest.approx(float(original.detach().std()), rel=0.5)
    assert model.dtype == torch.float32 and model.config.vocab_size == len(tokenizer)


def test_random_weights_have_the_shape_but_not_the_values(backbone: Path) -> None:
    pretrained, _ = load_backbone(_spec(backbone))
    fresh, tokenizer = load_backbone(_spec(backbone, kind="random"))
    shapes = [{key: value.shape for key, value in model.state_dict().items()} for model in (pretrained, fresh)]
    assert shapes[0] == shapes[1] and len(tokenizer) == fresh.config.vocab_size
    key = "encoder.layer.1.output.dense.weight"
    assert not torch.allclose(pretrained.state_dict()[key], fresh.state_dict()[key])


def test_the_first_layers_can_be_kept_alone(backbone: Path) -> None:
    whole, _ = load_backbone(_spec(backbone))
    half, _ = load_backbone(_spec(backbone, num_layers=1))
    assert (len(whole.encoder.layer), len(half.encoder.layer)) == (2, 1)
    key = "encoder.layer.0.output.dense.weight"
    assert torch.equal(whole.state_dict()[key], half.state_dict()[key])
    with pytest.raises(InputError, match=r"backbone tiny: `num_layers` is 9 but the encoder has 2"):
        load_backbone(_spec(backbone, num_layers=9))


def test_pinned_bytes_are_checked(backbone: Path) -> None:
    digest = file_digest(backbone / "model.safetensors")
    load_backbone(_spec(backbone, sha256=digest))
    with pytest.raises(InputError) as caught:
        load_backbone(_spec(backbone, sha256="0" * 64))
    assert digest in str(caught.value) and "0" * 64 in str(caught.value)
    load_backbone(_spec(backbone, kind="random", sha256="0" * 64))  # random weights read no weight file


def test_gaps_are_not_filled_with_random_weights(backbone: Path, tmp_path: Path) -> None:
    shutil.copytree(backbone, tmp_path / "copy")
    weights = load_file(tmp_path / "copy" / "model.safetensors")
    lost = [key for key in weights if "encoder.layer.1.output" in key]
    kept = {key: value for key, value in weights.items() if key not in lost and "pooler" not in key}
    save_file(kept, tmp_path / "copy" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=f"lacks {len(lost)} weights of the encoder"):
        load_backbone(_spec(tmp_path / "copy"))
    load_backbone(_spec(tmp_path / "copy", num_layers=1))  # the gap lies in a layer that is not used


def test_what_is_not_there_is_one_sentence(backbone: Path, tmp_path: Path) -> None:
    absent = [
        (_spec(tmp_path), "holds no config.json"),
        (_spec("no_such_package", kind="package", base="package"), "pip install no-such-package"),
        (_spec("no/such-model", kind="hub", base="hub", revision="main"), "no/such-model cannot be loaded"),
    ]
    for spec, words in absent:
        with pytest.raises(InputError) as caught:
            load_backbone(spec)
        assert str(caught.value).startswith("backbone tiny: ") and words in str(caught.value)
        assert "\n" not in str(caught.value)
    (tmp_path / "config.json").write_text((backbone / "config.json").read_text())
    with pytest.raises(InputError, match=r"model\.safetensors is missing"):
        load_backbone(_spec(tmp_path, sha256="0" * 64))


def test_the_window_is_that_of_the_positions(backbone: Path) -> None:
    assert token_limit(load_backbone(_spec(backbone))[0].config) == MAX_TOKENS
    roberta = SimpleNamespace(model_type="roberta", max_position_embeddings=514, pad_token_id=1)
    deberta = SimpleNamespace(model_type="deberta-v2", max_position_embeddings=512, position_biased_input=False)
    xlnet = SimpleNamespace(model_type="xlnet")
    assert [token_limit(config) for config in (roberta, deberta, xlnet)] == [512, None, None]
