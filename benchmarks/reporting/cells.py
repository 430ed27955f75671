"""Score files -> tidy rows: one row per cell and metric, plus one per suite average, with intervals.

The values come from the score files alone, so tracking and collecting read the same numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.catalog.grid import DEFAULT_SPLIT, Grid, Row
from benchmarks.catalog.registry import Registry
from benchmarks.reporting.summary import AVERAGE
from benchmarks.scoring.counts import Metric, suite_rate
from benchmarks.scoring.scores import read_score

COLUMNS = (
    "scale", "study", "variant", "label", "run", "seed", "system", "backbone", "suite", "dataset", "language",
    "script", "protocol", "decoding", "metric", "value", "low", "high", "num_sentences", "path",
)  # fmt: skip
VALUE_COLUMNS = ("dataset", "language", "script", "path", "metric", "value", "low", "high", "num_sentences")
Values = list[dict[str, Any]]  # tidy rows of one grid row
NUMBERS = dict.fromkeys(("value", "low", "high"), float)
MAIN_PROTOCOL = "gliner-official"
RATES: tuple[Metric, ...] = ("precision", "recall", "f1")


def score_path(folder: str, protocol: str) -> str:
    """Path of a score file below results/<scale>/."""
    return f"{folder}/scores.{protocol}.json"


def row_values(
    registry: Registry, grid: Grid, row: Row, results: Path
) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
    """The tidy rows of one grid row, and the counts [S, 3] behind them; `results` is results/<scale>.

    Rows of every dataset of its suite, then of the average, whose intervals `averages.py` adds.
    """
    rows, scores = [], []
    for card in [registry.datasets[name] for name in registry.suite_datasets(row.suite)]:
        path = score_path(grid.cell_of(row, card).folder, row.protocol)
        scores.append(read_score(results / path))
        place = {"dataset": card.name, "language": card.language, "script": card.script, "path": path}
        rows += _dataset_rows(place, scores[-1])
    counts = [score["sentences"] for score in scores]
    return [*rows, *_average_rows(scores, counts)], counts


def _dataset_rows(place: Mapping[str, str], score: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    size = score["num_sentences"]
    for name in RATES:
        bounds = score["interval"] if name == "f1" else {}
        yield {
            **place, "metric": f"{name}_pct", "value": score[f"{name}_pct"], "low": bounds.get("low_pct"),
            "high": bounds.get("high_pct"), "num_sentences": size,
        }  # fmt: skip
    reach = score["reachable_recall_pct"]
    yield {**place, "metric": "reachable_recall_pct", "value": reach, "num_sentences": size}


def _average_rows(scores: Sequence[Mapping[str, Any]], counts: Sequence[np.ndarray]) -> Iterator[dict[str, Any]]:
    place = {"dataset": AVERAGE, "language": "", "script": "", "path": "", "num_sentences": sum(map(len, counts))}
    for name in RATES:
        yield {**place, "metric": f"{name}_pct", "value": 100 * suite_rate(counts, name)}
    reach = float(np.mean([score["reachable_recall_pct"] for score in scores]))
    yield {**place, "metric": "reachable_recall_pct", "value": reach}


def run_facts(report: Mapping[str, Any]) -> dict[str, float]:
    """Run-level facts that a repetition reproduces: size, and the measured share of negative types."""
    facts = {"parameters": report.get("parameters"), "negative_share_pct": _percent(report.get("negative_share"))}
    return {name: value for name, value in facts.items() if value is not None}


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def cost_values(report: Mapping[str, Any], answers: list[Mapping[str, Any]]) -> dict[str, float]:
    """Times and memory: of the training (none for a system) and of all its predictions together."""
    values: dict[str, float] = {}
    if report.get("words_per_second"):
        values["words_per_second_train"] = report["words_per_second"]
        values["seconds_train"] = report["seconds"]
        values["bytes_peak_train"] = report["bytes_peak"]
    seconds = sum(answer["seconds"] for answer in answers)
    if seconds:
        values["words_per_second_predict"] = sum(answer["words"] for answer in answers) / seconds
        values["bytes_peak_predict"] = max(answer["bytes_peak"] for answer in answers)
    return values


def identity(grid: Grid, row: Row) -> dict[str, Any]:
    """The columns that say whose numbers these are."""
    run = grid.runs.get(row.owner)
    return {
        "scale": grid.scale, "study": row.study, "variant": row.variant, "label": row.label,
        "run": row.owner if run else "", "seed": row.seed, "system": "" if run else row.owner,
        "backbone": run.spec.model.backbone.name if run else "", "suite": row.suite,
        "protocol": row.protocol, "decoding": row.decoding,
    }  # fmt: skip


def score_frame(grid: Grid, rows: Sequence[Row], values: Sequence[Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """Tidy cells of some grid rows in order, from the values of each (`row_values`); built by column."""
    whose = pd.DataFrame([identity(grid, row) for row in rows]).astype({"seed": "Int64"})
    whose = whose.take(np.repeat(np.arange(len(rows)), [len(mine) for mine in values])).reset_index(drop=True)
    columns = {name: [item.get(name) for mine in values for item in mine] for name in VALUE_COLUMNS}
    return whose.assign(**columns).astype({**NUMBERS, "num_sentences": "Int64"})[list(COLUMNS)]


def to_frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a frame with all columns in their order; seeds stay whole numbers."""
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"seed": "Int64", "num_sentences": "Int64"})


def metric_name(row: Row, usual_decoding: str, metric: str, dataset: str) -> str:
    """MLflow name of a number: `f1/crossner_ai`; protocols but the main one, and decoding axes, stand behind a dot.

    MLflow's pages group charts by the text before the last slash, so each measure gets its own section. One protocol
    goes unnamed for all suites: two suites may share a dataset and differ in their own protocols.
    """
    parts = [metric.removesuffix("_pct")]
    if row.protocol != MAIN_PROTOCOL:
        parts.append(row.protocol)
    if row.decoding != usual_decoding:
        parts.append(row.decoding)
    place = dataset if row.split == DEFAULT_SPLIT else f"{dataset}.{row.split}"
    return ".".join(parts) + "/" + (f"{AVERAGE}.{row.suite}" if dataset == AVERAGE else place)
