"""Slices of test spans: they add up to the score files, and each is what a plain search in the training data says."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from analysis_samples import OTHER_TYPE, made_space

from benchmarks.analyses import bias_effect_rows
from benchmarks.analyses.bias_effect_rows import ENOUGH, Sliced, gather, variant_rows
from benchmarks.analyses.gathering import gather_rows
from benchmarks.analyses.pages import page_of, write_page
from benchmarks.analyses.slice_names import COLUMNS, DIMENSIONS, REST
from benchmarks.analyses.slices import _sentence_slices
from benchmarks.analyses.training_facts import TrainingFacts
from benchmarks.catalog.workspace import Workspace
from benchmarks.corpora.leakage import leakage_report
from benchmarks.reporting.cells import score_path
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, read_jsonl
from gliner_core.files import read_json

STUDY, ANALYSIS = "data_bias", "bias_effect"


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return made_space(tmp_path_factory.mktemp("bias"), STUDY, seeds=(1, 2, 3), is_nested=False)


@pytest.fixture(scope="module")
def rows(space: Workspace) -> pd.DataFrame:
    return gather(space, STUDY)


def _scores(space: Workspace) -> list[dict]:
    """Score files of the study's first protocol, seed after seed, each in the order of the datasets."""
    ours = space.grid.study_rows(STUDY)
    names = space.registry.suite_datasets(ours[0].suite)
    return [
        read_json(space.home / score_path(space.grid.cell_of(row, space.registry.datasets[name]).folder, row.protocol))
        for row in ours
        if row.protocol == ours[0].protocol
        for name in names
    ]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_slices_of_a_dimension_add_up_to_the_score_files(space: Workspace, rows: pd.DataFrame, dimension: str) -> None:
    scores = _scores(space)
    found = rows[(rows["kind"] == "slice") & (rows["dimension"] == dimension)]
    counts = found.drop_duplicates(["joined", "slice", "seed"])
    for count in ("true_positive", "predicted", "gold"):
        by_seed = [sum(score["counts"][count] for score in scores[at : at + 5]) for at in (0, 5, 10)]
        pooled = counts[counts["joined"] == "pooled"]
        assert list(pooled[pooled["seed"].notna()].groupby("seed")[count].sum()) == by_seed
        assert pooled[pooled["seed"].isna()][count].sum() == pytest.approx(np.mean(by_seed))
        by_dataset = counts[counts["joined"] != "pooled"].groupby("joined", sort=False)[count].sum()
        wanted = {score["dataset"]: [] for score in scores}
        for score in scores:
            wanted[score["dataset"]].append(score["counts"][count])
        assert by_dataset.to_dict() == pytest.approx({name: np.mean(values) for name, values in wanted.items()})
    assert found["gold"].sum() > 0


def test_surfaces_and_types_are_those_of_a_plain_search(space: Workspace, rows: pd.DataFrame) -> None:
    name = rows["mixture"].iloc[0]
    training = read_jsonl(space.mixture(name) / "train.jsonl")
    seen = [(item.text(span).lower(), span.type.lower()) for item in training for span in item.spans]
    suite = space.grid.study_rows(STUDY)[0].suite
    wanted = {"same type": 0, "other type": 0, "unseen": 0}
    types = {"seen": 0, "unseen": 0}
    for path in space.suite_files(suite).values():
        for example in read_jsonl(path):
            for span in example.spans:
                pair = (example.text(span).lower(), span.type.lower())
                known = [kind for surface, kind in seen if surface == pair[0]]
                wanted["same type" if pair[1] in known else "other type" if known else "unseen"] += 1
                types["seen" if any(kind == pair[1] for _, kind in seen) else "unseen"] += 1
    recall = rows[(rows["kind"] == "slice") & (rows["joined"] == "pooled") & rows["seed"].isna()]
    recall = recall[recall["metric"] == "recall"].set_index(["dimension", "slice"])["gold"]
    assert {name: recall["surface", name] for name in wanted} == wanted
    lost = recall["surface", "inside a word"]
    assert lost == 5 and recall["type"].sum() == sum(types.values()) + lost
    assert min(wanted.values()) > 0


def test_shared_sentences_are_those_of_the_leakage_report(space: Workspace) -> None:
    name = next(iter(space.grid.runs.values())).spec.data.name
    train = space.mixture(name) / "train.jsonl"
    files = space.suite_files(space.grid.study_rows(STUDY)[0].suite)
    report = leakage_report(train, files, {})["datasets"]
    training = TrainingFacts(read_jsonl(train))
    for dataset, path in files.items():
        facts = training.sentences(read_jsonl(path))
        assert facts.is_held.sum() == report[dataset]["exact_sentences"]
        assert facts.shares[10].sum() == report[dataset]["ngram_rows"]
        assert facts.shares[8].sum() >= facts.shares[10].sum()
    assert sum(overlap["exact_sentences"] for overlap in report.values()) >= 5


