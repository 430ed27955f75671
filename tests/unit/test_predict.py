"""Prediction does not depend on batching, keeps the order of the texts, and maps words to characters."""

import json
import math
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import LABELS, MAX_TOKENS, PEOPLE, tiny_network, tiny_spec, toy_examples
from tiny_model import TEXTS as SAMPLE

from gliner_core import GLiNER
from gliner_core.errors import InputError
from gliner_core.examples import write_jsonl
from gliner_core.model import SpanScoringModel
from gliner_core.predict import SpanScores, _logit_below, best_spans, candidate_spans, main

TEXTS = [*SAMPLE[:2], [], *SAMPLE[2:]]
LONG = SAMPLE[1]


@pytest.fixture(scope="module")
def network(backbone: Path) -> SpanScoringModel:
    return tiny_network(backbone)


def _cells(found: SpanScores) -> dict[tuple[int, int, int], float]:
    rows = zip(found.start, found.end, found.label, found.score, strict=True)
    return {(int(start), int(end), int(label)): float(score) for start, end, label, score in rows}


@pytest.mark.parametrize("batch_size", [1, 2, 3, 6, 50])
def test_batching_and_padding_change_nothing_but_rounding(network: SpanScoringModel, batch_size: int) -> None:
    alone = [_cells(candidate_spans(network, [text], LABELS, floor=0.0)[0]) for text in TEXTS]
    together = candidate_spans(network, TEXTS, LABELS, floor=0.0, batch_size=batch_size)
    for text, one, many in zip(TEXTS, alone, map(_cells, together), strict=True):
        spans = [(i, i + k) for i, k in product(range(len(text)), range(4)) if i + k < len(text)]
        assert set(one) == set(many) == {(*span, label) for span in spans for label in range(len(LABELS))}
        assert all(many[cell] == pytest.approx(score, abs=1e-5) for cell, score in one.items())
    model = GLiNER(network)
    singly = [model.predict([text], LABELS, threshold=0.5)[0] for text in TEXTS]
    batched = model.predict(TEXTS, LABELS, threshold=0.5, batch_size=batch_size)
    assert [[(e.start, e.end, e.label) for e in row] for row in batched] == (
        [[(e.start, e.end, e.label) for e in row] for row in singly]
    )
    assert sum(map(len, batched)) > 5


def test_scores_are_the_models_probabilities(network: SpanScoringModel) -> None:
    encoded = network.prompts.encode([TEXTS[0]], [LABELS])
    with torch.inference_mode():
        scores = network(encoded).sigmoid()[0]
    found = _cells(candidate_spans(network, [TEXTS[0]], LABELS, floor=0.6)[0])
    expected = {
        (start, start + width, label): float(scores[start, width, label])
        for start, width, label in product(range(4), range(4), range(3))
        if start + width < 4 and scores[start, width, label] > 0.6
    }
    assert found == pytest.approx(expected)
    assert 0 < len(found) < len(_cells(candidate_spans(network, [TEXTS[0]], LABELS, floor=0.0)[0]))


def test_a_wider_or_narrower_grid_keeps_the_scores_it_shares(network: SpanScoringModel) -> None:
    narrow, usual, wide = (
        _cells(candidate_spans(network, [LONG], LABELS, floor=0.0, max_width=width)[0]) for width in (1, None, 20)
    )
    assert set(narrow) < set(usual) < set(wide) and len(wide) == 3 * 14 * 15 // 2
    assert {cell: wide[cell] for cell in usual} == pytest.approx(usual, abs=1e-6)
    assert {cell: wide[cell] for cell in narrow} == pytest.approx(narrow, abs=1e-6)


def test_a_threshold_is_strict() -> None:
    found = SpanScores(
        start=np.array([0, 1, 2]),
        end=np.array([0, 1, 2]),
        label=np.array([0, 0, 0]),
        score=np.array([0.5, 0.50001, 0.4], dtype=np.float32),
        lost_words=0,
    )
    assert best_spans(found, 0.5, "flat").start.tolist() == [1]


def test_the_model_is_left_in_the_mode_it_was_in(network: SpanScoringModel) -> None:
    network.train()
    first, second = (candidate_spans(network, [LONG], LABELS, floor=0.0)[0] for _ in range(2))
    assert network.training and np.array_equal(first.score, second.score)  # no dropout
    network.eval()


