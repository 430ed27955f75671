"""Every other architecture of the published package is refused by its name, and no key of its files is missed."""

import inspect
import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from gliner_core import GLiNER
from gliner_core.errors import InputError
from gliner_core.heads import SPAN_HEADS
from gliner_core.opening import CHOICES, FOREIGN_PARTS
from gliner_core.saving import OFFICIAL_SPAN_MODES

pytestmark = pytest.mark.skipif(
    find_spec("gliner") is None, reason="the published package is not installed; pip install 'gliner-bench[peers]'"
)

VARIANTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "token level": ("UniEncoderTokenConfig", {}, "'token_level'|'gliner_uni_encoder_token'"),
    "bi-encoder": ("BiEncoderSpanConfig", {"labels_encoder": "some/labels"}, "a bi-encoder"),
    "token-level bi-encoder": ("BiEncoderTokenConfig", {"labels_encoder": "some/labels"}, "a bi-encoder"),
    "decoder": ("UniEncoderSpanDecoderConfig", {"labels_decoder": "gpt2", "decoder_mode": "span"}, "a label decoder"),
    "token-level decoder": ("UniEncoderTokenDecoderConfig", {"labels_decoder": "gpt2"}, "a label decoder"),
    "relations": ("UniEncoderSpanRelexConfig", {"relations_layer": "dot"}, "a relation extraction model"),
    "token-level relations": ("UniEncoderTokenRelexConfig", {"relations_layer": "none"}, "a relation extraction model"),
    "streaming": ("StreamingSpanConfig", {}, "'gliner_streaming_span'|streaming"),
    "fused layers": ("UniEncoderSpanConfig", {"fuse_layers": True}, "fuses encoder layers"),
    "cross-attention": ("UniEncoderSpanConfig", {"post_fusion_schema": "l2l-l2t-t2t"}, "cross-attention"),
    "second encoder": ("UniEncoderSpanConfig", {"span_encoder_config": {"model_type": "rnn"}}, "a second encoder"),
    "stored types": ("UniEncoderSpanConfig", {"precomputed_prompts_mode": True}, "stored type vectors"),
    "two recurrent layers": ("UniEncoderSpanConfig", {"num_rnn_layers": 2}, "`num_rnn_layers` 2"),
    "pooling": ("UniEncoderSpanConfig", {"subtoken_pooling": "max"}, "`subtoken_pooling` 'max'"),
    "splitter": ("UniEncoderSpanConfig", {"words_splitter_type": "spacy"}, "`words_splitter_type` 'spacy'"),
    "marker token": ("UniEncoderSpanConfig", {"ent_token": "[ENT]"}, r"`ent_token` '\[ENT\]'"),
    **{
        mode: ("UniEncoderSpanConfig", {"span_mode": mode}, f"`span_mode` '{mode}'")
        for mode in ("markerV1", "markerV2", "mlp", "cat", "conv_conv")
    },
}
# What the reader takes over, and what changes neither the scores nor the entities of a span model.
READ = {"model_name", "name", "max_width", "hidden_size", "dropout", "max_len", "embed_ent_token", "class_token_index"}
READ |= {"encoder_config"}
HARMLESS = {
    "fine_tune": "training",
    "max_neg_type_ratio": "training",
    "max_types": "training",
    "token_loss_coef": "training of token-level models",
    "span_loss_coef": "training of token-level models",
    "neg_spans_ratio": "training of token-level models",
    "represent_spans": "token-level models",
    "num_post_fusion_layers": "read with post_fusion_schema",
    "id_to_classes": "read with precomputed_prompts_mode",
    "vocab_size": "the weights tell",
    "_attn_implementation": "another way to the same numbers",
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_refused_by_name(variant: str, tmp_path: Path) -> None:
    import gliner.config

    name, keys, words = VARIANTS[variant]
    getattr(gliner.config, name)(model_name="some/encoder", **keys).to_json_file(tmp_path / "gliner_config.json")
    with pytest.raises(InputError, match=words) as caught:
        GLiNER.from_pretrained(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}/gliner_config.json: ") and "\n" not in str(caught.value)


def test_a_span_mode_is_called_the_packages_where_it_has_the_same_weights() -> None:
    from gliner.modeling.span_rep import SpanRepLayer

    for ours, head in SPAN_HEADS.items():
        theirs = {mine: name for name, mine in OFFICIAL_SPAN_MODES.items()}.get(ours)
        if theirs is None:
            with pytest.raises(ValueError, match="Unknown span mode"):
                SpanRepLayer(8, 4, ours, dropout=0.1)
            continue
        layer = SpanRepLayer(8, 4, theirs, dropout=0.1).span_rep_layer
        shapes = {key: value.shape for key, value in layer.state_dict().items()}
        assert {key: value.shape for key, value in head(8, 0.1, 4).state_dict().items()} == shapes


def test_the_plain_span_model_is_not_refused_for_its_configuration(tmp_path: Path) -> None:
    from gliner.config import GLiNERConfig, UniEncoderSpanConfig

    for config in (UniEncoderSpanConfig(), GLiNERConfig()):
        config.model_name = "microsoft/deberta-v3-small"
        config.to_json_file(tmp_path / "gliner_config.json")
        with pytest.raises(InputError, match=r"holds neither model\.safetensors nor pytorch_model\.bin"):
            GLiNER.from_pretrained(tmp_path)


def test_every_key_of_the_packages_configuration_is_decided_on() -> None:
    from gliner.config import BaseGLiNERConfig, GLiNERConfig

    classes = (BaseGLiNERConfig, GLiNERConfig)
    keys = {name for cls in classes for name in inspect.signature(cls.__init__).parameters} - {"self", "kwargs"}
    assert keys <= READ | set(HARMLESS) | set(CHOICES) | set(FOREIGN_PARTS)


def test_old_training_keys_are_passed_over(tmp_path: Path) -> None:
    old = {"model_name": "x", "lr_encoder": "1e-5", "num_steps": 30000, "size_sup": -1, "random_drop": True}
    (tmp_path / "gliner_config.json").write_text(json.dumps(old | {"root_dir": "gliner_logs", "prev_path": None}))
    with pytest.raises(InputError, match="holds neither"):
        GLiNER.from_pretrained(tmp_path)
