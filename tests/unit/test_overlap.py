"""Nested gold: exact ceilings against all subsets, flat against nested answers against the score files."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from analysis_samples import made_space
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.analyses.gathering import gather_rows
from benchmarks.analyses.overlap_ceiling import ceiling, crosses, depth, lies_in
from benchmarks.analyses.overlap_census import DECODINGS, LEVELS, SHORTFALL, census, levels_of
from benchmarks.analyses.overlap_rows import GROUPS, gather, protocols_of
from benchmarks.analyses.pages import page_of, write_page
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.cells import score_path
from gliner_core.decode import Overlap
from gliner_core.errors import InputError
from gliner_core.examples import Span
from gliner_core.files import read_json

STUDY = "nested"
places = st.tuples(st.integers(0, 7), st.integers(0, 4), st.sampled_from("ab"))
span_sets = st.sets(places, max_size=9).map(
    lambda found: [Span(start, start + more, kind) for start, more, kind in sorted(found)]
)


def _fit(one: Span, other: Span, overlap: Overlap) -> bool:
    """Whether an answer may hold both, by the words that they cover."""
    first, second = (set(range(span.start, span.end + 1)) for span in (one, other))
    if first == second:
        return overlap.endswith("multi_label")
    return not first & second or (not overlap.startswith("flat") and (first <= second or second <= first))


def _largest(spans: list[Span], overlap: Overlap) -> int:
    for size in range(len(spans), 0, -1):
        for chosen in combinations(spans, size):
            if all(_fit(one, other, overlap) for one, other in combinations(chosen, 2)):
                return size
    return 0


@settings(max_examples=250, deadline=None)
@given(span_sets, st.sampled_from(DECODINGS))
def test_a_ceiling_is_the_largest_subset_that_fits(spans: list[Span], overlap: Overlap) -> None:
    assert ceiling(spans, overlap) == _largest(spans, overlap)


@given(places, places)
def test_crossing_and_containment_are_those_of_word_sets(one: tuple, other: tuple) -> None:
    first, second = ((start, start + more) for start, more, _ in (one, other))
    left, right = (set(range(start, end + 1)) for start, end in (first, second))
    assert crosses(first, second) == bool(left & right and left - right and right - left)
    assert lies_in(first, second) == (left < right)
    assert depth(first, [second, second[:]]) == 2 * (left < right)


def test_the_greedy_count_of_the_score_files_is_no_ceiling_where_spans_cross() -> None:
    gold = [frozenset({Span(0, 2, "a"), Span(2, 3, "a"), Span(2, 5, "a")})]
    found = {row["slice"]: row for row in census("x", gold, 12, 50)}
    assert found["reachable, nested"]["count"] == 2
    assert found[SHORTFALL]["count"] == 1  # the span that ends first refuses the other two
    assert found["crosses another"]["count"] == 3


def test_a_census_by_hand() -> None:
    inner, middle, outer = Span(1, 1, "a"), Span(1, 2, "a"), Span(0, 4, "b")
    gold = [frozenset({inner, middle, outer, Span(1, 2, "b")}), frozenset({Span(6, 6, "a")}), frozenset()]
    assert [levels_of(gold[0])[span] for span in (outer, middle, inner)] == [LEVELS[1], LEVELS[2], LEVELS[3]]
    found = {row["slice"]: row for row in census("x", gold, 2, 50)}
    counts = {name: row["count"] for name, row in found.items()}
    assert [counts[level] for level in LEVELS] == [1, 1, 2, 1]
    assert (counts["nested"], counts["lies in another"], counts["same words, several types"]) == (4, 3, 2)
    assert [counts[f"reachable, {name}"] for name in DECODINGS] == [2, 3, 4, 5]
    assert [counts[f"reachable within K, {name}"] for name in DECODINGS] == [2, 3, 3, 4]
    assert counts["wider than K"] == 1
    assert found["nested"]["value"] == pytest.approx(80)
    assert list(census("empty", [frozenset()], 12, 50)) == []


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return made_space(tmp_path_factory.mktemp("nested"), STUDY)


@pytest.fixture(scope="module")
def rows(space: Workspace) -> pd.DataFrame:
    return gather(space, STUDY)


def test_one_prediction_file_serves_both_protocols(space: Workspace) -> None:
    by_protocol: dict[str, set[str]] = {}
    for row in space.grid.study_rows(STUDY):
        for name in space.registry.suite_datasets(row.suite):
            folder = space.grid.cell_of(row, space.registry.datasets[name]).folder
            by_protocol.setdefault(row.protocol, set()).add(folder)
    assert len(by_protocol) == 2 and len(set(map(frozenset, by_protocol.values()))) == 1
    assert all(len(protocols) == 2 for protocols in space.grid.cells.values())


@pytest.mark.parametrize(("decoding", "protocol"), [("flat", "gliner-official"), ("nested", "gliner-nested")])
def test_rates_and_counts_are_those_of_the_score_files(
    space: Workspace, rows: pd.DataFrame, decoding: str, protocol: str
) -> None:
    ours = [row for row in space.grid.study_rows(STUDY) if row.protocol == protocol]
    names = space.registry.suite_datasets(ours[0].suite)
    scores = [
        read_json(space.home / score_path(space.grid.cell_of(row, space.registry.datasets[name]).folder, protocol))
        for row in ours
        for name in names
    ]
    found = rows[(rows["kind"] == "rate") & (rows["decoding"] == decoding)]
    whole = found[found["group"] == "all"].set_index("metric")
    for metric in ("precision", "recall", "f1"):
        assert whole.loc[metric, "value"] == pytest.approx(np.mean([score[f"{metric}_pct"] for score in scores]))
    for count in ("true_positive", "predicted", "gold"):
        wanted = sum(score["counts"][count] for score in scores) / len(ours)
        assert whole.loc["recall", count] == pytest.approx(wanted)
        recalls = found[found["metric"] == "recall"]
        for group in ("gold", "level", "sentence"):
            if count != "predicted" or group == "sentence":
                assert recalls[recalls["group"] == group][count].sum() <= wanted + 1e-9
    gold = found[(found["metric"] == "recall") & (found["group"] == "level")]
    assert gold["gold"].sum() == whole.loc["recall", "gold"]
    assert gold["true_positive"].sum() == pytest.approx(whole.loc["recall", "true_positive"])


def test_gains_and_losses_make_the_difference_of_the_counts(rows: pd.DataFrame) -> None:
    whole = rows[(rows["group"] == "all") & (rows["metric"] == "recall")].set_index("decoding")
    moved = rows[rows["kind"] == "exchange"].set_index("slice")["value"]
    gain = moved["gained, right"] - moved["lost, right"]
    answers = gain + moved["gained, wrong"] - moved["lost, wrong"]
    assert gain == pytest.approx(whole.loc["nested", "true_positive"] - whole.loc["flat", "true_positive"])
    assert answers == pytest.approx(whole.loc["nested", "predicted"] - whole.loc["flat", "predicted"])
    assert moved["gained, right"] > 0 and moved["gained, wrong"] > 0


def test_the_difference_is_paired_and_both_intervals_are_given(rows: pd.DataFrame) -> None:
    whole = rows[(rows["group"] == "all") & (rows["metric"] == "f1")].set_index("decoding")
    change = whole.loc["nested minus flat"]
    assert change["value"] == pytest.approx(whole.loc["nested", "value"] - whole.loc["flat", "value"])
    width = change["high"] - change["low"]
    assert 0 < width < (whole.loc["nested", "high"] - whole.loc["nested", "low"])  # the same resample on both sides
    assert change["seed_low"] < change["value"] < change["seed_high"]


def test_examples_are_few_short_and_nested(rows: pd.DataFrame) -> None:
    found = rows[rows["kind"] == "example"]
    assert 1 <= len(found) <= 6
    assert all(len(text.split()) <= 22 for text in found["words"])  # 20 words and the dots
    assert all(";" in text for text in found["gold_words"])
    assert (found["flat_words"] != found["nested_words"]).all()  # the made-up answers differ often enough


def test_two_workspaces_give_equal_bytes(space: Workspace, tmp_path: Path) -> None:
    for name in ("one.csv", "two.csv"):
        gather_rows(space, STUDY, "overlap", tmp_path / name)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def _written(space: Workspace) -> tuple[str, list[str]]:
    folder = space.study(STUDY) / "overlap"
    gather_rows(space, STUDY, "overlap", folder / "rows.csv")
    write_page(
        space, STUDY, "overlap", [folder / name for name in ("table.md", "findings.txt", "figure.svg", "figure.png")]
    )
    return (folder / "table.md").read_text(), list(page_of(space, STUDY, "overlap").findings)


def test_the_page_says_what_is_shown_and_what_was_not_measured(space: Workspace) -> None:
    text, findings = _written(space)
    assert "nan" not in text
    assert any("over 2 seeds" in sentence for sentence in findings)
    assert any("was not measured" in sentence for sentence in findings)


def test_without_nested_gold_nothing_is_said_about_it(tmp_path: Path) -> None:
    flat = made_space(tmp_path, STUDY, seeds=(1,), is_nested=False)
    text, findings = _written(flat)
    assert "nan" not in text and "one seed" in text
    assert any(sentence.startswith("Nothing can be said about the recall of nested gold") for sentence in findings)


def test_a_study_without_the_pair_is_refused(space: Workspace) -> None:
    card, known = space.registry.studies[STUDY], space.registry.protocols
    with pytest.raises(InputError, match="must name one protocol with `overlap: flat`"):
        protocols_of(card.model_copy(update={"protocols": ("gliner-nested",)}), known)
    with pytest.raises(InputError, match="differ in more than `overlap`"):
        protocols_of(card.model_copy(update={"protocols": ("gliner-nested", "no-else")}), known)


def test_groups_are_named_once() -> None:
    assert len(set(GROUPS)) == len(GROUPS)