def test_characters_are_those_of_the_text(network: SpanScoringModel) -> None:
    text = "  anna-maria left\tparis, (the\nriver) !"
    entities = GLiNER(network).predict([text, ["clara", "oslo"]], LABELS, threshold=0.01)
    words = re.findall(r"\w+(?:[-_]\w+)*|\S", text)
    assert len(entities[0]) > 3 and entities[1]
    for entity in entities[0]:
        assert text[entity.char_start : entity.char_end] == entity.text
        assert re.findall(r"\w+(?:[-_]\w+)*|\S", entity.text) == words[entity.start : entity.end + 1]
    assert all("clara oslo"[entity.char_start : entity.char_end] == entity.text for entity in entities[1])
    assert entities[0] == sorted(entities[0], key=lambda entity: entity.start)


def test_flat_nested_and_multi_label(network: SpanScoringModel) -> None:
    model = GLiNER(network)

    def spans(**options: bool) -> list[tuple[int, int, str]]:
        found = model.predict([LONG], LABELS, threshold=0.05, **options)[0]
        return [(entity.start, entity.end, entity.label) for entity in found]

    flat, nested, multi = spans(), spans(flat=False), spans(flat=False, multi_label=True)
    words = [index for start, end, _ in flat for index in range(start, end + 1)]
    assert len(words) == len(set(words))
    places = [span[:2] for span in nested]
    assert len(places) == len(set(places)) > len(flat)
    crossing = [(a, b) for a in places for b in places if a[0] < b[0] <= a[1] < b[1]]
    assert crossing == []
    assert len(multi) > len({span[:2] for span in multi})


def test_an_empty_text_has_no_entity_and_no_texts_give_no_rows(network: SpanScoringModel) -> None:
    assert GLiNER(network).predict(["", [], "  "], LABELS, threshold=0.0) == [[], [], []]
    assert GLiNER(network).predict([], LABELS) == []
    assert len(candidate_spans(network, [[]], LABELS, floor=0.0)[0].score) == 0


def test_relative_positions_set_no_window(backbone: Path, deberta: Path) -> None:
    long = ["anna", "left", "oslo"] * 40
    lost = []
    for folder in (backbone, deberta):
        prompts = SpanScoringModel.from_spec(tiny_spec(folder).model).prompts
        lost.append(prompts.encode([long], [["person", "city"]]).lost_words[0])
    assert lost == [120 - (MAX_TOKENS - 7), 0]  # [CLS], two types with their markers, <<SEP>>, [SEP]


def test_lost_words_are_reported_per_text(backbone: Path) -> None:
    network = tiny_network(backbone, model_max_words=5)
    found = candidate_spans(network, TEXTS, LABELS, floor=0.0)
    assert [item.lost_words for item in found] == [0, 9, 0, 0, 0, 0, 0]
    assert found[1].end.max() == 4


def test_each_text_may_have_labels_of_its_own(network: SpanScoringModel) -> None:
    """The columns of a text are its own labels', also where another text of the batch has more of them."""
    labels = [LABELS[:1], LABELS, ["oslo", "team"], LABELS[::-1], ["city"], LABELS[1:], LABELS]
    alone = [
        _cells(candidate_spans(network, [text], own, floor=0.0)[0]) for text, own in zip(TEXTS, labels, strict=True)
    ]
    for batch_size in (2, 3, 7):
        together = candidate_spans(network, TEXTS, labels, floor=0.0, batch_size=batch_size)
        assert [_cells(found) for found in together] == [pytest.approx(cells, abs=1e-5) for cells in alone]
    with pytest.raises(InputError, match="7 texts"):
        candidate_spans(network, TEXTS, labels[:2], floor=0.0)


