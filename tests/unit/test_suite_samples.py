"""The sample of a test set that a suite with `max_sentences` evaluates: fixed, in order, nested, with own facts."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catalog_support import CARDS, change_card, grid_of, write_card, write_repository

from benchmarks.catalog.cards import DatasetCard, ProtocolCard
from benchmarks.catalog.workspace import open_workspace
from benchmarks.corpora.sampling import sample_dataset
from benchmarks.scoring.cell import score_cell
from benchmarks.scoring.predictions import Candidates, write_predictions
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, read_jsonl, write_jsonl
from gliner_core.files import write_json

NUMBER = 60


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """60 prepared sentences, every third with an entity and every tenth with one that no span can equal."""
    examples = [
        Example(id=f"s{at}", words=("w", str(at)), spans=(Span(0, at % 2, "x"),) if at % 3 == 0 else ())
        for at in range(NUMBER)
    ]
    folder = tmp_path / "data"
    write_jsonl(folder / "test.jsonl", examples)
    lost = [[f"s{at}", "x", None, 1] for at in range(0, NUMBER, 10)]
    card = {"name": "tiny", "script": "Latin", "splits": {"test": {"unresolved_gold": lost}}, "overlaps": {"a/b": 1}}
    write_json(folder / "card.json", card)
    return folder


def drawn(data: Path, number: int, out: str) -> tuple[list[Example], dict[str, Any]]:
    folder = data.parent / out
    sample_dataset(data, "test", number, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "test.jsonl"]
    return read_jsonl(folder / "test.jsonl"), json.loads((folder / "card.json").read_text(encoding="utf-8"))


def test_a_sample_is_fixed_in_order_and_part_of_a_larger_one(data: Path) -> None:
    whole = [example.id for example in read_jsonl(data / "test.jsonl")]
    ten, again, thirty = (drawn(data, number, f"s{turn}")[0] for turn, number in enumerate((10, 10, 30)))
    assert ten == again and len(ten) == 10 and len(thirty) == 30
    ids = [example.id for example in ten]
    assert ids == sorted(ids, key=whole.index) and ids != whole[:10]
    assert set(ids) < {example.id for example in thirty}


def test_every_sentence_may_be_drawn(data: Path) -> None:
    counts: Counter[str] = Counter()
    for turn in range(40):
        folder = data.parent / f"named{turn}"
        write_jsonl(folder / "test.jsonl", read_jsonl(data / "test.jsonl"))
        write_json(folder / "card.json", {"name": f"n{turn}", "splits": {"test": {"unresolved_gold": []}}})
        counts.update(example.id for example in drawn(folder, 30, f"out{turn}")[0])
    assert len(counts) == NUMBER and 5 < min(counts.values()) <= max(counts.values()) < 35  # 20 expected of 40


def test_the_facts_are_those_of_the_sample(data: Path) -> None:
    examples, card = drawn(data, 25, "sample")
    facts, ids = card["splits"]["test"], {example.id for example in examples}
    assert (facts["sentences"], facts["sampled_from"], facts["max_sentences"]) == (25, NUMBER, 25)
    assert facts["types"] == {"x": sum(len(example.spans) for example in examples)}
    expected = [f"s{at}" for at in range(0, NUMBER, 10) if f"s{at}" in ids]
    assert [entry[0] for entry in facts["unresolved_gold"]] == expected and facts["unresolved"] == len(expected) > 0
    assert card["script"] == "Latin" and card["overlaps"] == {}


def test_a_small_set_is_taken_whole_and_a_missing_split_is_named(data: Path) -> None:
    examples, card = drawn(data, 500, "all")
    assert examples == read_jsonl(data / "test.jsonl") and card["splits"]["test"]["sampled_from"] == NUMBER
    with pytest.raises(InputError, match=r"data: the dataset has no split `dev` to sample; correct `split`"):
        sample_dataset(data, "dev", 5, data.parent / "none")


def test_a_score_file_says_what_it_was_sampled_from(data: Path, tmp_path: Path) -> None:
    card = DatasetCard(name="tiny", title="T", domain="d", licence="l", generator="demo", labels=("x",))
    protocol = ProtocolCard(name="plain", title="P", ask_else=True, score_else=True)
    for folder, wanted in ((data, None), (data.parent / "sample", NUMBER)):
        examples = read_jsonl(data / "test.jsonl") if wanted is None else drawn(data, 20, "sample")[0]
        none = {key: np.array([], dtype=np.int64) for key in ("start", "end", "label", "score")}
        answers = [Candidates(id=item.id, num_words=2, lost_words=0, **none) for item in examples]
        header = {"dataset": "tiny", "labels": ["x"], "floor": 0.05, "decoding": {}}
        write_predictions(tmp_path / "p.jsonl", header, answers)
        score_cell(tmp_path / "p.jsonl", folder / "test.jsonl", card, protocol, 12, tmp_path / "s.json", 10)
        score = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
        assert score["sampled_from"] == wanted and score["num_sentences"] == len(examples)


TESTED = "benchmarks/suites/tested.yaml"


def test_cells_of_a_sample_have_a_place_of_their_own(tmp_path: Path) -> None:
    root = write_repository(tmp_path)
    whole = grid_of(root)
    change_card(root, TESTED, max_sentences=50)
    part = grid_of(root)
    assert {cell.split for cell in whole.cells} == {"test"} and {cell.split for cell in part.cells} == {"test-50"}
    assert not {cell.folder for cell in whole.cells} & {cell.folder for cell in part.cells}
    assert all("/beta.test-50/" in cell.folder or "/alpha.test-50/" in cell.folder for cell in part.cells)
    assert whole.runs == part.runs  # training does not see it


def test_a_sample_lies_apart_and_hygiene_reads_the_whole(tmp_path: Path) -> None:
    root = write_repository(tmp_path)
    change_card(root, TESTED, max_sentences=50)
    space = open_workspace(root, {"scale": "tiny", "device": "cpu", "results": "out"})
    assert space.test_file("beta", "tested") == Path("out/samples/beta.test-50/test.jsonl")
    assert space.test_file("beta", "tagged") == Path("out/data/beta/test.jsonl")
    assert space.whole_files("tested") == [Path("out/data/beta/test.jsonl"), Path("out/data/alpha/test.jsonl")]
    assert space.samples() == {name: (name.split(".")[0], "test", 50) for name in ("beta.test-50", "alpha.test-50")}


def test_the_scale_with_verdicts_refuses_a_sample(tmp_path: Path) -> None:
    root = write_repository(tmp_path)
    write_card(root, "workflow/scales/paper.yaml", CARDS["workflow/scales/tiny.yaml"] | {"name": "paper"})
    change_card(root, "benchmarks/studies/main.yaml", scales=["tiny", "paper"])
    assert grid_of(root, scale="paper", studies=["main"]).rows
    change_card(root, TESTED, max_sentences=50)
    assert grid_of(root, studies=["main"]).rows
    with pytest.raises(InputError, match=r"benchmarks/suites/tested\.yaml: `max_sentences` makes a sample") as error:
        grid_of(root, scale="paper", studies=["main"])
    assert "\n" not in str(error.value)
