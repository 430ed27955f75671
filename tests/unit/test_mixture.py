"""Training mixtures: windows, hygiene rules, shares, determinism; and the real mixture from the mirror."""

import json
from pathlib import Path
from typing import Any

import pytest
from corpora_support import load, names, prepared, record

from benchmarks.catalog.cards import MixtureCard
from benchmarks.corpora.mixture import part_key, prepare_mixture
from benchmarks.corpora.shares import share_out
from benchmarks.corpora.windows import cut
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, read_jsonl, write_jsonl


def sentence(text: str, *spans: tuple[int, int, str], identity: str = "s") -> Example:
    """An example from words between blanks."""
    return Example(id=identity, words=tuple(text.split()), spans=tuple(Span(*span) for span in spans))


def test_windows_prefer_the_end_of_a_sentence_and_never_split_a_span_without_need() -> None:
    example = sentence("a b c . d e f g h i", (1, 1, "x"), (6, 8, "y"))
    windows = cut(example, 6)
    assert [" ".join(window.words) for window in windows.examples] == ["a b c .", "d e f g h i"]
    assert [window.id for window in windows.examples] == ["s#0", "s#1"] and windows.lost_spans == 0
    assert windows.examples[1].spans == (Span(2, 4, "y"),)
    hard = cut(sentence("a b c d e f g h", (3, 4, "x")), 4)
    assert hard.examples[0].words == ("a", "b", "c") and hard.lost_spans == 0


def test_a_span_longer_than_a_window_is_lost_and_counted() -> None:
    windows = cut(sentence("a b c d e f g", (0, 6, "x"), (6, 6, "y")), 3)
    assert windows.lost_spans == 1 and sum(len(window.spans) for window in windows.examples) == 1
    assert [len(window.words) for window in windows.examples] == [3, 3, 1]
    short = sentence("a b")
    assert cut(short, 2).examples == (short,) and cut(short, None).examples == (short,)


def test_shares_are_exact_capped_and_repeated_only_above_weight_one() -> None:
    shares = share_out(10, {"a": 100, "b": 100, "c": 100}, {"a": 1, "b": 1, "c": 1})
    assert [quota.drawn for quota in shares.values()] == [4, 3, 3]
    shares = share_out(10, {"a": 2, "b": 100}, {"a": 1, "b": 1})
    assert {key: (quota.drawn, quota.repeated) for key, quota in shares.items()} == {"a": (2, 0), "b": (8, 0)}
    shares = share_out(12, {"a": 2, "b": 100}, {"a": 2, "b": 1})
    assert {key: (quota.drawn, quota.repeated) for key, quota in shares.items()} == {"a": (8, 6), "b": (4, 0)}
    shares = share_out(10, {"a": 2, "b": 3}, {"a": 1, "b": 1})
    assert sum(quota.drawn for quota in shares.values()) == 5


def _mix(folder: Path, **keys: Any) -> tuple[list[Example], dict[str, Any]]:
    train = [
        sentence("Rome is far away from here now", (0, 0, "city"), identity="r1"),
        sentence("the SAME test sentence", (3, 3, "noun"), identity="r2"),
        sentence("it says one two three four in full", identity="r3"),
        sentence("jaws is a film", (0, 0, "film"), identity="r4"),
        sentence("a", identity="r5"),
    ]
    write_jsonl(folder / "train.jsonl", train)
    write_jsonl(folder / "dev.jsonl", [sentence("rome IS far away from here now"), sentence("another one here")])
    write_jsonl(folder / "test.jsonl", [sentence("The same test sentence"), sentence("say one two three four five")])
    given: dict[str, Any] = {"name": "mix", "title": "Mix", "parts": ({"dataset": "d"},)}
    card = MixtureCard(**(given | {"dev": {"dataset": "d", "split": "dev"}, "disjoint_from": ("s",)} | keys))
    files = {"d/train": folder / "train.jsonl", "d/dev": folder / "dev.jsonl"}
    prepare_mixture(card, files, {"s": [folder / "test.jsonl"]}, folder / "mix")
    record = json.loads((folder / "mix" / "card.json").read_text(encoding="utf-8"))
    return read_jsonl(folder / "mix" / "train.jsonl"), record