@pytest.mark.parametrize(
    "floor", [-0.1, 0.0, 1e-45, 1e-7, 1e-6, 2e-6, 0.05, 0.3, 0.5, 0.9, 0.999999, 1 - 1e-7, 1.0, 2.0]
)
def test_the_cut_in_logits_keeps_what_the_probabilities_keep(
    network: SpanScoringModel, monkeypatch: pytest.MonkeyPatch, floor: float
) -> None:
    """Logits are laid on and within some roundings of the floor, and at both saturated ends."""
    centre = math.log(floor) - math.log1p(-floor) if 0 < floor < 1 else 0.0
    near = torch.tensor(centre) + torch.arange(-40, 41) * max(abs(centre), 1.0) * 2.0**-24
    ends = torch.tensor([-200.0, -104.0, -88.8, -80.0, -20.0, 0.0, 13.8, 16.6, 17.4, 20.0, 90.0])
    logits = torch.cat([near, ends, torch.linspace(-30, 30, 52)]).reshape(1, 12, 4, 3)
    monkeypatch.setattr(SpanScoringModel, "forward", lambda self, batch, max_width: logits)
    found = _cells(candidate_spans(network, [["anna"] * 12], LABELS, floor=floor)[0])
    inside = [(i, k, c) for i, k, c in product(range(12), range(4), range(3)) if i + k < 12]
    cells = {(i, i + k, c): (float(logits[0, i, k, c].sigmoid()), logits[0, i, k, c]) for i, k, c in inside}
    kept = {cell for cell, (probability, _) in cells.items() if probability > floor}
    # torch's sigmoid itself differs by a rounding between the lanes of a vector and its tail.
    doubtful = {cell for cell, (_, x) in cells.items() if abs(x.double().sigmoid() - floor) < 2**-22 * abs(floor)}
    assert set(found) ^ kept <= doubtful and len(doubtful) < len(cells)
    assert found == pytest.approx({cell: cells[cell][0] for cell in found}, rel=1e-6, abs=0)
    cut = _logit_below(floor)
    assert cut == -math.inf or not (torch.full((64,), cut).sigmoid() > floor).any()


@pytest.mark.parametrize(
    "wrong", [{"batch_size": 0}, {"max_width": 0}, {"window_overlap": 3}, {"window_overlap": 5, "max_width": 6}]
)
def test_a_wrong_request_is_refused(network: SpanScoringModel, wrong: dict[str, int]) -> None:
    with pytest.raises(InputError, match="at least"):
        candidate_spans(network, [LONG], LABELS, floor=0.5, **wrong)


@pytest.mark.parametrize("labels", [[], ["city", "person", "city"]])
def test_labels_must_be_distinct(network: SpanScoringModel, labels: list[str]) -> None:
    for asked in (labels, [["city"], labels]):
        with pytest.raises(InputError, match="empty or hold a duplicate"):
            candidate_spans(network, [["anna"], ["oslo"]], asked, floor=0.5)


def test_the_command_line_writes_spans_or_says_what_is_wrong(
    network: SpanScoringModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    GLiNER(network).save_pretrained(tmp_path / "model")
    examples = toy_examples(6)
    write_jsonl(tmp_path / "data.jsonl", examples)
    usual = ["--data", str(tmp_path / "data.jsonl"), "--labels", "person, city", "--out", str(tmp_path / "out.jsonl")]
    assert main([str(tmp_path / "model"), *usual, "--threshold", "0.3", "--device", "cpu"]) == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == [example.id for example in examples]
    assert all(len(row["spans"]) == len(row["scores"]) and min(row["scores"], default=1) > 0.3 for row in rows)
    found = GLiNER(network).predict([list(example.words) for example in examples], ["person", "city"], threshold=0.3)
    assert [row["spans"] for row in rows] == [[[e.start, e.end, e.label] for e in row] for row in found]
    assert any(row["spans"] for row in rows) and rows[0]["words"][0] == PEOPLE[0]
    capsys.readouterr()
    for wrong in (
        ["--max-width", "0"],
        ["--window-overlap", "3"],
        ["--labels", "a,a"],
        ["--data", "absent.jsonl"],
        ["--device", "cuda:99"],
    ):
        assert main([str(tmp_path / "model"), *usual, *wrong]) == 2
        assert re.search(r"^error: .+$", capsys.readouterr().err, re.MULTILINE)
    assert main([str(tmp_path / "absent" / "model"), *usual]) == 2


def test_no_texts_give_nothing_and_an_error_leaves_the_mode(backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny_network(backbone)
    assert candidate_spans(network, [], [], floor=0.5) == candidate_spans(network, [], ["city"], floor=0.5) == []
    network.train()
    monkeypatch.setattr(network, "forward", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        candidate_spans(network, [["anna"]], ["city"], floor=0.5)
    assert network.training
