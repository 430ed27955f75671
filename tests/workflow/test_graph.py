"""What runs: the jobs of every scale, what one new file adds, and what an edit after a finished run repeats."""

import shutil
from collections import Counter

import pytest
from checkout import Checkout, Jobs, added, counts
from expected import job_counts

from benchmarks.catalog.workspace import open_workspace

TABLES = {"collect", "compare", "pair", "tabulate", "plot"}
ANALYSES = {"gather", "present"}
VIEWS = {"plot", "publish", "all"}


def names(jobs: Jobs) -> set[str]:
    """Every job as rule/wildcards."""
    return {f"{rule}/{name}" for rule, found in jobs.items() for name in found}


@pytest.fixture(scope="module")
def demo(pristine: Checkout) -> Jobs:
    """The jobs of the whole demo."""
    return pristine.plan()


@pytest.mark.parametrize("scale", ["demo", "pilot", "paper"])
def test_every_scale_plans_the_jobs_that_its_cards_ask_for_without_network(pristine: Checkout, scale: str) -> None:
    assert counts(pristine.plan(scale=scale)) == job_counts(pristine.folder, scale)


@pytest.mark.parametrize("scale", ["demo", "pilot"])
def test_a_study_of_trainers_trains_both_and_pairs_them(pristine: Checkout, scale: str) -> None:
    jobs = pristine.plan(scale=scale, studies=["trainer_parity"])
    assert counts(jobs) == job_counts(pristine.folder, scale, ["trainer_parity"])
    assert jobs["pair"] == {"trainer_parity"}
    space = open_workspace(pristine.folder, {"scale": scale, "device": "cpu", "studies": ["trainer_parity"]})
    trainers = Counter(space.grid.runs[run].spec.optim.trainer for run in jobs["train"])
    assert trainers == dict.fromkeys(("gliner_core", "gliner-0.2.29"), len(jobs["train"]) / 2)


@pytest.mark.parametrize("scale", ["demo", "pilot"])
def test_a_run_that_others_start_from_is_trained_before_them_and_answers_nothing(
    pristine: Checkout, scale: str
) -> None:
    studies = ["supervised", "supervised_scaling"]
    jobs = pristine.plan(scale=scale, studies=studies, seeds=[1])
    assert counts(jobs) == job_counts(pristine.folder, scale, studies, [1])
    (parent,) = (run for run in jobs["train"] if run.startswith("baseline_s1"))
    assert jobs["track"] == jobs["train"] - {parent}
    assert not any(job.startswith(parent) for job in jobs["predict"])


def test_a_suite_with_corpora_that_cannot_be_fetched_is_planned_like_any_other(
    pristine: Checkout, draft: Checkout
) -> None:
    jobs = pristine.plan(scale="paper", studies=["twenty"], seeds=[1])
    assert counts(jobs) == job_counts(pristine.folder, "paper", ["twenty"], [1])
    assert {"ace05", "conll03", "findvehicle", "ontonotes"} <= jobs["fetch"]
    outcome = draft.snakemake("results/data/conll03", scale="paper")
    lines = [line for line in outcome.text.splitlines() if "conll03/eng.train cannot be fetched" in line]
    assert outcome.code != 0 and len(set(lines)) == 1
    assert "the original column files" in lines[0] and "GLINER_BENCH_MIRROR" in lines[0]


def test_a_suite_of_samples_draws_each_once(pristine: Checkout) -> None:
    jobs = pristine.plan(scale="pilot", studies=["twenty", "nested"], seeds=[1])
    assert counts(jobs) == job_counts(pristine.folder, "pilot", ["twenty", "nested"], [1])
    assert len(jobs["sample"]) == 11 and "genia_nested.test-2000" in jobs["sample"]


def test_the_copies_reach_no_network(draft: Checkout) -> None:
    draft.write("reach.py", "import urllib.request\n\nurllib.request.urlopen('http://192.0.2.1')\n")
    assert "the test forbids the network" in draft.run("reach").text


