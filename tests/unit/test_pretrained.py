"""Checkpoints: what is saved opens with equal scores, and what does not fit is refused with one sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_model import tiny_network
from transformers import AutoTokenizer

import gliner_core
from gliner_core import GLiNER
from gliner_core.errors import InputError
from gliner_core.prompt import ENT, FLERT, SEP

TEXTS = [["anna", "visited", "paris", "."], ["the", "river"]]
LABELS = [["person", "city"], ["city", "river"]]
KNOBS: list[dict[str, Any]] = [
    {},
    {"model_hidden_size": 20, "model_max_width": 12},
    {"model_rnn": False, "model_span_mode": "paper_ffn"},
    {"model_score_bias": -1.5, "model_embed_ent_token": False, "model_max_words": 7},
    {"model_span_mode": "marker", "model_hidden_size": 20, "model_dropout": 0.25},
    *({"model_span_mode": mode, "model_rnn": False} for mode in ("endpoints", "mean_pool", "max_pool")),
    *({"model_span_mode": mode, "model_max_width": 6} for mode in ("conv_mean", "conv_sum", "conv_max", "conv_share")),
    {"model_span_mode": "query", "model_rnn": False},
]


def _scores(model: GLiNER) -> torch.Tensor:
    with torch.inference_mode():
        return model.network(model.network.prompts.encode(TEXTS, LABELS))


@pytest.fixture
def saved(backbone: Path, tmp_path: Path) -> Path:
    GLiNER(tiny_network(backbone)).save_pretrained(tmp_path / "saved")
    return tmp_path / "saved"


@pytest.mark.parametrize("knobs", KNOBS)
def test_a_saved_model_opens_with_equal_scores(backbone: Path, tmp_path: Path, knobs: dict[str, Any]) -> None:
    model = GLiNER(tiny_network(backbone, **knobs))
    model.save_pretrained(tmp_path / "model")
    opened = GLiNER.from_pretrained(tmp_path / "model", device="cpu")
    assert torch.equal(_scores(opened), _scores(model))
    ours, theirs = model.network.spec, opened.network.spec
    names = ("hidden_size", "max_width", "max_words", "rnn", "span_mode", "score_bias", "embed_ent_token", "dropout")
    for knob in names:
        assert getattr(ours, knob) == getattr(theirs, knob)
    assert not opened.network.training
    opened.save_pretrained(tmp_path / "again")
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (
        (tmp_path / "model" / "model.safetensors").read_bytes()
    )


def test_names_and_configuration_are_the_official_ones(backbone: Path, tmp_path: Path) -> None:
    network = tiny_network(backbone, model_hidden_size=20)
    GLiNER(network).save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    tops = {key.split(".")[0] for key in weights}
    assert tops == {"token_rep_layer", "rnn", "span_rep_layer", "prompt_rep_layer"}
    assert weights["token_rep_layer.projection.weight"].shape == (20, 32)
    assert weights["rnn.lstm.weight_hh_l0_reverse"].shape == (40, 10)
    assert weights["span_rep_layer.span_rep_layer.out_project.0.weight"].shape == (80, 40)
    assert weights["prompt_rep_layer.3.weight"].shape == (20, 80)
    config = json.loads((tmp_path / "gliner_config.json").read_text())
    assert (config["span_mode"], config["max_width"], config["max_len"]) == ("markerV0", 4, 384)
    assert config["class_token_index"] == len(network.tokenizer) - 2 == config["vocab_size"] - 2
    assert network.tokenizer.convert_tokens_to_ids([FLERT, ENT, SEP]) == [config["vocab_size"] - n for n in (3, 2, 1)]


def test_half_precision_is_the_callers_choice(saved: Path) -> None:
    model = GLiNER.from_pretrained(saved, device="cpu", dtype=torch.bfloat16)
    assert {weight.dtype for weight in model.network.parameters()} == {torch.bfloat16}
    torch.testing.assert_close(_scores(model).float(), _scores(GLiNER.from_pretrained(saved)), rtol=0.1, atol=0.1)


def test_old_checkpoints_open(saved: Path, backbone: Path) -> None:
    expected = _scores(GLiNER.from_pretrained(saved))
    weights = load_file(saved / "model.safetensors")
    weights["token_rep_layer.bert_layer.model.embeddings.position_ids"] = torch.arange(8)[None]
    torch.save(weights, saved / "pytorch_model.bin")
    (saved / "model.safetensors").unlink()
    for path in saved.glob("*token*"):
        path.unlink()
    config = json.loads((saved / "gliner_config.json").read_text())
    kept = {key: config[key] for key in ("max_width", "hidden_size", "dropout", "span_mode", "max_len")}
    (saved / "gliner_config.json").write_text(json.dumps(kept | {"model_name": str(backbone)}))
    assert torch.equal(_scores(GLiNER.from_pretrained(saved)), expected)


@pytest.mark.parametrize("flert", [True, False])
def test_tokens_are_added_at_the_stored_index(flert: bool, backbone: Path, saved: Path) -> None:
    """Without a tokenizer in the folder only the index tells whether the family has [FLERT]."""
    model = GLiNER.from_pretrained(saved, device="cpu")
    size = len(AutoTokenizer.from_pretrained(backbone))
    for path in saved.glob("*token*"):
        path.unlink()
    _configured(model_name=str(backbone), class_token_index=size + flert, vocab_size=size + 2 + flert)(saved)
    if not flert:
        _weighted(lambda weights: weights.update({TABLE: torch.cat([weights[TABLE][:size], weights[TABLE][-2:]])}))(
            saved
        )
    opened = GLiNER.from_pretrained(saved, device="cpu")
    assert opened.network.tokenizer.convert_tokens_to_ids([ENT, SEP]) == [size + flert, size + 1 + flert]
    assert torch.equal(_scores(opened), _scores(model))
    opened.save_pretrained(saved.parent / "again")
    config = json.loads((saved.parent / "again" / "gliner_config.json").read_text())
    assert (config["class_token_index"], config["vocab_size"]) == (size + flert, size + 2 + flert)


def test_a_table_with_spare_rows_keeps_them(saved: Path) -> None:
    """The encoder's matrix may be longer than the tokenizer's vocabulary, as that of DeBERTa-v3 is."""
    _weighted(lambda weights: weights.update({TABLE: torch.cat([weights[TABLE], torch.zeros(5, 32)])}))(saved)
    opened = GLiNER.from_pretrained(saved, device="cpu")
    opened.save_pretrained(saved.parent / "again")
    config = json.loads((saved.parent / "again" / "gliner_config.json").read_text())
    assert config["vocab_size"] == len(opened.network.tokenizer) + 5 == config["encoder_config"]["vocab_size"]


def test_a_repeated_label_is_asked_once(saved: Path) -> None:
    model = GLiNER.from_pretrained(saved, device="cpu")
    once = model.predict(TEXTS, ["person", "city"], threshold=0.1)
    assert model.predict(TEXTS, ["person", "city", "person", "city"], threshold=0.1) == once and any(once)


@pytest.mark.parametrize(("texts", "labels"), [("anna left", ["city"]), (["anna left"], "city")])
def test_a_string_in_the_place_of_a_list_is_refused(saved: Path, texts: Any, labels: Any) -> None:
    with pytest.raises(InputError, match="give a list of strings"):
        GLiNER.from_pretrained(saved, device="cpu").predict(texts, labels)


def test_opening_a_model_leaves_the_callers_random_numbers_alone(saved: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    GLiNER.from_pretrained(saved, device="cpu")
    assert torch.equal(torch.rand(4), expected)


def _configured(**keys: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "gliner_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | keys))

    return change


def _weighted(change: Callable[[dict[str, torch.Tensor]], Any]) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors")

    return rewrite


TABLE = "token_rep_layer.bert_layer.model.embeddings.word_embeddings.weight"
FAULTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no weights": (
        lambda folder: (folder / "model.safetensors").unlink(),
        "holds neither model.safetensors",
    ),
    "cut weights": (
        lambda folder: (folder / "model.safetensors").write_bytes(b"\0" * 99),
        "weights cannot be read",
    ),
    "no configuration": (lambda folder: (folder / "gliner_config.json").unlink(), "gliner_config.json: no such file"),
    "another model's": (lambda folder: (folder / "gliner_config.json").write_text("{}"), "holds no `model_name`"),
    "token level": (_configured(span_mode="token_level"), "`span_mode` 'token_level' is not supported"),
    "another kind": (
        _configured(model_type="gliner_uni_encoder_token"),
        "`model_type` 'gliner_uni_encoder_token' is not supported; supported: gliner_uni_encoder_span, ",
    ),
    "bi-encoder": (
        _configured(labels_encoder="some/model"),
        "`labels_encoder` 'some/model' is not supported: it makes",
    ),
    "decoder": (_configured(labels_decoder="gpt2"), "a model with a label decoder"),
    "relations": (_configured(relations_layer="dot"), "a relation extraction model"),
    "pooling": (_configured(subtoken_pooling="mean"), "`subtoken_pooling` 'mean' is not supported; supported: first"),
    "layers": (_configured(num_rnn_layers=2), "`num_rnn_layers` 2 is not supported; supported: 1, 0"),
    "a layer too many": (_configured(num_rnn_layers=0), "rnn.lstm."),
    "an old layer too many": (_configured(num_rnn_layers=None, has_rnn=False), "rnn.lstm."),
    "decoder as encoder": (
        _configured(encoder_config={"model_type": "gpt2"}),
        "the encoder type 'gpt2' is not supported",
    ),
    "text-to-text encoder": (
        _configured(encoder_config={"model_type": "t5"}),
        "the encoder type 't5' is not supported",
    ),
    "encoder with a decoder": (
        _configured(encoder_config={"model_type": "bart"}),
        "the encoder type 'bart' is not supported",
    ),
    "unknown encoder": (_configured(encoder_config={"model_type": "abacus"}), "cannot be loaded"),
    "another index": (
        _configured(class_token_index=7),
        "`class_token_index` is 7 but the tokenizer's <<ENT>> has the id",
    ),
    "a short table": (
        _weighted(lambda weights: weights.update({TABLE: weights[TABLE][:-1].clone()})),
        "token vectors and the tokenizer",
    ),
    "no table": (_weighted(lambda weights: weights.pop(TABLE)), "encoder.embeddings.word_embeddings.weight"),
    "shapes": (_configured(hidden_size=16), "the weights do not fit"),
    "one shape": (
        _weighted(lambda weights: weights.update({"prompt_rep_layer.0.bias": torch.zeros(7)})),
        "type_head.0.bias",
    ),
    "a part too few": (_weighted(lambda weights: weights.pop("prompt_rep_layer.0.bias")), "type_head.0.bias"),
    "a part too many": (
        _weighted(lambda weights: weights.update({"token_rep_layer.labels_encoder.model.x": torch.zeros(1)})),
        "token_rep_layer.labels_encoder.model.x",
    ),
    "two recurrent layers": (
        _weighted(lambda weights: weights.update({"rnn.lstm.bias_hh_l1": torch.zeros(1)})),
        "rnn.lstm.bias_hh_l1",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_fit_is_refused(saved: Path, fault: str) -> None:
    change, words = FAULTS[fault]
    change(saved)
    with pytest.raises(InputError) as caught:
        GLiNER.from_pretrained(saved, device="cpu")
    assert str(saved) in str(caught.value) and words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["no/such-model", "results/demo/runs/absent/model"])
def test_a_name_that_leads_nowhere_is_one_sentence(name: str) -> None:
    with pytest.raises(InputError) as caught:
        GLiNER.from_pretrained(name)
    assert f"model {name}: no such folder" in str(caught.value) and "\n" not in str(caught.value)


def test_weights_are_written_last(backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliner_core.saving.save_file", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        GLiNER(tiny_network(backbone)).save_pretrained(tmp_path / "model")
    assert not list((tmp_path / "model").glob("*safetensors*"))
    with pytest.raises(InputError, match="holds neither"):
        GLiNER.from_pretrained(tmp_path / "model")


def test_the_package_offers_the_model_and_nothing_else() -> None:
    assert gliner_core.__all__ == ["GLiNER"]
    with pytest.raises(AttributeError):
        _ = gliner_core.Trainer