def test_runs_of_words_are_shared_from_their_length_on() -> None:
    words = tuple("abcdefghijkl")
    training = TrainingFacts([Example(id="t", words=("X", *words[:9], "Y"))])
    asked = [Example(id=f"{size}", words=("so", *words[:size], "then")) for size in (7, 8, 9)]
    assert training.sentences(asked).shares[8].tolist() == [False, True, True]
    assert training.sentences(asked).shares[10].tolist() == [False, False, False]
    longer = TrainingFacts([Example(id="t", words=tuple(word.upper() for word in words))])
    assert longer.sentences([Example(id="q", words=words[1:11])]).shares[10].tolist() == [True]


def _context(words: str) -> Example:
    return Example(id=words, words=("ENTITY", *words.split()), spans=(Span(0, 0, "x"),))


def test_nearness_is_the_best_cosine_of_tf_idf_vectors() -> None:
    train = ["the mill burnt down", "the river rose", "a river ran past the mill"]
    asked = ["the mill rose", "nothing alike", "The River rose"]
    vocabulary = sorted({word for text in train for word in text.split()})
    counts = np.array([[text.split().count(word) for word in vocabulary] for text in train], dtype=float)
    weight = np.log((1 + len(train)) / (1 + (counts > 0).sum(axis=0))) + 1
    queries = np.array([[text.lower().split().count(word) for word in vocabulary] for text in asked]) * weight
    counts *= weight
    cosines = queries @ counts.T / np.linalg.norm(counts, axis=1)
    wanted = (cosines / np.maximum(np.linalg.norm(queries, axis=1, keepdims=True), 1e-9)).max(axis=1)
    found = TrainingFacts([_context(text) for text in train]).sentences([_context(text) for text in asked])
    assert found.nearness == pytest.approx(wanted)
    assert found.nearness[1:] == pytest.approx([0, 1])  # the entity itself, which all share, does not count


def _sliced(datasets: list[dict[tuple[str, str], tuple[int, int, int]]], num_seeds: int = 1) -> Sliced:
    """Counts by slice of each dataset, equal in all seeds; the resamples scatter a little around them."""
    sums = np.zeros((len(datasets), num_seeds, len(COLUMNS), 3))
    for place, slices in enumerate(datasets):
        for column, counts in slices.items():
            sums[place, :, COLUMNS.index(column)] = counts
    noise = np.random.default_rng(3).uniform(0.98, 1.02, (len(datasets), 400, *sums.shape[1:]))
    names = tuple(f"d{place}" for place in range(len(datasets)))
    return Sliced(names=names, sums=sums, drawn=sums[:, None] * noise, seeds=tuple(range(1, num_seeds + 1)))


def test_pooled_and_within_datasets_are_two_things() -> None:
    """Seen types lie in the easy dataset: pooled they look better, within each dataset they are worse."""
    seen, unseen = ("type", "seen"), ("type", "unseen")
    sliced = _sliced([{seen: (72, 90, 90), unseen: (27, 30, 30)}, {seen: (3, 30, 30), unseen: (18, 90, 90)}])
    found = pd.DataFrame(variant_rows(sliced))
    found = found[(found["kind"] == "difference") & (found["metric"] == "recall")].set_index("joined")
    assert found.loc["pooled", "value"] == pytest.approx(100 * (75 / 120 - 45 / 120))
    assert found.loc["within", "value"] == pytest.approx(100 * ((0.8 - 0.9) + (0.1 - 0.2)) / 2)
    assert found.loc["within", "num_datasets"] == 2
    assert found.loc["pooled", "p_holm"] < 0.05 and not found.loc["pooled", "is_shown"]


def test_a_dataset_with_too_little_gold_is_no_part_of_the_comparison_within() -> None:
    seen, unseen = ("type", "seen"), ("type", "unseen")
    few = ENOUGH - 1
    sliced = _sliced([{seen: (72, 90, 90), unseen: (27, 30, 30)}, {seen: (few, few, few), unseen: (0, 90, 90)}])
    found = pd.DataFrame(variant_rows(sliced))
    within = found[(found["joined"] == "within") & (found["metric"] == "recall")]
    assert within["value"].tolist() == pytest.approx([100 * (0.8 - 0.9)]) and within["num_datasets"].tolist() == [1]


def test_a_wholly_shared_dataset_stands_on_neither_side_of_leakage() -> None:
    apart, shared = ("sentence", "not shared"), ("sentence", "shared")
    half = {apart: (20, 30, 30), shared: (10, 10, 10)}
    found = pd.DataFrame(variant_rows(_sliced([half, {shared: (10, 30, 30)}])))
    leaks = found[(found["kind"] == "leakage") & (found["dimension"] == "sentence")].set_index("slice")
    assert leaks["value"].to_dict() == pytest.approx(
        {"all sentences": 75, "without": 100 * 2 / 3, "change": 100 * 2 / 3 - 75}
    )
    assert set(leaks["detail"]) == {"d1"} and set(leaks["num_datasets"]) == {1}
    assert (leaks["low"] <= leaks["value"]).all() and (leaks["value"] <= leaks["high"]).all()
    everything = pd.DataFrame(variant_rows(_sliced([{shared: (10, 30, 30)}])))
    assert everything[(everything["kind"] == "leakage") & (everything["dimension"] == "sentence")].empty


