"""Encoders of two layers with random weights and a vocabulary of about 200 tokens, and what the tests build on them.

The folders are written by the tests themselves, so no test of the model needs the network or a real checkpoint.
"""

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModel, BertConfig, BertTokenizerFast, DebertaV2Config, PretrainedConfig

from gliner_core.examples import Example, Span
from gliner_core.model import SpanScoringModel
from gliner_core.spans import valid_cells
from gliner_core.spec import TrainSpec, spec_from_json

MAX_TOKENS = 96
PEOPLE = ("anna", "boris", "clara", "david", "elena", "felix")
CITIES = ("paris", "london", "berlin", "madrid", "oslo", "rome")
OTHERS = ("visited", "left", "saw", "from", "and", "the", "in", "person", "city", "river", "team", "award", ".")


SHAPE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}


def bert_config(vocab_size: int) -> PretrainedConfig:
    """Absolute positions: a window of MAX_TOKENS."""
    return BertConfig(vocab_size=vocab_size, max_position_embeddings=MAX_TOKENS, **SHAPE)


def deberta_config(vocab_size: int) -> PretrainedConfig:
    """The layout of deberta-v3, the paper's encoder: relative positions only, no segment embeddings."""
    relative = {"relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c", "c2p"]}
    shared = {"share_att_key": True, "norm_rel_ebd": "layer_norm", "position_buckets": 16, "type_vocab_size": 0}
    return DebertaV2Config(vocab_size=vocab_size, max_position_embeddings=MAX_TOKENS, **relative, **shared, **SHAPE)


# What the untrained models are asked: words in and out of the vocabulary, without sub-tokens, one long text, none.
LABELS = ["person", "big city", "river"]
TEXTS = [
    ["anna", "visited", "paris", "."],
    ["boris", "left", "rome-x", "and", "saw", "the", "river", "in", "oslo", "from", "berlin", ",", "madrid", "."],
    ["clara"],
    ["\x01", "david", "\x01", "london"],
    ["Unknown-word", "left", "\x01", "oslo"],
    ["the"],
]


def make_backbone(folder: Path, config: Callable[[int], PretrainedConfig] = bert_config) -> Path:
    """Writes the encoder and its tokenizer; the same weights at every call."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PEOPLE, *CITIES, *OTHERS]
    letters = string.ascii_lowercase + string.digits
    vocabulary += [*letters, *(f"##{letter}" for letter in letters), *"!?,;:-_()<>'\"@#$%&*+=/[]"]
    vocabulary += ["##ed", "##ing", "##er", "##s", *(f"w{number}" for number in range(60))]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(vocabulary)) + "\n", encoding="utf-8")
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"))
    tokenizer.save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AutoModel.from_config(config(len(tokenizer))).save_pretrained(folder)
    return folder


def tiny_spec(backbone: Path, **overrides: Any) -> TrainSpec:
    """A training spec on the tiny backbone; overrides are `model_hidden_size=...`, `optim_steps=...`, `seed=...`."""
    tree: dict[str, Any] = {
        "model": {
            "backbone": {"name": "tiny", "kind": "folder", "base": "folder", "location": str(backbone)},
            "hidden_size": 32,
            "max_width": 4,
            "dropout": 0.1,
        },
        "data": {"name": "toy"},
        "sampling": {},
        "objective": {},
        "optim": {"steps": 4, "batch_size": 4, "lr_encoder": 1e-3, "lr_others": 3e-3},
    }
    for key, value in overrides.items():
        section, _, name = key.partition("_")
        if name:
            tree[section][name] = value
        else:
            tree[section] = value
    return spec_from_json(tree)


def _sample_scores(network: SpanScoringModel) -> torch.Tensor:
    batch = network.prompts.encode(TEXTS, [LABELS] * len(TEXTS))
    scores = network(batch)
    spans = valid_cells(batch.num_words, batch.num_types, *scores.shape[1:])[..., 0]
    return scores[spans]


@torch.no_grad()
def tiny_network(backbone: Path, **overrides: Any) -> SpanScoringModel:
    """An untrained model in evaluation mode whose scores differ by span and type and lie on both sides of zero."""
    spec = tiny_spec(backbone, **overrides).model
    for seed in range(50):
        torch.manual_seed(seed)
        network = SpanScoringModel.from_spec(spec).eval()
        for weight in network.parameters():  # fresh weights are so small that all spans and types are alike
            if weight.dim() == 2:
                weight *= 0.25 / weight.std()
        scores = _sample_scores(network)
        shares = (scores > 0).float().mean(dim=0)  # per type
        if shares.min() > 0.15 and shares.max() < 0.85:
            for weight in network.type_head[3].parameters():
                weight *= 2 / scores.std()
            return network
    raise AssertionError("no seed gives scores on both sides of zero")


def toy_examples(count: int = 24) -> list[Example]:
    """Sentences `PERSON visited CITY .`, every type told by the word alone; some have no entity."""
    found = []
    for number in range(count):
        person, city = PEOPLE[number % 6], CITIES[(number * 5 + number // 6) % 6]
        if number % 6 == 5:
            words, spans = ("the", "team", "left", "."), ()
        else:
            words = (person, "visited", city, "and", "left", ".")
            spans = (Span(0, 0, "person"), Span(2, 2, "city"))
        found.append(Example(id=f"toy-{number}", words=words, spans=spans))
    return found
