"""What a finished run leaves: files, the tracking store, tables that a rebuilt store repeats, commands and report."""

import json
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from checkout import Checkout, counts
from expected import job_counts
from mlflow import MlflowClient
from mlflow.entities import Run

STUDY_FILES = {
    "cells.csv", "costs.csv", "verdicts.csv", "table.csv", "table.md", "table.tex", "figure.svg", "figure.png",
    "differences.csv",
}  # fmt: skip
HOME = "results/demo"


STORE = "results/tracking/mlflow.db"


@pytest.fixture(scope="module")
def client(archive: Path) -> MlflowClient:
    """The store as the run left it. MLflow keeps connections open, so it is read where no test replaces it."""
    return MlflowClient(f"sqlite:///{archive / STORE}")


def tracked(client: MlflowClient) -> dict[str, Run]:
    """Name -> MLflow run of the scale."""
    experiment = client.get_experiment_by_name("gliner-bench/demo")
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


def read(folder: Path, name: str) -> Any:
    """A JSON file."""
    return json.loads((folder / name).read_text(encoding="utf-8"))


def tables(folder: Path) -> dict[str, bytes]:
    """Everything of the studies that a repetition must reproduce to the byte."""
    names = sorted(folder.glob("results/demo/studies/*/*.*"))
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in names if path.name != "costs.csv"}


@pytest.mark.parametrize("study", ["main_table", "span_width"])
def test_every_study_has_its_files(archive: Path, study: str) -> None:
    files = {path.name: path.stat().st_size for path in (archive / f"{HOME}/studies/{study}").iterdir()}
    assert set(files) == STUDY_FILES | ({"width"} if study == "span_width" else set())
    assert min(files.values()) > 0


def test_the_cells_hold_every_owner_protocol_dataset_and_measure(archive: Path) -> None:
    cells = pd.read_csv(archive / HOME / "studies/main_table/cells.csv", keep_default_na=False)
    scores = cells[cells["dataset"] != ""]
    measures = ["precision_pct", "recall_pct", "f1_pct", "reachable_recall_pct"]
    protocols = {"gliner-official", "gliner-fixed", "no-else", "uniner-string"}
    assert set(scores["protocol"]) == protocols and set(scores["variant"]) == {"baseline", "untrained", "random-scorer"}
    places = scores.groupby(["variant", "protocol"])["dataset"].agg(lambda names: len(set(names)))
    assert set(places) == {3}  # two datasets and the average
    assert len(scores) == 3 * len(protocols) * 3 * len(measures)
    assert scores["value"].astype(float).between(0, 100).all()


def test_nothing_half_written_is_left(archive: Path) -> None:
    files = [path for path in (archive / "results").rglob("*") if path.is_file()]
    hidden = {path.name for path in files if any(part.startswith(".") for part in path.parts[-3:])}
    assert hidden <= {".snakemake_timestamp"}
    assert [path for path in files if "scratch" in path.parts] == []


def test_the_store_holds_one_run_per_training_and_system(archive: Path, client: MlflowClient, baseline: str) -> None:
    trained = {path.name for path in (archive / f"{HOME}/runs").iterdir()}
    assert set(tracked(client)) == trained | {"random-scorer"}
    assert re.fullmatch(r"baseline_s1-[0-9a-f]{6}", baseline) and len(trained) == 3


def test_parameters_and_tags_say_what_was_run(archive: Path, client: MlflowClient, baseline: str) -> None:
    run = tracked(client)[baseline]
    spec = read(archive, f"{HOME}/runs/{baseline}/spec.json")
    flat = {key: value for part in ("optim", "sampling", "objective") for key, value in prefixed(spec[part], part)}
    assert {key: run.data.params[key] for key in flat} == flat
    assert run.data.params["model.backbone.name"] == "tiny" and run.data.params["seed"] == "1"
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=archive, capture_output=True, text=True, check=True)
    wanted = {"studies": "main_table,span_width", "variant": "baseline", "seed": "1", "scale": "demo", "dirty": "false"}
    assert {key: run.data.tags[key] for key in wanted} == wanted
    assert run.data.tags["commit"] == head.stdout.strip()
    assert run.info.status == "FINISHED"


def prefixed(part: dict[str, Any], name: str) -> list[tuple[str, str]]:
    """Keys and values as MLflow keeps them."""
    return [(f"{name}.{key}", str(value)) for key, value in part.items()]


