"""Reads a checkpoint in the official format: gliner_config.json, the weights and the tokenizer -> SpanScoringModel.

Three generations of files are read: v1 and v2.1 (training keys in the configuration, no tokenizer, no token index),
0.2.x (`has_rnn`) and the present one (`num_rnn_layers`, `model_type`). What needs another network is refused by name.
"""

import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from gliner_core.errors import InputError
from gliner_core.files import read_json
from gliner_core.model import SpanScoringModel
from gliner_core.prompt import ENT, FLERT, SEP
from gliner_core.saving import PREFIXES, SPAN_MODES
from gliner_core.spec import BackboneSpec, ModelSpec

# What a configuration key holds, and the least it may be.
KINDS: dict[str, tuple[type | types.UnionType, float | None]] = {
    "model_name": (str, None),
    "name": (str, None),
    "encoder_config": (dict, None),
    "class_token_index": (int, -1),
    "hidden_size": (int, 1),
    "max_width": (int, 1),
    "max_len": (int, 1),
    "num_rnn_layers": (int, 0),
    "has_rnn": (bool, None),
    "embed_ent_token": (bool, None),
    "dropout": (int | float, 0),
    "score_bias": (int | float, None),
}
UNSET = -1  # the package's "not known yet" for class_token_index and vocab_size

# Configuration keys that stand for another network as soon as they hold anything.
FOREIGN_PARTS = {
    "labels_encoder": "a bi-encoder",
    "labels_decoder": "a model with a label decoder",
    "decoder_mode": "a model with a label decoder",
    "decoder_config": "a streaming model on a causal decoder",
    "relations_layer": "a relation extraction model",
    "triples_layer": "a relation extraction model",
    "fuse_layers": "a model that fuses encoder layers",
    "post_fusion_schema": "a model with cross-attention between types and words",
    "span_encoder_config": "a model with a second encoder before the spans",
    "precomputed_prompts_mode": "a model with stored type vectors",
}
# Configuration keys of which only some values are supported; the first one is the package's default.
CHOICES: dict[str, tuple[Any, ...]] = {
    "model_type": ("gliner_uni_encoder_span", "gliner_uni_encoder", "gliner_base", "gliner"),
    "span_mode": tuple(SPAN_MODES),
    "subtoken_pooling": ("first",),
    "words_splitter_type": ("whitespace",),
    "num_rnn_layers": (1, 0),
    "ent_token": (ENT,),
    "sep_token": (SEP,),
}


def open_network(folder: Path) -> SpanScoringModel:
    """The network of a checkpoint folder, on the CPU in fp32. Raises `InputError` naming the file and the variant."""
    where = folder / "gliner_config.json"
    config = _checked(where, read_json(where))
    weights = _ours(_read_weights(folder))
    # The first released checkpoints hold no tokenizer; the published package then takes the backbone's.
    source = folder if (folder / "tokenizer_config.json").is_file() else config["model_name"]
    with _described(f"{folder}: the encoder or tokenizer ({config['model_name']})"):
        encoder_config = _encoder_config(config)
        tokenizer = AutoTokenizer.from_pretrained(source, use_fast=True, trust_remote_code=False)
    _check_encoder(where, encoder_config)
    _check_depth(where, encoder_config, weights)
    _fit_tokens(where, config, tokenizer)
    what = f"{where}: the network that it describes"
    # First without memory: a few digits of the configuration can ask for more than any machine has.
    with _described(what), torch.device("meta"):
        _fitting(folder, config, weights, AutoModel.from_config(encoder_config), tokenizer)
    # First random numbers, then the weights; the caller's stream stays.
    with _described(what), torch.random.fork_rng(devices=[]):
        return _filled(folder, config, weights, AutoModel.from_config(encoder_config), tokenizer)


def _filled(
    folder: Path,
    config: Mapping[str, Any],
    weights: dict[str, torch.Tensor],
    encoder: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
) -> SpanScoringModel:
    network = _fitting(folder, config, weights, encoder, tokenizer)
    network.load_state_dict(weights, strict=False)
    return network


def _fitting(
    folder: Path,
    config: Mapping[str, Any],
    weights: Mapping[str, torch.Tensor],
    encoder: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
) -> SpanScoringModel:
    """The network with the shapes of the weights, which are not filled in yet."""
    _fit_table(folder, encoder, tokenizer, weights)
    network = SpanScoringModel(_model_spec(config, weights), encoder, tokenizer)
    _check_weights(folder, network.state_dict(), weights)
    return network


