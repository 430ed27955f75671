"""What moves with the way of asking: against score files and plain loops, and as the page shows it."""

from pathlib import Path

import pytest
from answered_samples import STUDY, answer_and_score, robust_space, score_of

from benchmarks.analyses import sensitivity_page, sensitivity_rows
from benchmarks.analyses.pages import page_of, write_page
from benchmarks.analyses.sensitivity_rows import factor_of
from benchmarks.catalog.decoding import Decoding
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.paired import read_differences, write_differences
from benchmarks.scoring.predictions import read_predictions
from benchmarks.scoring.protocol import predicted_spans, with_decoding


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    found = robust_space(tmp_path)
    answer_and_score(found)
    write_differences(found, STUDY, found.study(STUDY) / "differences.csv")
    return found


def test_differences_are_those_of_the_score_files(space: Workspace) -> None:
    rows = sensitivity_rows.gather(space, STUDY).set_index(["variant", "dataset"])
    for dataset in ("alpha", "beta"):
        mine, base = (
            [score_of(space, name, seed, dataset)["f1_pct"] for seed in (1, 2)]
            for name in ("wording_other", "baseline")
        )
        found = rows.loc[("wording_other", dataset)]
        assert found["f1_pct"] == pytest.approx(sum(mine) / 2)
        assert found["difference_points"] == pytest.approx((sum(mine) - sum(base)) / 2)
        assert (found["seed_low"] + found["seed_high"]) / 2 == pytest.approx(found["difference_points"])
    both = rows.loc[[("wording_other", "alpha"), ("wording_other", "beta")], "difference_points"]
    assert rows.loc[("wording_other", "average"), "difference_points"] == pytest.approx(both.mean())


def test_differences_and_verdicts_are_those_of_the_study(space: Workspace) -> None:
    rows = sensitivity_rows.gather(space, STUDY).set_index(["variant", "dataset"])
    lines = read_differences(space.study(STUDY) / "differences.csv").set_index(["variant", "dataset"])
    assert len(rows) == len(lines) == 12
    for place, line in lines.iterrows():
        found = rows.loc[place]
        assert found["f1_pct"] - found["base_f1_pct"] == pytest.approx(line["difference_points"])
        assert (found["low"], found["verdict"]) == (line["low"], line["verdict"])


def test_changed_entities_are_counted_one_by_one(space: Workspace) -> None:
    rows = sensitivity_rows.gather(space, STUDY).set_index(["variant", "dataset"])
    card, protocol = space.registry.datasets["alpha"], space.registry.protocols["plain"]
    only, either = 0, 0
    for seed in (1, 2):
        sides = []
        for variant in ("baseline", "order_reversed"):
            row = next(r for r in space.grid.study_rows(STUDY) if (r.variant, r.seed) == (variant, seed))
            cell = space.grid.cell_of(row, card)
            asked = with_decoding(protocol, {"label_order": "reversed"} if variant != "baseline" else {})
            answered = read_predictions(space.home / cell.folder / "predictions.jsonl")
            found = predicted_spans(asked, card, answered)
            sides.append({(number, span) for number, spans in enumerate(found) for span in spans})
        only += len([item for item in sides[0] if item not in sides[1]])
        only += len([item for item in sides[1] if item not in sides[0]])
        either += len(sides[0]) + len([item for item in sides[1] if item not in sides[0]])
    found = rows.loc[("order_reversed", "alpha")]
    assert found["changed_pct"] == pytest.approx(100 * only / either) and found["entities"] == either
    assert found["changed_low"] <= found["changed_pct"] <= found["changed_high"]