def test_metrics_are_the_curve_the_scores_and_the_costs(archive: Path, client: MlflowClient, baseline: str) -> None:
    run = tracked(client)[baseline]
    history = (archive / f"{HOME}/runs/{baseline}/history.jsonl").read_text(encoding="utf-8").splitlines()
    curve = {item.step: item.value for item in client.get_metric_history(run.info.run_id, "train/loss")}
    assert curve == {row["step"]: row["loss"] for row in map(json.loads, history)} and len(curve) == 12
    metrics = run.data.metrics
    f1 = []
    for dataset in ("demo_ood_astronomy", "demo_ood_sport"):
        score = read(archive, f"{HOME}/cells/{baseline}/{dataset}/default/scores.gliner-official.json")
        for rate in ("precision", "recall", "f1"):
            assert metrics[f"{rate}/{dataset}"] == score[f"{rate}_pct"]
        f1.append(score["f1_pct"])
    (mean,) = [value for name, value in metrics.items() if name.startswith("f1/") and name.endswith(".demo_ood")]
    assert mean == pytest.approx(sum(f1) / 2)
    costs = ("words_per_second_train", "bytes_peak_train", "words_per_second_predict", "bytes_peak_predict")
    assert all(metrics[name] > 0 for name in costs)


def test_artifacts_are_the_spec_the_receipt_and_a_sample(
    finished: Checkout, client: MlflowClient, baseline: str
) -> None:
    run = tracked(client)[baseline]
    names = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert names == {"spec.json", "receipt.json", f"{baseline}.sample.jsonl"}


def test_a_metric_that_differs_from_its_score_file_stops_the_collection(finished: Checkout, baseline: str) -> None:
    marker = read(finished.folder, f"results/tracking/demo/{baseline}.json")
    with closing(sqlite3.connect(finished.path(STORE))) as store, store:
        change = "update latest_metrics set value = 99 where key = 'f1/demo_ood_sport' and run_uuid = ?"
        assert store.execute(change, [marker["mlflow_run"]]).rowcount == 1
    cells = finished.path(f"{HOME}/studies/span_width/cells.csv")
    cells.unlink()
    outcome = finished.snakemake(f"{HOME}/studies/span_width/cells.csv")
    assert outcome.code != 0 and not cells.exists()
    (sentence,) = outcome.lines("error: ")
    assert "MLflow metric 'f1/demo_ood_sport' is 99.0 but cells/" in sentence
    assert "delete results/tracking and start again" in sentence


def test_a_deleted_store_is_rebuilt_from_the_files_with_the_same_tables(finished: Checkout, archive: Path) -> None:
    before = tables(finished.folder)
    shutil.rmtree(finished.path("results/tracking"))
    views = dict.fromkeys(("collect", "compare", "tabulate", "plot"), 2)
    once = dict.fromkeys(("open_store", "publish", "all"), 1)
    analyses = {"gather": 1, "present": 1}  # of span_width; it reads the cells
    assert counts(finished.plan()) == {"track": 4} | views | once | analyses
    cells = pd.read_csv(archive / HOME / "studies/span_width/cells.csv")
    markers = [f"results/tracking/demo/{run}.json" for run in sorted(set(cells["run"]))]
    views = [f"{HOME}/studies/span_width/{name}" for name in ("table.csv", "verdicts.csv")]
    log = finished.make(*markers, *views).text
    assert "rule tabulate" in log and "rule train" not in log
    assert tables(finished.folder) == before


def test_headline_prints_the_table_and_where_everything_is(finished: Checkout) -> None:
    text = finished.run("benchmarks", "headline").text
    assert finished.path(f"{HOME}/studies/main_table/table.md").read_text(encoding="utf-8").strip() in text
    assert all(name in text for name in ("scorecard.html", "figure.svg", "table.csv", "mlflow.db"))


def test_list_and_plan_show_what_is_there(pristine: Checkout) -> None:
    assert "demo_ood_sport" in pristine.run("benchmarks", "list", "datasets").text
    plan = pristine.run("benchmarks", "plan")
    assert plan.code == 0 and f"{job_counts(pristine.folder, 'demo')['train']} runs, " in plan.text


def test_evaluate_repeats_the_cells_of_the_workflow(finished: Checkout, baseline: str) -> None:
    model = f"{HOME}/runs/{baseline}/model"
    outcome = finished.run("benchmarks", "evaluate", "--model", model, "--suite", "demo_ood", "--out", "mine")
    assert outcome.code == 0 and "Average" in outcome.text
    for dataset in ("demo_ood_astronomy", "demo_ood_sport"):
        cell = finished.path(f"{HOME}/cells/{baseline}/{dataset}/default/predictions.jsonl")
        assert finished.path(f"mine/{dataset}/predictions.jsonl").read_bytes() == cell.read_bytes()


def test_snakemakes_own_report_holds_the_scorecard_and_the_figures(finished: Checkout) -> None:
    finished.make("--report", "report.html")
    page = finished.path("report.html").read_text(encoding="utf-8")
    assert "scorecard.html" in page
    assert page.count("figure.svg") >= 2