def test_studies_and_seeds_of_the_command_line_limit_the_plan(pristine: Checkout) -> None:
    jobs = pristine.plan(scale="pilot", studies=["main_table", "multilingual"], seeds=[1])
    assert counts(jobs) == job_counts(pristine.folder, "pilot", ["main_table", "multilingual"], [1])
    assert jobs["collect"] == {"main_table", "multilingual"}
    # The baseline, which both studies share, its untrained twin and the multilingual backbone.
    assert len(jobs["train"]) == 3 and all("_s1-" in run for run in jobs["train"])


def test_a_shared_run_is_trained_once(demo: Jobs) -> None:
    assert len([run for run in demo["train"] if run.startswith("baseline_")]) == 1


def test_results_of_a_scale_lie_in_its_own_folder(pristine: Checkout) -> None:
    text = pristine.make("--dry-run", scale="paper", results="elsewhere").text
    assert "elsewhere/paper/scorecard.html" in text and "elsewhere/demo" not in text


def test_a_new_study_adds_its_jobs(draft: Checkout, demo: Jobs) -> None:
    axes = {"optim.warmup_ratio": [0.21, 0.37]}
    draft.card("studies", "warmup", question="?", claim="-", suite="ood", axes=axes, layout="axes", figure="lines")
    chosen = ["main_table", "multilingual", "span_width", "negative_sampling", "type_dropping", "backbone", "warmup"]
    new = added(demo, draft.plan(studies=chosen))
    assert counts(new) == {rule: 2 for rule in ("train", "predict", "score", "track")} | dict.fromkeys(TABLES, 1)
    assert {run.rsplit("-", 1)[0] for run in new["train"]} == {"warmup_ratio-0.21_s1", "warmup_ratio-0.37_s1"}


def test_a_new_backbone_can_be_chosen_for_every_run(draft: Checkout) -> None:
    card = draft.path("benchmarks/backbones/minilm-l6-first3.yaml")
    shutil.copy(card, draft.path("benchmarks/backbones/half.yaml"))
    draft.change("benchmarks/backbones/half.yaml", name="half", num_layers=2)
    before = draft.plan(studies=["span_width"])
    after = draft.plan(studies=["span_width"], overrides={"backbone": "half"})
    assert counts(after) == counts(before)
    assert not after["train"] & before["train"]


def test_a_new_dataset_joins_its_open_suite(draft: Checkout) -> None:
    draft.card("suites", "mine", closed=False, tag="mine", protocol="gliner-official")
    draft.card("studies", "own_data", question="?", claim="-", suite="mine", layout="datasets", figure="bars")
    draft.change("benchmarks/datasets/demo_ood_sport.yaml", tags=["mine"])
    before = draft.plan(studies=["own_data"])
    assert before["predict"] == {f"{run}/mine" for run in before["train"]}
    source = {"repo": "a/b", "commit": "0" * 40, "path": "test.jsonl", "sha256": "0" * 64}
    facts = {"domain": "test", "licence": "none", "tags": ["mine"], "reader": "jsonl", "labels": ["thing"]}
    draft.card("datasets", "fresh", sources={"test": [source]}, **facts)
    assert added(before, draft.plan(studies=["own_data"])) == {"fetch": {"fresh"}, "prepare": {"fresh"}}


def test_a_new_suite_needs_no_other_file_than_a_study_that_names_it(draft: Checkout, demo: Jobs) -> None:
    closed = {"closed": True, "datasets": ["demo_ood_sport", "demo_ml_en"], "protocol": "no-else"}
    draft.card("suites", "mine", **closed)
    draft.card("studies", "own_suite", question="?", claim="-", suite="mine", layout="datasets", figure="bars")
    new = added(demo, draft.plan(studies=["own_suite"]))
    rules = {"predict", "score", "check_leakage"} | TABLES
    assert counts(new) == dict.fromkeys(rules, 1)


def test_a_new_protocol_and_a_new_system_are_named_by_a_study(draft: Checkout, demo: Jobs) -> None:
    official = draft.path("benchmarks/protocols/gliner-official.yaml")
    shutil.copy(official, draft.path("benchmarks/protocols/strict.yaml"))
    draft.change("benchmarks/protocols/strict.yaml", name="strict", threshold=0.9)
    draft.card("systems", "dice", kind="random", seed=7)
    study = {"suite": "ood", "protocols": ["strict"], "systems": ["dice"], "layout": "datasets", "figure": "bars"}
    draft.card("studies", "strictness", question="?", claim="-", **study)
    new = added(demo, draft.plan(studies=["strictness"]))
    dice = {"predict": {"dice/demo_ood"}, "score": {"dice/demo_ood"}, "track": {"dice"}}
    assert new == dice | {rule: {"strictness"} for rule in TABLES}


