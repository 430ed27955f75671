"""Writes a checkpoint in the official format: gliner_config.json, model.safetensors and the tokenizer.

Apart from `pretrained`, which also predicts: an edit of decoding must not retrain anything.
"""

from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from gliner_core.files import atomic_replace, write_json
from gliner_core.heads import SPAN_HEADS
from gliner_core.model import SpanScoringModel
from gliner_core.prompt import ENT, SEP

# our module prefix -> the official state-dict prefix
PREFIXES = {
    "encoder.": "token_rep_layer.bert_layer.model.",
    "projection.": "token_rep_layer.projection.",
    "rnn.": "rnn.",
    "span_head.": "span_rep_layer.span_rep_layer.",
    "type_head.": "prompt_rep_layer.",
    "score_bias": "score_bias",
}
# official name -> ours; a head of ours alone keeps its name
OFFICIAL_SPAN_MODES = {"markerV0": "marker_v0", "marker": "marker"} | {
    name: name for name in ("conv_mean", "conv_sum", "conv_max", "conv_share", "query")
}
SPAN_MODES = OFFICIAL_SPAN_MODES | {name: name for name in SPAN_HEADS if name not in OFFICIAL_SPAN_MODES.values()}


def save_network(network: SpanScoringModel, folder: Path) -> None:
    """Writes the checkpoint; the weights last, so that an interrupted write cannot be opened."""
    folder.mkdir(parents=True, exist_ok=True)
    network.tokenizer.save_pretrained(folder)
    write_json(folder / "gliner_config.json", _config_to_json(network))
    weights = {official_name(key): value.detach().contiguous().cpu() for key, value in network.state_dict().items()}
    atomic_replace(folder / "model.safetensors", lambda path: save_file(weights, path, metadata={"format": "pt"}))


def official_name(key: str) -> str:
    """The published package's name of one of our weights."""
    for ours, theirs in PREFIXES.items():
        if key.startswith(ours):
            return theirs + key.removeprefix(ours)
    raise KeyError(key)


def _config_to_json(network: SpanScoringModel) -> dict[str, Any]:
    spec, tokenizer = network.spec, network.tokenizer
    official_mode = {ours: theirs for theirs, ours in SPAN_MODES.items()}.get(spec.span_mode, spec.span_mode)
    return {
        "model_type": "gliner_uni_encoder_span",
        "model_name": spec.backbone.location,
        "name": spec.backbone.name,
        "max_width": spec.max_width,
        "hidden_size": spec.hidden_size,
        "dropout": spec.dropout,
        "fine_tune": True,
        "subtoken_pooling": "first",
        "span_mode": official_mode,
        "num_rnn_layers": int(spec.rnn),
        "max_len": spec.max_words,
        "ent_token": ENT,
        "sep_token": SEP,
        "embed_ent_token": spec.embed_ent_token,
        "class_token_index": tokenizer.convert_tokens_to_ids(ENT),
        "vocab_size": network.encoder.get_input_embeddings().num_embeddings,
        "words_splitter_type": "whitespace",
        "score_bias": spec.score_bias,
        "encoder_config": network.encoder.config.to_dict(),
    }
