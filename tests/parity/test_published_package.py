"""Equality with the published package `gliner`: the same folder gives the same scores and the same entities in both.

Needs the extra `peers` (gliner 0.2.29). The models are small and random, so nothing is downloaded.
"""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from official import (
    LIMIT,
    OVERLAPS,
    SHAPES,
    TEXTS,
    Official,
    as_rows,
    assert_equal_scores,
    labels_of,
    make_official,
    our_scores,
    their_answer,
    their_batch,
    their_entities,
    write_backbones,
)
from safetensors.torch import load_file
from tiny_model import tiny_network

from gliner_core import GLiNER
from gliner_core.predict import SpanScores, best_spans, candidate_spans

pytestmark = pytest.mark.skipif(
    find_spec("gliner") is None, reason="the published package is not installed; pip install 'gliner-bench[peers]'"
)

OURS: dict[str, dict[str, Any]] = {
    "as trained here": {"model_hidden_size": 20, "model_max_width": 12, "model_max_words": LIMIT},
    "marker": {"model_hidden_size": 32, "model_max_width": 4, "model_span_mode": "marker", "model_rnn": False},
    "after the entity token": {"model_hidden_size": 20, "model_max_width": 8, "model_embed_ent_token": False},
    "shared convolution": {"model_span_mode": "conv_share", "model_max_width": 5},
    "query": {"model_span_mode": "query", "model_rnn": False},
    "mean": {"model_span_mode": "conv_mean", "model_hidden_size": 20},
    "sum": {"model_span_mode": "conv_sum", "model_rnn": False},
    "max": {"model_span_mode": "conv_max", "model_max_width": 12},
}


@pytest.fixture(scope="module")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_backbones(tmp_path_factory.mktemp("backbones"))


@pytest.fixture(scope="module", params=SHAPES)
def pair(
    request: pytest.FixtureRequest, backbones: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Official, GLiNER, Any]:
    """A shape, our model opened from the folder that the package wrote, and the package's model."""
    shape = SHAPES[request.param]
    theirs = make_official(shape, backbones)
    folder = tmp_path_factory.mktemp("checkpoint")
    theirs.save_pretrained(str(folder), safe_serialization=shape.num_types != 1)  # the others are pytorch_model.bin
    return shape, GLiNER.from_pretrained(folder, device="cpu"), theirs


def test_scores_are_equal(pair: tuple[Official, GLiNER, Any]) -> None:
    shape, ours, theirs = pair
    assert_equal_scores(ours, theirs, TEXTS, labels_of(shape))
    for text in TEXTS:  # alone, without padding
        assert_equal_scores(ours, theirs, [text], labels_of(shape))


def test_ids_are_equal(pair: tuple[Official, GLiNER, Any]) -> None:
    shape, ours, theirs = pair
    encoded = our_scores(ours, TEXTS, labels_of(shape))[0]
    assert torch.equal(encoded.input_ids, their_batch(theirs, TEXTS, labels_of(shape))["input_ids"])


@pytest.fixture(scope="module")
def answers(pair: tuple[Official, GLiNER, Any]) -> tuple[list[str], list[SpanScores], Any]:
    """The labels, our candidates and the package's answer to the same texts."""
    shape, ours, theirs = pair
    texts, labels = [text for text in TEXTS if text], labels_of(shape)
    return labels, candidate_spans(ours.network, texts, labels, floor=0.1), their_answer(theirs, texts, labels)


@pytest.mark.parametrize("overlap", OVERLAPS)
@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.8, 0.95])
def test_entities_are_equal(
    pair: tuple[Official, GLiNER, Any], answers: tuple[list[str], list[SpanScores], Any], threshold: float, overlap: Any
) -> None:
    labels, found, answer = answers
    mine = [as_rows(best_spans(candidates, threshold, overlap), labels) for candidates in found]
    assert mine == their_entities(pair[2], answer, threshold, overlap)
    assert any(mine) or threshold > 0.5


