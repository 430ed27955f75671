"""Equality with the published package `gliner`: the same folder gives the same scores and the same entities in both.

Needs the extra `peers` (gliner 0.2.29). The folders are small random models, so nothing is downloaded.
"""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_model import LABELS, TEXTS, tiny_network

from gliner_core import GLiNER
from gliner_core.predict import best_spans, candidate_spans
from gliner_core.spans import valid_cells

pytestmark = pytest.mark.skipif(
    find_spec("gliner") is None, reason="the published package is not installed; pip install 'gliner-bench[peers]'"
)

SHAPES: dict[str, dict[str, Any]] = {
    "deberta": {"model_hidden_size": 32, "model_max_width": 12},
    "width of the encoder": {"model_hidden_size": 32, "model_max_width": 4},
    "another width, K 12": {"model_hidden_size": 20, "model_max_width": 12},
    "no recurrent layer, words cut": {"model_max_width": 12, "model_rnn": False, "model_max_words": 5},
    "type vector after the marker": {"model_hidden_size": 20, "model_max_width": 4, "model_embed_ent_token": False},
}


@pytest.fixture(scope="module", params=SHAPES)
def pair(
    request: pytest.FixtureRequest, backbone: Path, deberta: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[GLiNER, Any]:
    """Our model and the package's, opened from the same folder."""
    import gliner

    folder = tmp_path_factory.mktemp("checkpoint")
    encoder = deberta if request.param == "deberta" else backbone
    GLiNER(tiny_network(encoder, **SHAPES[request.param])).save_pretrained(folder)
    theirs = gliner.GLiNER.from_pretrained(str(folder), local_files_only=True, map_location="cpu")
    return GLiNER.from_pretrained(folder, device="cpu"), theirs


def _their_batch(model: Any, texts: list[list[str]]) -> Any:
    rows = [{"tokenized_text": words, "ner": None} for words in texts]
    return model.collate_batch(rows, LABELS)


def _their_scores(model: Any, texts: list[list[str]]) -> torch.Tensor:
    return model.run_batch(_their_batch(model, texts))[0]


def _assert_equal_scores(ours: GLiNER, theirs: Any) -> None:
    encoded = ours.network.prompts.encode(TEXTS, [LABELS] * len(TEXTS))
    with torch.inference_mode():
        scores = ours.network(encoded)
    valid = valid_cells(encoded.num_words, encoded.num_types, *scores.shape[1:])
    reference = _their_scores(theirs, TEXTS)
    assert reference.shape == scores.shape
    torch.testing.assert_close(scores[valid], reference[valid], rtol=0, atol=1e-5)
    assert float(scores[valid].std()) > 0.5  # scores that are all alike would agree in any order


def test_scores_are_equal(pair: tuple[GLiNER, Any]) -> None:
    _assert_equal_scores(*pair)


def test_ids_are_equal(pair: tuple[GLiNER, Any]) -> None:
    ours, theirs = pair
    encoded = ours.network.prompts.encode(TEXTS, [LABELS] * len(TEXTS))
    assert torch.equal(encoded.input_ids, _their_batch(theirs, TEXTS)["input_ids"])


@pytest.mark.parametrize("overlap", ["flat", "nested", "multi_label"])
@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.8, 0.95])
def test_entities_are_equal(pair: tuple[GLiNER, Any], threshold: float, overlap: Any) -> None:
    ours, theirs = pair
    candidates = candidate_spans(ours.network, TEXTS, LABELS, floor=threshold)
    mine = [best_spans(found, threshold, overlap) for found in candidates]
    batch = _their_batch(theirs, TEXTS)
    decoded = theirs.decode_batch(
        theirs.run_batch(batch),
        batch,
        threshold=threshold,
        flat_ner=overlap == "flat",
        multi_label=overlap == "multi_label",
    )
    for found, reference in zip(mine, decoded, strict=True):
        rows = zip(found.start, found.end, found.label, strict=True)
        expected = [(span.start, span.end, span.entity_type) for span in reference]
        assert sorted((int(start), int(end), LABELS[label]) for start, end, label in rows) == sorted(expected)


def test_raw_text_gives_the_same_entities(pair: tuple[GLiNER, Any]) -> None:
    ours, theirs = pair
    texts = ["anna-x visited paris, (oslo).", "the  river\tin rome", ""]
    mine = ours.predict(texts, LABELS, threshold=0.3)
    reference = theirs.inference(texts, LABELS, threshold=0.3)
    keys = ("start", "end", "text", "label")
    assert [[(e.char_start, e.char_end, e.text, e.label) for e in row] for row in mine] == (
        [[tuple(entity[key] for key in keys) for entity in row] for row in reference]
    )
    scores = [entity.score for row in mine for entity in row]
    assert scores == pytest.approx([entity["score"] for row in reference for entity in row], abs=1e-5) and scores


def test_a_folder_saved_by_the_package_opens_here(pair: tuple[GLiNER, Any], tmp_path: Path) -> None:
    ours, theirs = pair
    theirs.save_pretrained(str(tmp_path))
    again = GLiNER.from_pretrained(tmp_path, device="cpu")
    _assert_equal_scores(again, theirs)
    mine, reference = ours.network.state_dict(), again.network.state_dict()
    assert all(torch.equal(mine[key], reference[key]) for key in mine)


def test_a_folder_of_ours_has_the_packages_keys(pair: tuple[GLiNER, Any], tmp_path: Path) -> None:
    ours, theirs = pair
    ours.save_pretrained(tmp_path)
    saved = {key: value.shape for key, value in load_file(tmp_path / "model.safetensors").items()}
    assert saved == {key: value.shape for key, value in theirs.model.state_dict().items()}
    known = theirs.config.to_dict()
    written = json.loads((tmp_path / "gliner_config.json").read_text())
    shared = ("max_width", "hidden_size", "span_mode", "max_len", "num_rnn_layers", "class_token_index", "vocab_size")
    assert all(written[key] == known[key] for key in shared)
