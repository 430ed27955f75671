"""The public model: `GLiNER.from_pretrained`, `predict`, `save_pretrained`, in the official checkpoint format.

A checkpoint is a folder with gliner_config.json, model.safetensors (or pytorch_model.bin, read with weights_only) and
the tokenizer. Key names of both follow the published package, which opens what this module writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel, AutoTokenizer

from gliner_core.decode import Overlap
from gliner_core.device import choose_device
from gliner_core.encoder import add_prompt_tokens, loading
from gliner_core.errors import InputError
from gliner_core.files import read_json
from gliner_core.model import SpanScoringModel
from gliner_core.predict import best_spans, candidate_spans
from gliner_core.prompt import ENT
from gliner_core.saving import PREFIXES, SPAN_MODES, save_network
from gliner_core.spec import BackboneSpec, ModelSpec
from gliner_core.words import Words, join_words, split_text

FILES = ("*.json", "*.safetensors", "pytorch_model.bin", "*.model", "*.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One found entity; word indices inclusive, character range end-exclusive."""

    start: int
    end: int
    label: str
    score: float
    text: str
    char_start: int
    char_end: int


class GLiNER:
    """A trained model with its tokenizer."""

    def __init__(self, network: SpanScoringModel) -> None:
        self.network = network

    @classmethod
    def from_pretrained(
        cls,
        path_or_hub_id: str | Path,
        revision: str | None = None,
        device: str | None = None,
        dtype: torch.dtype | None = None,
    ) -> "GLiNER":
        """Opens a checkpoint folder or hub id. Raises `InputError` naming the file or the unsupported variant."""
        folder = Path(path_or_hub_id)
        if not folder.is_dir():
            with loading(f"model {path_or_hub_id}: no such folder, and as a hub id it"):
                folder = Path(snapshot_download(str(path_or_hub_id), revision=revision, allow_patterns=list(FILES)))
        network = _build(folder, read_json(folder / "gliner_config.json"))
        return cls(network.to(device=choose_device(device), dtype=dtype or torch.float32).eval())

    def predict(
        self,
        texts: Sequence[str | Sequence[str]],
        labels: Sequence[str],
        threshold: float = 0.5,
        flat: bool = True,
        multi_label: bool = False,
        batch_size: int = 8,
    ) -> list[list[Entity]]:
        """Entities per text, ordered by position. A text is a string (split into words) or a list of words.

        `flat=False` allows nested entities; `multi_label` allows several labels on one span.
        """
        split = [split_text(text) if isinstance(text, str) else join_words(list(text)) for text in texts]
        overlap: Overlap = (
            ("flat_multi_label" if flat else "multi_label") if multi_label else ("flat" if flat else "nested")
        )
        found = candidate_spans(
            self.network, [item.words for item in split], labels, floor=threshold, batch_size=batch_size
        )
        return [
            _entities(words, best_spans(candidates, threshold, overlap), labels)
            for words, candidates in zip(split, found, strict=True)
        ]

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes the checkpoint; the weights last, so that an interrupted write cannot be opened."""
        save_network(self.network, Path(folder))


def _entities(words: Words, best: Any, labels: Sequence[str]) -> list[Entity]:
    entities = []
    for start, end, label, score in zip(best.start, best.end, best.label, best.score, strict=True):
        first, last = words.offsets[start][0], words.offsets[end][1]
        entities.append(
            Entity(
                start=int(start),
                end=int(end),
                label=labels[label],
                score=float(score),
                text=words.text[first:last],
                char_start=first,
                char_end=last,
            )
        )
    return entities


def _ours(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    renamed = {}
    for key, value in weights.items():
        if not key.endswith("position_ids"):  # a buffer that older encoders saved
            ours, theirs = next((pair for pair in PREFIXES.items() if key.startswith(pair[1])), ("", ""))
            renamed[ours + key.removeprefix(theirs)] = value  # a foreign part keeps its name and is refused by it
    return renamed


def _build(folder: Path, config: Any) -> SpanScoringModel:
    _check_config(folder / "gliner_config.json", config)
    weights = _ours(_read_weights(folder))
    # The first released checkpoints hold no tokenizer; the published package then takes the backbone's.
    source = folder if (folder / "tokenizer_config.json").is_file() else config["model_name"]
    with loading(f"{folder}: the encoder or tokenizer ({config['model_name']})"):
        encoder = AutoModel.from_config(_encoder_config(config))
        tokenizer = AutoTokenizer.from_pretrained(source, use_fast=True)
    if ENT not in tokenizer.get_vocab():
        add_prompt_tokens(encoder, tokenizer)
    table = weights.get("encoder.embeddings.word_embeddings.weight")
    if table is not None and len(table) != encoder.get_input_embeddings().num_embeddings:
        encoder.resize_token_embeddings(len(table), mean_resizing=False)
    network = SpanScoringModel(_model_spec(config, weights), encoder, tokenizer)
    _check_weights(folder, network.state_dict(), weights)
    network.load_state_dict(weights, strict=False)
    return network


def _check_config(where: Path, config: Any) -> None:
    if not isinstance(config, Mapping) or "model_name" not in config:
        raise InputError(f"{where}: holds no `model_name`; give the folder of a GLiNER checkpoint")
    for key, supported in {"span_mode": tuple(SPAN_MODES), "subtoken_pooling": ("first",)}.items():
        if config.get(key, supported[0]) not in supported:
            known = ", ".join(supported)
            raise InputError(f"{where}: `{key}` {config[key]!r} is not supported; supported: {known}")


def _check_weights(folder: Path, own: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor]) -> None:
    missing = [key for key in own if key not in given and not key.startswith("encoder.pooler.")]
    foreign = [key for key in given if key not in own or given[key].shape != own[key].shape]
    if missing or foreign:
        raise InputError(
            f"{folder}: the weights do not fit gliner_config.json (first: {[*missing, *foreign][0]}); give a span "
            "model's folder with the files that were saved together"
        )


def _model_spec(config: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> ModelSpec:
    location = config["model_name"]
    backbone = BackboneSpec(name=config.get("name") or location, kind="hub", base="hub", location=location)
    return ModelSpec(
        backbone=backbone,
        hidden_size=config.get("hidden_size", 512),
        span_mode=SPAN_MODES[config.get("span_mode", "markerV0")],
        max_width=config.get("max_width", 12),
        max_words=config.get("max_len", 384),
        rnn=any(key.startswith("rnn.") for key in weights),
        embed_ent_token=config.get("embed_ent_token", True),
        dropout=config.get("dropout", 0.4),
        score_bias=config.get("score_bias"),
    )


def _encoder_config(config: Mapping[str, Any]) -> Any:
    stored = config.get("encoder_config")
    if not stored:
        return AutoConfig.from_pretrained(config["model_name"])
    stored = dict(stored)
    return AutoConfig.for_model(stored.pop("model_type"), **stored)


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