def test_raw_text_and_repeated_labels_give_the_same_entities(pair: tuple[Official, GLiNER, Any]) -> None:
    shape, ours, theirs = pair
    texts = [
        "anna-x visited paris, (oslo).",
        "the  river\tin rome",
        "",
        " ",
        "\u65e5\u672c, cafe\u0301 \U0001f642 felix",
    ]
    labels = [*labels_of(shape), "person", labels_of(shape)[-1]]
    mine = ours.predict(texts, labels, threshold=0.3)
    reference = theirs.inference(texts, labels, threshold=0.3)
    keys = ("start", "end", "text", "label")
    assert [[(e.char_start, e.char_end, e.text, e.label) for e in row] for row in mine] == (
        [[tuple(entity[key] for key in keys) for entity in row] for row in reference]
    )
    scores = [entity.score for row in mine for entity in row]
    assert scores == pytest.approx([entity["score"] for row in reference for entity in row], abs=1e-5) and scores


def test_a_model_that_was_opened_and_saved_opens_in_the_package(
    pair: tuple[Official, GLiNER, Any], tmp_path: Path
) -> None:
    import gliner

    shape, ours, theirs = pair
    ours.save_pretrained(tmp_path)
    again = gliner.GLiNER.from_pretrained(str(tmp_path), local_files_only=True, map_location="cpu")
    assert_equal_scores(ours, again, TEXTS, labels_of(shape))
    before, after = theirs.model.state_dict(), again.model.state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[key], after[key]) for key in before)
    kept = ("max_width", "max_len", "dropout", "hidden_size", "span_mode", "num_rnn_layers", "embed_ent_token")
    for key in (*kept, "class_token_index", "vocab_size", "model_name", "name", "ent_token", "sep_token"):
        assert getattr(again.config, key) == getattr(theirs.config, key), key
    assert again.data_processor.transformer_tokenizer.get_vocab() == (
        theirs.data_processor.transformer_tokenizer.get_vocab()
    )


@pytest.mark.parametrize("knobs", OURS)
def test_a_model_of_ours_opens_in_the_package(knobs: str, deberta: Path, tmp_path: Path) -> None:
    import gliner

    ours = GLiNER(tiny_network(deberta, **OURS[knobs]))
    ours.save_pretrained(tmp_path)
    theirs = gliner.GLiNER.from_pretrained(str(tmp_path), local_files_only=True, map_location="cpu")
    assert_equal_scores(ours, theirs, TEXTS, ["person", "big city", "river"])
    saved = {key: value.shape for key, value in load_file(tmp_path / "model.safetensors").items()}
    assert saved == {key: value.shape for key, value in theirs.model.state_dict().items()}
    known, written = theirs.config.to_dict(), json.loads((tmp_path / "gliner_config.json").read_text())
    shared = ("max_width", "hidden_size", "span_mode", "max_len", "num_rnn_layers", "class_token_index", "vocab_size")
    assert all(written[key] == known[key] for key in shared)


@pytest.mark.parametrize("generation", ["v2.1", "0.2.5", "indices unknown"])
def test_older_folders_open_as_in_the_package(generation: str, backbones: dict[str, Path], tmp_path: Path) -> None:
    import gliner

    shape = SHAPES["deberta, sentence pieces"]
    make_official(shape, backbones).save_pretrained(str(tmp_path))
    path = tmp_path / "gliner_config.json"
    config = json.loads(path.read_text())
    shared = ("model_name", "name", "max_width", "hidden_size", "dropout", "span_mode", "max_len", "subtoken_pooling")
    old = {key: config[key] for key in shared if key in config}
    old |= {"max_width": 8, "hidden_size": 32, "max_len": LIMIT, "fine_tune": True, "num_steps": 30000, "size_sup": -1}
    old |= {"max_types": 25, "shuffle_types": True, "random_drop": True, "max_neg_type_ratio": 1, "lr_others": "5e-5"}
    if generation != "v2.1":
        known = {key: config[key] for key in ("class_token_index", "vocab_size")}
        unknown = dict.fromkeys(known, -1)
        old |= {"has_rnn": True, "encoder_config": None, **(unknown if generation == "indices unknown" else known)}
    path.write_text(json.dumps(old))
    if generation != "0.2.5":  # a folder of that time holds no tokenizer
        for tokenizer in tmp_path.glob("*token*"):
            tokenizer.unlink()
    theirs = gliner.GLiNER.from_pretrained(str(tmp_path), local_files_only=True, map_location="cpu")
    assert_equal_scores(GLiNER.from_pretrained(tmp_path, device="cpu"), theirs, TEXTS, labels_of(shape))