def test_a_sentence_copied_from_training_is_in_the_nearest_quarter() -> None:
    asked = [_context(text) for text in ("the mill burnt down", "the lamp fell", "no such words", "and none here")]
    training = TrainingFacts([_context(text) for text in ("the mill burnt down", "the river rose", "a mill ran")])
    quarters = [slices["context"] for slices in _sentence_slices(training.sentences(asked))]
    assert quarters[0] == "nearest quarter" and quarters[2] == quarters[3] == "farthest quarter"


def test_a_difference_is_shown_where_all_agree() -> None:
    seen, unseen = ("type", "seen"), ("type", "unseen")
    found = pd.DataFrame(variant_rows(_sliced([{seen: (72, 90, 90), unseen: (9, 30, 30)}])))
    pooled = found[(found["joined"] == "pooled") & (found["kind"] == "difference") & (found["metric"] == "recall")]
    assert pooled["is_shown"].tolist() == [True]


def test_small_slices_and_rests_are_compared_with_nothing() -> None:
    few = ENOUGH - 1
    sliced = _sliced([{("type", "seen"): (few, few, few), ("type", "unseen"): (9, 90, 90)}])
    assert not [row for row in variant_rows(sliced) if row["kind"] == "difference"]
    rest = next(iter(name for dimension, name in COLUMNS if name in REST))
    full = _sliced([{column: (40, 90, 90) for column in COLUMNS}])
    assert rest not in {row["slice"] for row in variant_rows(full) if row["kind"] == "difference"}


def test_leakage_is_the_suites_f1_without_the_shared_sentences(space: Workspace, rows: pd.DataFrame) -> None:
    """Recomputed from the counts of each sentence in the score files and a search for whole sentences."""
    leaks = rows[(rows["kind"] == "leakage") & (rows["dimension"] == "sentence")].set_index("slice")
    name = next(iter(space.grid.runs.values())).spec.data.name
    texts = [" ".join(item.words).lower() for item in read_jsonl(space.mixture(name) / "train.jsonl")]
    full, rest = [], []
    files = space.suite_files(space.grid.study_rows(STUDY)[0].suite)
    for score in _scores(space):
        counts = np.array(score["sentences"])
        shared = [
            any(f" {' '.join(item.words).lower()} " in f" {text} " for text in texts)
            for item in read_jsonl(files[score["dataset"]])
        ]
        for kept, found in ((np.ones(len(shared), bool), full), (~np.array(shared), rest)):
            hits, predicted, gold = counts[kept].sum(axis=0)
            found.append(200 * hits / (predicted + gold))
    assert leaks.loc["all sentences", "value"] == pytest.approx(np.mean(full))
    assert leaks.loc["without", "value"] == pytest.approx(np.mean(rest))
    assert leaks.loc["change", "value"] == pytest.approx(np.mean(rest) - np.mean(full))
    assert leaks.loc["change", "value"] != 0


def test_types_no_label_asks_for_count_as_gold_never_found(rows: pd.DataFrame) -> None:
    assert OTHER_TYPE not in set(rows["slice"])
    never = rows[(rows["dimension"] == "frequency") & (rows["slice"] == "0") & (rows["joined"] == "pooled")]
    assert (never["gold"] > never["true_positive"]).all()


def test_the_page_holds_both_intervals_and_the_caution(space: Workspace) -> None:
    folder = space.study(STUDY) / ANALYSIS
    gather_rows(space, STUDY, ANALYSIS, folder / "rows.csv")
    write_page(
        space, STUDY, ANALYSIS, [folder / name for name in ("table.md", "findings.txt", "figure.svg", "figure.png")]
    )
    text = (folder / "table.md").read_text()
    findings = page_of(space, STUDY, ANALYSIS).findings
    assert "nan" not in text and "over 3 seeds" in text
    assert "Slices differ" in findings[-1]
    first = (folder / "rows.csv").read_bytes()
    gather_rows(space, STUDY, ANALYSIS, folder / "rows.csv")
    assert (folder / "rows.csv").read_bytes() == first


def test_one_seed_and_empty_slices_make_a_page_too(tmp_path: Path) -> None:
    space = made_space(tmp_path, STUDY, seeds=(1,), is_nested=False)
    folder = space.study(STUDY) / ANALYSIS
    gather_rows(space, STUDY, ANALYSIS, folder / "rows.csv")
    page = page_of(space, STUDY, ANALYSIS)
    assert any("one seed" in sentence for sentence in page.findings)
    assert any("nothing can be said" in sentence for sentence in page.findings)  # no type has 1,000 mentions here


def test_a_protocol_that_compares_strings_is_refused(space: Workspace) -> None:
    strings = space.registry.protocols["uniner-string"]
    with pytest.raises(InputError, match="has no word positions"):
        bias_effect_rows.read_gold(space, strings, space.grid.study_rows(STUDY)[0].suite)
