"""Random models made with the published package's own classes, the texts they are asked, and what both sides answer.

Nothing of ours makes these models: a fault that our saving and our opening share cannot hide here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tiny_model import CITIES, OTHERS, PEOPLE, SHAPE, deberta_config, make_backbone
from transformers import BertConfig, DebertaV2Tokenizer

from gliner_core import GLiNER
from gliner_core.predict import SpanScores
from gliner_core.prompt import EncodedBatch
from gliner_core.spans import valid_cells

LIMIT = 20  # words; the longest text has more
OVERLAPS: dict[str, dict[str, bool]] = {  # our name -> the package's options
    "flat": {"flat_ner": True, "multi_label": False},
    "nested": {"flat_ner": False, "multi_label": False},
    "multi_label": {"flat_ner": False, "multi_label": True},
    "flat_multi_label": {"flat_ner": True, "multi_label": True},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Official:
    """One shape: which encoder and tokenizer, how many types, and what stands in the configuration."""

    backbone: str
    num_types: int
    keys: dict[str, Any]


SHAPES: dict[str, Official] = {
    "bert, 1 type": Official(backbone="bert", num_types=1, keys={"hidden_size": 32, "max_width": 4}),
    "bert, projected, marker, 10 types": Official(
        backbone="bert", num_types=10, keys={"hidden_size": 20, "max_width": 8, "span_mode": "marker"}
    ),
    "bert, after the entity token, no rnn": Official(
        backbone="bert",
        num_types=10,
        keys={"hidden_size": 48, "max_width": 12, "num_rnn_layers": 0, "embed_ent_token": False},
    ),
    "deberta, 60 types": Official(backbone="deberta", num_types=60, keys={"hidden_size": 32, "max_width": 12}),
    "deberta, projected, marker, no rnn": Official(
        backbone="deberta",
        num_types=10,
        keys={"hidden_size": 20, "max_width": 4, "span_mode": "marker", "num_rnn_layers": 0},
    ),
    "bert, query, no rnn": Official(
        backbone="bert",
        num_types=10,
        keys={"hidden_size": 32, "max_width": 4, "span_mode": "query", "num_rnn_layers": 0},
    ),
    "bert, projected, shared convolution": Official(
        backbone="bert", num_types=10, keys={"hidden_size": 20, "max_width": 8, "span_mode": "conv_share"}
    ),
    "bert, mean, no rnn": Official(
        backbone="bert",
        num_types=10,
        keys={"hidden_size": 32, "max_width": 4, "span_mode": "conv_mean", "num_rnn_layers": 0},
    ),
    "deberta, sum": Official(
        backbone="deberta", num_types=10, keys={"hidden_size": 32, "max_width": 4, "span_mode": "conv_sum"}
    ),
    "deberta, projected, max": Official(
        backbone="deberta", num_types=10, keys={"hidden_size": 20, "max_width": 12, "span_mode": "conv_max"}
    ),
    "deberta, sentence pieces": Official(backbone="pieces", num_types=10, keys={"hidden_size": 32, "max_width": 8}),
    "deberta, sentence pieces, no FLERT": Official(
        backbone="pieces without FLERT", num_types=10, keys={"hidden_size": 20, "max_width": 12}
    ),
}
TEXTS = [
    [],
    ["clara"],
    ["anna", "visited", "paris", "."],
    ["boris", "left", "rome-x", "and", "saw", "the", "river", "in", "oslo", "from", "berlin", ",", "madrid", "."],
    ["the", "team", "from", "london", "left", "and", "david", "saw"] * 4,
    ["\x01", "david", "\x01", "\x02", "london", "\u200b"],
    [
        "e\u0301lena",
        "cafe\u0301",
        "\u65e5\u672c",
        "\u6771\u4eac\u90fd",
        "\U0001f642",
        "felix\U0001f468\u200d\U0001f469",
    ],
    [
        "\u05e9\u05dc\u05d5\u05dd",
        "\u0645\u062f\u064a\u0646\u0629",
        "\u0939\u093f\u0928\u094d\u0926\u0940",
        "\u00c5ngstr\u00f6m",
    ],
    ["\ufeff", "the"],
]


def labels_of(shape: Official) -> list[str]:
    """As many type names as the shape asks for; some have several words, one is in another script."""
    names = ["person", "big city", "river", "award-winning team", "\u90fd\u5e02", *(f"w{index}" for index in range(60))]
    return names[: shape.num_types]


def write_backbones(folder: Path) -> dict[str, Path]:
    """Folders of the encoders with their tokenizers."""

    def wide_bert(vocab_size: int) -> BertConfig:  # 60 types and a text need more positions than the tiny BERT has
        return BertConfig(vocab_size=vocab_size, max_position_embeddings=512, **SHAPE)

    found = {
        "bert": make_backbone(folder / "bert", wide_bert),
        "deberta": make_backbone(folder / "deberta", deberta_config),
    }
    for name in ("pieces", "pieces without FLERT"):
        tokenizer = _sentence_pieces()
        if name != "pieces":
            tokenizer.add_tokens(["<<ENT>>", "<<SEP>>"], special_tokens=True)
        found[name] = make_backbone(folder / name, deberta_config)
        for path in (*found[name].glob("*token*"), found[name] / "vocab.txt"):
            path.unlink()
        tokenizer.save_pretrained(found[name])
    return found


def _sentence_pieces() -> DebertaV2Tokenizer:
    pieces = [f"\u2581{word}" for word in (*PEOPLE, *CITIES, *OTHERS)]
    pieces += list("abcdefghijklmnopqrstuvwxyz\u2581-,.0123456789")
    specials = [(token, 0.0) for token in ("[PAD]", "[CLS]", "[SEP]", "[UNK]")]
    return DebertaV2Tokenizer(vocab=specials + [(piece, -1.0) for piece in dict.fromkeys(pieces)])


@torch.no_grad()
def make_official(shape: Official, backbones: dict[str, Path]) -> Any:
    """An untrained model of the package in evaluation mode with scores on both sides of zero."""
    import gliner

    labels = labels_of(shape)
    backbone = backbones[shape.backbone]
    keys = {"model_name": str(backbone), "max_len": LIMIT, "dropout": 0.3, "name": "random", **shape.keys}
    if shape.backbone == "pieces without FLERT":
        size = len(DebertaV2Tokenizer.from_pretrained(backbone))
        keys |= {"class_token_index": size - 2, "vocab_size": size}
    for seed in range(100):
        torch.manual_seed(seed)
        model = gliner.GLiNER.from_config(keys, backbone_from_pretrained=False)
        for name, weight in model.model.named_parameters():  # fresh weights are so small that all spans are alike
            if weight.dim() == 2 and "LayerNorm" not in name:
                weight *= 0.25 / weight.std()
        scores = their_scores(model, TEXTS, labels)
        share = float((scores > 0).float().mean())
        if 0.2 < share < 0.8:
            # Beyond 13.8 the package's loss rounds: it keeps probabilities away from 0 and 1 by 1e-6.
            factor = min(2 / scores.std(), 5 / scores.abs().max())
            for weight in model.model.prompt_rep_layer[3].parameters():
                weight *= factor
            return model.eval()
    raise AssertionError("no seed gives scores on both sides of zero")


def their_batch(model: Any, texts: list[list[str]], labels: list[str]) -> Any:
    """The package's own collation of word lists."""
    return model.collate_batch([{"tokenized_text": words, "ner": None} for words in texts], labels)