def test_hygiene_drops_whole_rows_and_says_by_which_rule(tmp_path: Path) -> None:
    kept, record = _mix(tmp_path, overlap_ngram=4, exclude_types=("film",), min_words=2)
    assert [example.id for example in kept] == ["d/train/r1"]
    part = record["parts"]["d/train"]
    assert part["dropped"] == {
        "rows_equal_to_test": 1,
        "rows_sharing_ngram_with_test": 1,
        "rows_with_excluded_type": 1,
        "windows_too_short": 1,
    }
    assert (part["read"], part["windows"], part["kept"], part["kept_spans"], part["kept_types"]) == (5, 2, 1, 1, 1)
    assert record["dev"]["dropped"] == {"windows_equal_to_train": 1} and record["dev"]["kept"] == 1


def test_without_rules_all_rows_stay_in_order(tmp_path: Path) -> None:
    kept, _ = _mix(tmp_path, disjoint_from=(), dev=None)
    assert [example.id for example in kept] == [f"d/train/r{number}" for number in range(1, 6)]
    assert not (tmp_path / "mix" / "dev.jsonl").exists()


def test_drawing_is_deterministic_by_card_name_and_records_repeats(tmp_path: Path) -> None:
    keys = {"num_examples": 8, "parts": ({"dataset": "d", "weight": 2},), "disjoint_from": (), "dev": None}
    first, record = _mix(tmp_path, **keys)
    assert record["parts"]["d/train"]["repeated"] == 3 and len({example.id for example in first}) == 8
    assert _mix(tmp_path, **keys)[0] == first
    assert _mix(tmp_path, name="other", **keys)[0] != first


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"parts": ({"dataset": "d", "weight": 2},)}, r"mixture mix: `weight` needs `num_examples`"),
        ({"num_examples": 5, "max_per_part": 5}, r"mixture mix: `num_examples` and `max_per_part` exclude each other"),
        ({"parts": ({"dataset": "x"},)}, r"mixture mix: no file was given for part x/train"),
        ({"parts": ({"dataset": "d"}, {"dataset": "d"})}, r"mixture mix: `parts` names d/train twice"),
        ({"disjoint_from": ("t",)}, r"mixture mix: no files were given for suite t"),
        ({"exclude_types": ("song",)}, r"mixture mix: `exclude_types` names 'song', which no part has"),
        ({"min_words": 40}, r"mixture mix: part d/train has no window left"),
        ({"min_words": 7, "disjoint_from": ()}, r"mixture mix: `dev` has no window left"),
    ],
)
def test_faults_are_one_sentence(tmp_path: Path, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        _mix(tmp_path, **keys)
    assert "\n" not in str(error.value) and not (tmp_path / "mix").exists()


def _labelled(folder: Path, labels: list[str]) -> None:
    """Twelve rows of one entity and the record of the dataset that holds them."""
    kinds = ("city", "noun", "film")
    rows = [sentence(f"word{number} is here", (0, 0, kinds[number % 3]), identity=f"r{number}") for number in range(12)]
    folder.mkdir(parents=True, exist_ok=True)
    write_jsonl(folder / "train.jsonl", rows)
    (folder / "card.json").write_text(json.dumps({"labels": labels}), encoding="utf-8")


def _labelled_mix(folder: Path, name: str = "mix", **keys: Any) -> list[Example]:
    card = MixtureCard(**{"name": name, "title": "Mix", "parts": ({"dataset": "d"}, {"dataset": "e"})} | keys)
    files = {f"{dataset}/train": folder / dataset / "train.jsonl" for dataset in "de"}
    prepare_mixture(card, files, {}, folder / name)
    return read_jsonl(folder / name / "train.jsonl")


def test_a_smaller_sample_is_part_of_every_larger_one(tmp_path: Path) -> None:
    for dataset in "de":
        _labelled(tmp_path / dataset, [])
    found = {size: _labelled_mix(tmp_path, f"m{size}", max_per_part=size) for size in (2, 5, 100)}
    ids = {size: [example.id for example in examples] for size, examples in found.items()}
    assert [len(names) for names in ids.values()] == [4, 10, 24]
    assert set(ids[2]) < set(ids[5]) < set(ids[100])
    picked = {dataset: {name.rsplit("/", 1)[1] for name in ids[2] if name.startswith(dataset)} for dataset in "de"}
    assert picked["d"] != picked["e"]  # parts are sampled apart
    assert picked["d"] != {"r0", "r1"} or picked["e"] != {"r0", "r1"}  # not the first rows
    part = json.loads((tmp_path / "m5" / "card.json").read_text(encoding="utf-8"))["parts"]["d/train"]
    assert (part["kept"], part["drawn"], part["repeated"]) == (12, 5, 0)


def test_every_example_brings_the_labels_that_it_lacks(tmp_path: Path) -> None:
    _labelled(tmp_path / "d", ["film", "city", "noun", "song"])
    _labelled(tmp_path / "e", ["noun", "film", "city"])
    for example in _labelled_mix(tmp_path, ask_all_labels=True, window_words=2):
        labels = ["film", "city", "noun", "song"] if example.id.startswith("d/") else ["noun", "film", "city"]
        assert list(example.negatives) == [label for label in labels if label not in example.types()]
    assert all(not example.negatives for example in _labelled_mix(tmp_path, "plain"))


def test_labels_can_be_asked_only_where_the_card_has_them(tmp_path: Path) -> None:
    for dataset in "de":
        _labelled(tmp_path / dataset, [])
    with pytest.raises(
        InputError, match=r"mixture mix: `ask_all_labels` needs `labels` in benchmarks/datasets/d\.yaml"
    ):
        _labelled_mix(tmp_path, ask_all_labels=True)


def _prepare_mixture(folder: Path, name: str) -> dict[str, Any]:
    card = load("mixtures", name)
    parts = [*card.parts, *([card.dev] if card.dev else [])]
    part_files = {part_key(part): prepared(part.dataset) / f"{part.split}.jsonl" for part in parts}
    suites = {suite: load("suites", suite) for suite in card.disjoint_from}
    test_files = {
        key: [prepared(dataset) / f"{suite.split}.jsonl" for dataset in suite.datasets] for key, suite in suites.items()
    }
    prepare_mixture(card, part_files, test_files, folder / "mixture")
    return json.loads((folder / "mixture" / "card.json").read_text(encoding="utf-8"))


def test_the_demo_mixture_is_the_demo_training_set(tmp_path: Path) -> None:
    found = _prepare_mixture(tmp_path, "demo")
    (part,) = found["parts"].values()
    assert part["read"] == part["drawn"] == found["train"]["sentences"] and found["dev"]["sentences"] > 0


@pytest.mark.mirror
def test_the_open_mixture_from_real_files(tmp_path: Path) -> None:
    found = _prepare_mixture(tmp_path, "open_types")
    card = load("mixtures", "open_types")
    assert found["train"]["sentences"] == card.num_examples
    assert len(found["train"]["types"]) > 500 and not set(card.exclude_types) & set(found["train"]["types"])
    assert max(len(example.words) for example in read_jsonl(tmp_path / "mixture" / "train.jsonl")) <= 48
    shares = {key: part["drawn"] for key, part in found["parts"].items()}
    assert max(shares, key=lambda key: shares[key]) == "pile_ner_slice/train"
    assert found["parts"]["multiconer_v2_en/train"]["dropped"]["rows_equal_to_test"] == 30
    lost = sum(part["lost_spans"] for part in found["parts"].values())
    assert lost < 0.001 * found["train"]["spans"]


@pytest.mark.mirror
def test_the_second_open_mixture_is_clean_for_the_twenty_and_the_unseen_languages(tmp_path: Path) -> None:
    found, card = _prepare_mixture(tmp_path, "open_types_v2"), load("mixtures", "open_types_v2")
    assert found["train"]["sentences"] == card.num_examples and len(found["train"]["types"]) > 500
    assert not any(part.dataset.startswith("bionlp") for part in card.parts)
    dropped = {key.split("/")[0]: part["dropped"] for key, part in found["parts"].items()}
    rules = ("rows_equal_to_test", "rows_sharing_ngram_with_test")
    counts = {name: tuple(found.get(rule, 0) for rule in rules) for name, found in dropped.items()}
    assert {name: pair for name, pair in counts.items() if any(pair)} == {
        "pile_ner_slice": (0, 9),
        "multiconer_v2_en": (46, 131),
        "stackoverflow_ner": (15, 0),
        "gum": (2, 0),
        "wikigold": (15, 1),
    }
    assert all(part["repeated"] == 0 for part in found["parts"].values())
    train = {example.words for example in read_jsonl(tmp_path / "mixture" / "train.jsonl")}
    folded = {tuple(word.lower() for word in words) for words in train}
    for suite in card.disjoint_from:
        for name in load("suites", suite).datasets:
            tested = read_jsonl(prepared(name) / "test.jsonl")
            assert not folded & {tuple(word.lower() for word in example.words) for example in tested}, name


@pytest.mark.mirror
def test_the_supervised_mixtures_from_real_files(tmp_path: Path) -> None:
    sizes = (100, 3000)
    examples: dict[int, list[Example]] = {}
    for size in sizes:
        found = _prepare_mixture(tmp_path / str(size), f"supervised_{size}")
        assert {part["drawn"] for part in found["parts"].values()} == {size}
        dropped = {key: part["dropped"].get("rows_equal_to_test", 0) for key, part in found["parts"].items()}
        assert dropped == {"mit_movie/train": 31, "mit_restaurant/train": 0, "btc/train": 0, "harveyner/train": 223}
        examples[size] = read_jsonl(tmp_path / str(size) / "mixture" / "train.jsonl")
    small, large = ({example.id: example for example in examples[size]} for size in sizes)
    assert small.keys() < large.keys() and all(large[key] == example for key, example in small.items())
    for example in large.values():
        labels = load("datasets", example.id.split("/")[0]).labels
        assert {*example.types(), *example.negatives} == set(labels)


def test_mixtures_of_one_family_differ_in_size_alone() -> None:
    cards = [load("mixtures", name) for name in names("mixtures") if name.startswith("supervised_")]
    assert len(cards) > 3 and all(card.name == f"supervised_{card.max_per_part}" for card in cards)
    shared = [card.model_dump(exclude={"name", "title", "max_per_part", "notes"}) for card in cards]
    assert all(card == shared[0] for card in shared)


# Sentences, spans and types of all splits together, lenient openings, nested spans.
REAL_COUNTS = {
    "bionlp11id": (5178, 11082, 4, 0, 0),
    "bionlp13cg": (5942, 21323, 16, 0, 0),
    "bionlp13pc": (5051, 15893, 4, 0, 0),
    "few_tk": (2507, 4870, 22, 0, 0),
    "genia_nested": (3497, 9833, 5, 0, 1055),
    "gliner_sample": (64, 236, 131, 0, 10),
    "gum": (3495, 11724, 11, 0, 0),
    "nlu_eval": (11036, 9133, 54, 0, 0),
    "pile_ner_slice": (2217, 30978, 368, 156, 0),
    "sgd": (7734, 5493, 65, 0, 2),
    "snips": (14484, 37542, 39, 0, 0),
    "wikigold": (1841, 3558, 4, 0, 0),
}


@pytest.mark.mirror
@pytest.mark.parametrize("name", sorted(REAL_COUNTS))
def test_real_counts_of_the_training_sources(name: str) -> None:
    splits = record(name)["splits"].values()
    types = {kind for split in splits for kind in split["types"]}
    found = (
        sum(split["sentences"] for split in splits),
        sum(split["spans"] + split["unresolved"] for split in splits),
        len(types),
        sum(split["lenient_openings"] for split in splits),
        sum(split["nested_spans"] for split in splits),
    )
    assert found == REAL_COUNTS[name]
