"""Ways of asking: decodings by name, orders, wordings and windows, from the card to the prompt and back."""

import json
from pathlib import Path
from typing import Any

import pytest
from answered_samples import DECODINGS, STUDY, robust_space
from catalog_support import SHA, write_repository
from test_protocol import music, predictions, protocol
from tiny_model import PEOPLE, make_backbone, tiny_network

from benchmarks.catalog.decoding import Decoding, with_own_width
from benchmarks.catalog.registry import load_registry, parse
from benchmarks.catalog.wording import WordingCard
from benchmarks.corpora.wording import prepare_wording
from benchmarks.scoring.answer import Answerer, answer_cell
from benchmarks.scoring.asking import answers, ask, wording_for
from benchmarks.scoring.predictions import read_predictions
from benchmarks.scoring.protocol import predicted_spans
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, write_jsonl
from gliner_core.pretrained import GLiNER

ROOT = Path(__file__).resolve().parents[2]
LONG = [f"label {number}" for number in range(12)]


def test_named_decodings_are_asked_of_the_baselines_runs_alone(tmp_path: Path) -> None:
    grid = robust_space(tmp_path, DECODINGS | {"k": {"max_width": 3}}).grid
    rows = grid.study_rows(STUDY)
    assert [row.variant for row in rows][::2] == ["baseline", *DECODINGS, "k"]  # two seeds each
    assert len(grid.runs) == 2 and {row.owner for row in rows} == set(grid.runs)
    assert [row.decoding for row in rows][::2] == ["default", "reversed", "lower", "wording-other", "w5", "k3"]
    assert rows[2].label == "order reversed"