@contextmanager
def _described(what: str) -> Iterator[None]:
    """Turns whatever the libraries raise for values that make no sense into one sentence about `what`."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # tens of classes check their own values, each in its own way
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise InputError(
            f"{what} cannot be loaded ({reason}); check the file, the names in it and the network"
        ) from error


def _checked(where: Path, config: Any) -> Mapping[str, Any]:
    if not isinstance(config, Mapping) or "model_name" not in config:
        raise InputError(f"{where}: holds no `model_name`; give the folder of a GLiNER checkpoint")
    for key, variant in FOREIGN_PARTS.items():
        if config.get(key):
            raise InputError(f"{where}: `{key}` {config[key]!r} is not supported: it makes the checkpoint {variant}")
    for key, supported in CHOICES.items():
        value = config.get(key)
        if value is not None and value not in supported:
            known = ", ".join(map(str, supported))
            raise InputError(f"{where}: `{key}` {value!r} is not supported; supported: {known}")
    for key, (kind, least) in KINDS.items():
        value = config.get(key)
        if value is not None and not (isinstance(value, kind) and (least is None or value >= least)):
            raise InputError(f"{where}: `{key}` is {value!r}; give the file that was saved with the weights")
    return {key: value for key, value in config.items() if value is not None}


def _check_encoder(where: Path, encoder: PretrainedConfig) -> None:
    # What has a masked-language-model head and no decoder reads a text in both directions, as GLiNER needs it.
    if encoder.is_encoder_decoder or encoder.model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        raise InputError(
            f"{where}: the encoder type {encoder.model_type!r} is not supported: it is no bidirectional encoder"
        )


def _check_depth(where: Path, encoder: PretrainedConfig, weights: Mapping[str, torch.Tensor]) -> None:
    layers = encoder.num_hidden_layers
    if not isinstance(layers, int) or not 0 < layers <= len(weights):
        raise InputError(f"{where}: {layers!r} layers do not fit {len(weights)} weights; give the files of one model")


def _encoder_config(config: Mapping[str, Any]) -> PretrainedConfig:
    if "encoder_config" not in config:
        return AutoConfig.from_pretrained(config["model_name"], trust_remote_code=False)
    stored = dict(config["encoder_config"])
    return AutoConfig.for_model(stored.pop("model_type", "deberta-v2"), **stored)  # the package's default


def _fit_tokens(where: Path, config: Mapping[str, Any], tokenizer: PreTrainedTokenizerBase) -> None:
    """Adds the prompt tokens that the tokenizer lacks and holds the id of <<ENT>> against `class_token_index`.

    Some families have no [FLERT] before <<ENT>>; without a tokenizer in the folder only the stored index tells.
    """
    known = config.get("class_token_index", UNSET)
    if ENT not in tokenizer.get_vocab():
        tokens = [ENT, SEP] if known == len(tokenizer) else [FLERT, ENT, SEP]
        tokenizer.add_tokens(tokens, special_tokens=True)
    found = tokenizer.convert_tokens_to_ids(ENT)
    if known not in (UNSET, found):
        raise InputError(
            f"{where}: `class_token_index` is {known} but the tokenizer's {ENT} has the id {found}; "
            "give a folder with the tokenizer that the model was trained with"
        )


def _fit_table(
    folder: Path, encoder: nn.Module, tokenizer: PreTrainedTokenizerBase, weights: Mapping[str, torch.Tensor]
) -> None:
    embedding = encoder.get_input_embeddings()
    name = next(name for name, module in encoder.named_modules() if module is embedding)
    table = weights.get(f"encoder.{name}.weight")
    if table is None:
        return  # named by the check of all weights
    if max(tokenizer.convert_tokens_to_ids([ENT, SEP])) >= len(table):
        raise InputError(
            f"{folder}: the weights have {len(table)} token vectors and the tokenizer {len(tokenizer)} tokens; "
            "give a folder with the files that were saved together"
        )
    if len(table) != embedding.num_embeddings:
        encoder.resize_token_embeddings(len(table), mean_resizing=False)


def _model_spec(config: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> ModelSpec:
    location = config["model_name"]
    backbone = BackboneSpec(name=config.get("name") or location, kind="hub", base="hub", location=location)
    has_rnn = config.get("has_rnn", any(key.startswith("rnn.") for key in weights))
    return ModelSpec(
        backbone=backbone,
        hidden_size=config.get("hidden_size", 512),
        span_mode=SPAN_MODES[config.get("span_mode", "markerV0")],
        max_width=config.get("max_width", 12),
        max_words=config.get("max_len", 384),
        rnn=bool(config.get("num_rnn_layers", has_rnn)),
        embed_ent_token=config.get("embed_ent_token", True),
        dropout=config.get("dropout", 0.4),
        score_bias=config.get("score_bias"),
    )


def _read_weights(folder: Path) -> dict[str, torch.Tensor]:
    try:
        if (folder / "model.safetensors").is_file():
            return load_file(folder / "model.safetensors")
        if (folder / "pytorch_model.bin").is_file():
            return torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
    except Exception as error:  # both readers raise many kinds for a damaged file; each means the same to the user
        reason = str(error).split("\n")[0]
        raise InputError(f"{folder}: the weights cannot be read ({reason}); copy the checkpoint again") from None
    raise InputError(f"{folder}: holds neither model.safetensors nor pytorch_model.bin; give a checkpoint folder")


def _ours(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    renamed = {}
    for key, value in weights.items():
        if not key.endswith("position_ids"):  # a buffer that older encoders saved
            ours, theirs = next((pair for pair in PREFIXES.items() if key.startswith(pair[1])), ("", ""))
            renamed[ours + key.removeprefix(theirs)] = value  # a foreign part keeps its name and is refused by it
    return renamed


def _check_weights(folder: Path, own: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor]) -> None:
    missing = [key for key in own if key not in given and not key.startswith("encoder.pooler.")]
    foreign = [key for key in given if key not in own or given[key].shape != own[key].shape]
    if missing or foreign:
        raise InputError(
            f"{folder}: the weights do not fit gliner_config.json (first: {[*missing, *foreign][0]}); give a span "
            "model's folder with the files that were saved together"
        )
    broken = [key for key, value in given.items() if value.is_floating_point() and not bool(value.isfinite().all())]
    if broken:  # every comparison with such a score is false: the model would answer nothing
        raise InputError(f"{folder}: weights that are not finite (first: {broken[0]}); train again or copy it again")