def test_the_share_of_the_average_is_pooled_over_all_datasets(space: Workspace) -> None:
    """Recounted from the answers of both datasets and seeds; no single dataset has this share."""
    rows = sensitivity_rows.gather(space, STUDY).set_index(["variant", "dataset"])
    protocol = space.registry.protocols["plain"]
    only, either = 0, 0
    for dataset in ("alpha", "beta"):
        card = space.registry.datasets[dataset]
        for seed in (1, 2):
            sides = []
            for variant, order in (("baseline", {}), ("order_reversed", {"label_order": "reversed"})):
                row = next(r for r in space.grid.study_rows(STUDY) if (r.variant, r.seed) == (variant, seed))
                folder = space.home / space.grid.cell_of(row, card).folder
                found = predicted_spans(
                    with_decoding(protocol, order), card, read_predictions(folder / "predictions.jsonl")
                )
                sides.append({(number, span) for number, spans in enumerate(found) for span in spans})
            only += len(sides[0] - sides[1]) + len(sides[1] - sides[0])
            either += len(sides[0] | sides[1])
    found = rows.loc[("order_reversed", "average")]
    assert (found["changed_pct"], found["entities"]) == (pytest.approx(100 * only / either), either)
    single = rows.loc[[("order_reversed", "alpha"), ("order_reversed", "beta")], "changed_pct"]
    assert single.min() < found["changed_pct"] < single.max()
    assert found["changed_low"] <= found["changed_pct"] <= found["changed_high"]


def test_what_asks_the_same_changes_nothing_and_is_told(space: Workspace) -> None:
    rows = sensitivity_rows.gather(space, STUDY).set_index(["variant", "dataset"])
    assert rows.loc[("case_lower", "beta"), ["prompts_changed", "labels_changed", "changed_pct"]].tolist() == [0, 0, 0]
    assert rows.loc[("case_lower", "alpha"), ["prompts_changed", "labels_changed"]].tolist() == [1, 1]
    assert rows.loc[("case_lower", "average"), ["prompts_changed", "labels"]].tolist() == [1, 5]
    assert rows.loc[("window_5", "alpha"), ["lost_words", "sentences_cut"]].tolist() == [120, 30]


def test_the_factor_is_what_differs() -> None:
    base = Decoding(ask_else=False)
    assert factor_of(base, base) == "same question"
    assert factor_of(Decoding(ask_else=False, label_order="sorted"), base) == "order"
    assert factor_of(Decoding(), base) == "else"
    assert factor_of(Decoding(label_order="sorted"), base) == "several"


@pytest.mark.parametrize(("shift", "seeds"), [(0.0, [1, 2]), (0.0, [1]), (-5.0, [1])])
def test_the_page_reads_rows_from_a_file(shift: float, seeds: list[int], tmp_path: Path) -> None:
    space = robust_space(tmp_path, seeds=seeds)
    answer_and_score(space, shift)
    folder = space.study(STUDY) / "sensitivity"
    folder.mkdir(parents=True)
    write_differences(space, STUDY, folder.with_name("differences.csv"))
    sensitivity_rows.gather(space, STUDY).to_csv(folder / "rows.csv", index=False)
    page = page_of(space, STUDY, "sensitivity")
    said = " ".join(page.findings)
    assert ("nothing can be said" in said) == (shift < 0)
    assert "under case lower on 1 of 2 datasets" in said
    assert ("one seed" in said) == (len(seeds) == 1 and shift == 0)
    assert [row[0].text for row in page.tables[0].rows] == ["order", "case", "wording", "window"]
    write_page(
        space,
        STUDY,
        "sensitivity",
        [folder / name for name in ("table.md", "findings.txt", "figure.svg", "figure.png")],
    )
    assert "Worst dataset" in (folder / "table.md").read_text()


def test_equal_labels_are_no_equal_question_where_another_text_is_read(tmp_path: Path) -> None:
    """`beta` has lower-case labels only: both decodings put its very prompt, one to texts that are cut."""
    both = {"max_words": 5, "label_case": "lower"}
    space = robust_space(tmp_path, decodings={"case_lower": {"label_case": "lower"}, "both": both}, seeds=[1])
    answer_and_score(space)
    write_differences(space, STUDY, space.study(STUDY) / "differences.csv")
    rows = sensitivity_rows.gather(space, STUDY)
    cut = rows.set_index(["variant", "dataset"]).loc[("both", "beta")]
    assert (cut["factor"], cut["prompts_changed"]) == ("several", 0) and cut["changed_pct"] > 0
    page = sensitivity_page.present(rows, space.registry.studies[STUDY], space)
    (told,) = [text for text in page.findings if "the very ones" in text]
    assert "under case lower on 1 of 2 datasets: the answers" in told