def test_a_named_decoding_may_be_for_some_scales_only(tmp_path: Path) -> None:
    decodings = {"here": {"max_words": {"tiny": 4}}, "there": {"max_words": {"paper": 4}}}
    rows = robust_space(tmp_path, decodings).grid.study_rows(STUDY)
    assert [row.variant for row in rows][::2] == ["baseline", "here"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label_order": "shuffled9"}, "decoding axis `label_order` cannot be 'shuffled9'; give one of card, sorted"),
        ({"label_case": None}, "decoding axis `label_case` cannot be None"),
        ({"max_words": 0}, "decoding axis `max_words` cannot be 0; give a whole number of at least 1"),
        ({"max_width": True}, "decoding axis `max_width` cannot be True"),
        ({"ask_else": 1}, "decoding axis `ask_else` cannot be 1; give true or false"),
        ({"threshold": 0.3}, "unknown decoding axis `threshold`; known: ask_else"),
        ({"label_wording": "poem"}, "`label_wording` names 'poem', which is not among the wordings"),
        ({"label_wording": {"tiny": "poem"}}, "`label_wording` names 'poem', which is not among the wordings"),
    ],
)
def test_a_value_that_no_decoding_takes_is_refused_at_the_start(
    changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as error:
        robust_space(tmp_path, {"odd": changes})
    assert said in str(error.value) and f"benchmarks/studies/{STUDY}.yaml" in str(error.value)


def test_the_models_own_width_needs_no_cell_of_its_own() -> None:
    assert with_own_width(Decoding(max_width=12, label_case="lower"), 12) == Decoding(label_case="lower")
    assert with_own_width(Decoding(max_width=4), 12) == Decoding(max_width=4)


def test_shuffled_orders_are_fixed_permutations_of_their_own_for_each_dataset() -> None:
    card = music(labels=LONG, else_label=None)
    orders = [ask(protocol("gliner-fixed", label_order=f"shuffled{number}"), card) for number in (1, 2, 3)]
    assert len({tuple(LONG), *orders}) == 4
    assert all(sorted(order) == sorted(LONG) for order in orders)
    other = ask(protocol("gliner-fixed", label_order="shuffled1"), music(labels=LONG, else_label=None, name="other"))
    assert other != orders[0]
    assert orders[0][:1] + orders[0][2:3] == ("label 11", "label 10")  # the draw is part of every released number


def test_a_wording_replaces_labels_and_answers_come_back_as_labels_of_the_card() -> None:
    card = music()
    wording = wording_for(card, {"song": "piece of music", "tv show": "series", "film": "movie"})
    assert wording == {"song": "piece of music", "TV show": "series"}  # exact label first, then its lower-case form
    title = protocol("gliner-fixed", label_case="title", label_order="reversed")
    assert answers(title, card, wording) == {
        "Organization": "organization", "Else": "else", "Series": "TV show", "Piece Of Music": "song",
    }  # fmt: skip
    answered = predictions(ask(title, card, wording), [(0, 0, 2, 0.9), (3, 4, 3, 0.8)])
    with pytest.raises(InputError, match="predict again with the labels of the protocol"):
        predicted_spans(title, card, answered)
    answered.wording.update(wording)
    assert predicted_spans(title, card, answered) == [(Span(0, 0, "TV show"), Span(3, 4, "song"))]


def test_two_labels_in_the_same_words_are_refused() -> None:
    with pytest.raises(InputError, match=r"'song' and 'TV show' are both asked as 'work' .* of a wording; rename one"):
        ask(protocol("gliner-fixed"), music(), {"song": "work", "TV show": "work"})
    with pytest.raises(InputError, match="both asked as 'organization'"):  # a text may meet a label that stays
        ask(protocol("gliner-fixed"), music(), {"song": "organization"})


@pytest.mark.parametrize("name", ["synonym", "definition"])
@pytest.mark.parametrize("suite", ["ood", "ood_author", "demo_ood"])
def test_our_wordings_cover_every_label_of_the_suites_and_change_it(name: str, suite: str) -> None:
    registry = load_registry(ROOT)
    texts = registry.wordings[name].texts
    for dataset in registry.suite_datasets(suite):
        card = registry.datasets[dataset]
        wording = wording_for(card, texts)
        assert list(wording) == list(card.labels)
        asked = ask(registry.protocols["gliner-official"], card, wording)
        assert not {text.lower() for text in asked} & {label.lower() for label in card.labels}, dataset
        assert all(len(text.split()) <= 12 for text in asked)


def _wording(**keys: Any) -> WordingCard:
    return parse(WordingCard, {"name": "w", "title": "W", "licence": "MIT"} | keys, "w.yaml")


SOURCE = {"repo": "a/b", "commit": "0" * 40, "path": "x.json", "sha256": SHA}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "give either `texts` or `source`"),
        ({"texts": {"a": "b"}, "source": SOURCE, "reader": "slimer"}, "give either `texts` or `source`"),
        ({"source": SOURCE}, "`source` needs a `reader`"),
        ({"texts": {"a": "b"}, "reader": "slimer"}, "a `reader` needs a `source`"),
        ({"texts": {"a": " "}}, "`texts` gives 'a' no words"),
    ],
)
def test_a_wording_card_has_one_origin(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as error:
        _wording(**keys)
    assert said in str(error.value)


def test_definitions_are_read_as_slimer_writes_them(tmp_path: Path) -> None:
    card = _wording(source=SOURCE, reader="slimer")
    record = {
        "named_entity": "film",
        "gpt_answer": json.dumps({"Definition": " a moving\npicture ", "Guidelines": "-"}),
    }
    raw, out = tmp_path / "raw.json", tmp_path / "w.json"
    raw.write_text(json.dumps({"film": record}))
    prepare_wording(card, raw, out)
    assert json.loads(out.read_text()) == {"film": "a moving picture"}
    for broken in ([1], {"film": {}}, {"film": {"gpt_answer": "no JSON"}}, {"film": {"gpt_answer": "[1]"}}):
        raw.write_text(json.dumps(broken))
        with pytest.raises(InputError, match=r"wordings/w\.yaml: .*raw\.json is no file of definitions"):
            prepare_wording(card, raw, out)


def test_a_window_in_words_is_the_text_cut_beforehand(tmp_path: Path) -> None:
    network = tiny_network(make_backbone(tmp_path / "encoder"))
    asker = Answerer(name="tiny", model=GLiNER(network), device="cpu", seed=0)
    card = music(labels=["person", "big city", "else"])
    words = [(*PEOPLE, "visited", "paris"), ("anna", "left"), (*PEOPLE[:4],)]
    for name, limit in (("whole", None), ("cut", 4)):
        write_jsonl(
            tmp_path / f"{name}.jsonl", [Example(id=f"{n}", words=text[:limit]) for n, text in enumerate(words)]
        )
    cost = answer_cell(asker, card, tmp_path / "whole.jsonl", Decoding(max_words=4), tmp_path / "limited")
    usual = answer_cell(asker, card, tmp_path / "cut.jsonl", Decoding(), tmp_path / "short")
    assert (cost["lost_words"], cost["sentences_cut"], usual["lost_words"]) == (4, 1, 0)
    limited, short = (read_predictions(tmp_path / name).sentences for name in ("limited", "short"))
    assert any(len(one.score) for one in short)
    for one, other in zip(limited, short, strict=True):
        columns = ("start", "end", "label", "score")
        assert all(getattr(one, name).tolist() == getattr(other, name).tolist() for name in columns)
    assert [one.num_words for one in limited] == [8, 2, 4] and [one.lost_words for one in limited] == [4, 0, 0]


def test_what_was_asked_stands_in_file_and_receipt(tmp_path: Path) -> None:
    asker = Answerer(name="random", model=None, device="cpu", seed=0)
    write_jsonl(tmp_path / "gold.jsonl", [Example(id="0", words=("a", "b"))])
    wording = {"song": "piece of music"}
    decoding = Decoding(label_wording="other")
    cost = answer_cell(asker, music(), tmp_path / "gold.jsonl", decoding, tmp_path / "out", wording=wording)
    found = read_predictions(tmp_path / "out")
    assert found.wording == wording and found.decoding["label_wording"] == "other"
    assert list(found.labels) == cost["labels"] == ["piece of music", "TV show", "else", "organization"]


def test_a_repository_without_wordings_is_fine(tmp_path: Path) -> None:
    assert load_registry(write_repository(tmp_path)).wordings == {}