def test_a_finished_run_has_nothing_left_to_do(finished: Checkout) -> None:
    assert "Nothing to be done" in finished.make().text


def test_editing_a_figure_draws_again_and_nothing_else(finished: Checkout) -> None:
    append(finished, "benchmarks/reporting/figures.py")
    assert set(finished.plan()) == VIEWS


def test_editing_the_span_code_trains_everything_again(finished: Checkout) -> None:
    whole = finished.plan("--forceall")
    append(finished, "gliner_core/spans.py")
    jobs = finished.plan()
    kept = {"prepare", "mix", "check_leakage", "open_store"}
    assert jobs == {rule: found for rule, found in whole.items() if rule not in kept}


def test_editing_a_word_list_makes_its_data_again_and_what_follows(finished: Checkout) -> None:
    append(finished, "benchmarks/corpora/demo_data/ood_sport.yaml")
    jobs = finished.plan()
    assert {"prepare", "mix", "train", "predict", "check_leakage"} <= set(jobs)


def test_editing_a_study_touches_only_it(finished: Checkout) -> None:
    finished.change("benchmarks/studies/span_width.yaml", title="Another title")
    jobs = finished.plan()
    tables = {rule: {"span_width"} for rule in TABLES - {"collect", "pair"}}
    assert jobs == tables | {"present": {"span_width/width"}, "publish": {""}, "all": {""}}


def test_adding_a_value_to_an_axis_trains_only_it(finished: Checkout) -> None:
    finished.change("benchmarks/studies/span_width.yaml", axes={"model.max_width": [2, 3, 8]})
    jobs = finished.plan()
    assert counts({rule: jobs[rule] for rule in ("train", "predict", "score", "track")}) == {
        "train": 1, "predict": 1, "score": 1, "track": 1,
    }  # fmt: skip
    assert jobs["collect"] == {"span_width"}


def test_editing_a_threshold_scores_again_without_predicting(finished: Checkout) -> None:
    finished.change("benchmarks/protocols/no-else.yaml", threshold=0.4)
    jobs = finished.plan()
    assert set(jobs) == {"score", "track", "publish", "all"} | TABLES | ANALYSES
    assert not any(owner.startswith("max_width") for owner in jobs["score"])


def test_changing_the_number_of_resamples_scores_again_without_predicting(finished: Checkout) -> None:
    jobs = finished.plan(resamples=200)
    assert set(jobs) == {"score", "track", "publish", "all"} | TABLES | ANALYSES
    assert len(jobs["score"]) == 4


def test_a_lost_table_figure_or_tracking_store_is_made_again(finished: Checkout) -> None:
    for name in ("main_table/table.md", "span_width/figure.png"):
        finished.path(f"results/demo/studies/{name}").unlink()
    again = {"tabulate": {"main_table"}, "plot": {"span_width"}, "publish": {""}, "all": {""}}
    assert finished.plan() == again
    shutil.rmtree(finished.path("results/tracking"))
    # Paired differences are read from the score files, not from the store.
    assert set(finished.plan()) == {"open_store", "track", "publish", "all"} | ANALYSES | TABLES - {"pair"}


def test_editing_a_system_asks_only_it_again(finished: Checkout) -> None:
    finished.change("benchmarks/systems/random-scorer.yaml", seed=2)
    jobs = finished.plan()
    assert jobs["predict"] == {"random-scorer/demo_ood"} and "train" not in jobs


def test_editing_a_title_reaches_the_tables(finished: Checkout) -> None:
    finished.change("benchmarks/datasets/demo_ood_sport.yaml", title="Games")
    assert set(finished.plan()) == {"tabulate"} | VIEWS


def append(checkout: Checkout, name: str) -> None:
    """Adds a comment to a file."""
    checkout.write(name, checkout.path(name).read_text(encoding="utf-8") + "\n# A comment.\n")
