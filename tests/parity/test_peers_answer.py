"""Peer packages as systems: their prediction files against ours, and against what the package itself returns."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from official import LIMIT, their_entities, write_backbones
from tiny_model import LABELS, TEXTS, make_backbone, tiny_network

from benchmarks.catalog.cards import DatasetCard, ProtocolCard, SystemCard
from benchmarks.catalog.decoding import Decoding
from benchmarks.scoring.answer import FLOOR, answer_cell, max_width_of, open_answerer
from benchmarks.scoring.predictions import Predictions, read_predictions
from benchmarks.scoring.protocol import predicted_spans
from gliner_core import GLiNER
from gliner_core.files import atomic_write

needs_gliner = pytest.mark.skipif(
    find_spec("gliner") is None, reason="the published package is not installed; pip install 'gliner-bench[peers]'"
)
needs_gliner2 = pytest.mark.skipif(
    find_spec("gliner2") is None or find_spec("peft") is None,
    reason="the packages gliner2 and peft are not installed; pip install 'gliner-bench[gliner2]'",
)
WORDS = [*TEXTS, [], ["New York", "\u00a0", "rome"], ["oslo"] * (LIMIT + 5)]
ASKED = Decoding(ask_else=True)


def dataset(folder: Path, labels: list[str]) -> tuple[DatasetCard, Path]:
    card = DatasetCard(
        name="toy", title="Toy", domain="toy", licence="none", reader="jsonl", labels=labels,
        sources={"test": [{"path": "x", "hub": "x", "revision": "x"}]},
    )  # fmt: skip
    with atomic_write(folder / "test.jsonl") as stream:
        for number, words in enumerate(WORDS):
            stream.write(json.dumps({"id": f"toy/{number}", "words": words, "spans": []}) + "\n")
    return card, folder / "test.jsonl"


def answered(
    source: Path | SystemCard, folder: Path, labels: list[str], batch_size: int = 4
) -> tuple[Any, Predictions, Path]:
    card, data = dataset(folder, labels)
    answerer, out = open_answerer(source, "cpu"), folder / "predictions.jsonl"
    answer_cell(answerer, card, data, ASKED, out, batch_size=batch_size)
    return answerer, read_predictions(out), out


def as_dict(found: Any) -> dict[tuple[int, int, int], float]:
    columns = (found.start, found.end, found.label)
    return dict(zip(zip(*(column.tolist() for column in columns), strict=True), found.score.tolist(), strict=True))


@needs_gliner
@pytest.mark.parametrize("overlap", ["flat", "nested"])
def test_the_package_answers_as_we_do(deberta: Path, tmp_path: Path, overlap: Any) -> None:
    model = tmp_path / "model"
    GLiNER(tiny_network(deberta, model_max_words=LIMIT)).save_pretrained(model)
    theirs, reference, out = answered(
        SystemCard(name="x", title="x", kind="gliner_package", folder=str(model)), tmp_path, LABELS
    )
    assert '"selection": "all_candidates"' in out.read_text().split("\n")[0]
    ours, mine, _ = answered(model, tmp_path, LABELS)
    assert max_width_of(theirs, ASKED) == max_width_of(ours, ASKED) == 4
    assert sum(len(sentence.start) for sentence in mine.sentences) > 50
    for one, other in zip(mine.sentences, reference.sentences, strict=True):
        assert (one.id, one.num_words, one.lost_words) == (other.id, other.num_words, other.lost_words)
        assert as_dict(one) == pytest.approx(as_dict(other), abs=1e-5)
        order = np.lexsort((other.label, other.end, other.start))
        assert order.tolist() == list(range(len(order)))
    assert mine.sentences[-1].lost_words == 5
    protocol = ProtocolCard(name="p", title="p", ask_else=True, score_else=True, threshold=0.5, overlap=overlap)
    card = dataset(tmp_path, LABELS)[0]
    entities = [list(map(sorted, predicted_spans(protocol, card, file))) for file in (mine, reference)]
    assert entities[0] == entities[1] and any(entities[0])


@needs_gliner
def test_a_model_without_a_span_grid_is_decoded_by_the_package(tmp_path: Path) -> None:
    import gliner

    labels, backbone = LABELS, write_backbones(tmp_path / "backbones")["bert"]
    keys = {"model_name": str(backbone), "span_mode": "token_level", "hidden_size": 32, "max_len": LIMIT, "name": "x"}
    torch.manual_seed(3)
    tokens = gliner.GLiNER.from_config(keys, backbone_from_pretrained=False).eval()
    with torch.no_grad():
        for weight in tokens.model.parameters():
            if weight.dim() == 2:
                weight *= 0.5 / weight.std()
    tokens.save_pretrained(str(tmp_path / "model"))
    system = SystemCard(name="x", title="x", kind="gliner_package", folder=str(tmp_path / "model"))
    _, found, out = answered(system, tmp_path, labels)
    assert '"selection": "decoded_by_peer"' in out.read_text().split("\n")[0]
    texts = [words for words in WORDS if words]
    batch = tokens.collate_batch(tokens.prepare_base_input([list(words) for words in texts]), labels)
    reference = their_entities(tokens, (batch, tokens.run_batch(batch, threshold=FLOOR)), FLOOR, "flat")
    mine = [sorted(as_dict(sentence)) for sentence in found.sentences if sentence.num_words]
    assert [[(start, end, labels[label]) for start, end, label in row] for row in mine] == reference
    assert any(reference)


@needs_gliner2
@pytest.mark.parametrize("architecture", ["span", "boundary"])
def test_gliner2_gives_every_span_above_the_floor(architecture: str, tmp_path: Path) -> None:
    """The sum over widths and labels of its own answer to the same words, asked text by text."""
    from gliner2 import AutoExtractor
    from gliner2.configuration import ExtractorConfig

    width = {"max_width": 4} if architecture == "span" else {}
    torch.manual_seed(0)
    config = ExtractorConfig(model_name=str(make_backbone(tmp_path / "b")), architecture=architecture, **width)
    model = AutoExtractor.from_config(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 2:
                weight *= 0.3 / weight.std()
    model.save_pretrained(str(tmp_path / "model"))
    system = SystemCard(name="x", title="x", kind="gliner2", folder=str(tmp_path / "model"))
    answerer, found, _ = answered(system, tmp_path, LABELS, batch_size=3)
    assert max_width_of(answerer, ASKED) == (4 if architecture == "span" else 10_000)
    total = 0
    for words, sentence in zip(WORDS, found.sentences, strict=True):
        if not words or " " in "".join(words) or "\u00a0" in words or "-" in "".join(words):
            continue  # its own splitter would read other words
        answer = model.extract_entities(
            " ".join(words),
            LABELS,
            threshold=FLOOR,
            include_confidence=True,
            include_spans=True,
            overlap_policy="allow",
        )
        texts = {
            (LABELS.index(label), span["text"], round(span["confidence"], 4))
            for label, spans in answer["entities"].items()
            for span in spans
            if span["end"] <= len(" ".join(words))  # the package adds a full stop to a text without one
        }
        mine = {
            (label, " ".join(words[start : end + 1]), round(score, 4))
            for (start, end, label), score in as_dict(sentence).items()
        }
        assert mine == texts
        total += len(mine)
    assert total > 10 or architecture == "boundary"  # a random boundary model proposes almost nothing