def their_scores(model: Any, texts: list[list[str]], labels: list[str]) -> torch.Tensor:
    """Scores [B, L, K, C] of the package."""
    return model.run_batch(their_batch(model, texts, labels))[0]


def our_scores(model: GLiNER, texts: list[list[str]], labels: list[str]) -> tuple[EncodedBatch, torch.Tensor]:
    """Our batch and its scores [B, L, K, C]."""
    encoded = model.network.prompts.encode(texts, [labels] * len(texts))
    with torch.inference_mode():
        return encoded, model.network(encoded)


def assert_equal_scores(ours: GLiNER, theirs: Any, texts: list[list[str]], labels: list[str]) -> None:
    """All valid cells within 1e-5."""
    encoded, scores = our_scores(ours, texts, labels)
    valid = valid_cells(encoded.num_words, encoded.num_types, *scores.shape[1:])
    reference = their_scores(theirs, texts, labels)
    assert reference.shape == scores.shape
    torch.testing.assert_close(scores[valid], reference[valid], rtol=0, atol=1e-5)


def their_answer(model: Any, texts: list[list[str]], labels: list[str], scores: torch.Tensor | None = None) -> Any:
    """What the package decodes: its batch and its output; given scores take the place of its own."""
    batch = their_batch(model, texts, labels)
    output = model.run_batch(batch)
    if scores is not None:
        output.logits = scores
    return batch, output


def their_entities(model: Any, answer: Any, threshold: float, overlap: str) -> list[list[tuple[Any, ...]]]:
    """(start, end, label) per text, sorted, as the package decodes an answer."""
    batch, output = answer
    decoded = model.decode_batch(output, batch, threshold=threshold, **OVERLAPS[overlap])
    return [sorted((span.start, span.end, span.entity_type) for span in spans) for spans in decoded]


def as_rows(found: SpanScores, labels: list[str]) -> list[tuple[Any, ...]]:
    """(start, end, label) of our spans, sorted."""
    return sorted((int(s), int(e), labels[c]) for s, e, c in zip(found.start, found.end, found.label, strict=True))
