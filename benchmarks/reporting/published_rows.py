"""Printed numbers as rows of a table: each with its protocol, and only like metrics in one block.

A study's first published file holds the rows that it is held against. What other files hold, and metrics that are not
those of our columns, stand in blocks of their own with file and metric in the heading.
"""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.printed import AVERAGE, COUNTS, GAIN, protocol_of
from benchmarks.reporting.inputs import table_number
from benchmarks.reporting.table_text import COMPANIONS

METRIC_TITLES = {
    "precision_pct": "Precision",
    "recall_pct": "Recall",
    "f1_pct": "F1",
    "reachable_recall_pct": "Reachable recall",
}
OTHER_METRICS = {"token_f1_pct": "token F1", GAIN: "gain in F1"}
OTHER_AVERAGES = {  # over other lists than the column `Average`
    "average_19": "Average of 19 sets",
    "average_20": "Average of 20 sets",
    "average_crossner": "CrossNER",
}
Rows = list[dict[str, Any]]


def like_ours(printed: pd.DataFrame, card: StudyCard) -> tuple[pd.DataFrame, list[tuple[str, pd.DataFrame]]]:
    """The rows that may stand above ours, and all others as (heading, rows); rows without a value are not among them.

    Like ours are the numbers of the first file in the metrics of our columns (with datasets as columns that is F1), and
    counts of weights.
    """
    if printed.empty:
        return printed, []
    ours = (*(METRIC_TITLES if card.layout == "axes" else ("f1_pct",)), *COUNTS)
    first = printed["file"] == printed["file"].iloc[0]
    rest = printed[~(first & printed["metric"].isin(ours)) & printed["value"].notna()]
    others = [
        (_other_heading(str(file), str(metric), is_ours=metric in ours), rows)
        for (file, metric), rows in rest.groupby(["file", "metric"], sort=False)
    ]
    return printed[first & printed["metric"].isin(ours)], others


def published_heading(printed: pd.DataFrame) -> str:
    """`Published: arXiv 2311.08526, Table 1`."""
    first = printed.iloc[0]
    paper = re.sub(r"^(?=\d{4}\.\d{5})", "arXiv ", str(first["paper"]))
    table = str(table_number(first["table"]))
    return f"Published: {paper}, {table if table[:1].isalpha() else f'Table {table}'}"


def _other_heading(file: str, metric: str, is_ours: bool) -> str:
    told = METRIC_TITLES[metric] if is_ours else f"{OTHER_METRICS.get(metric, metric)} instead of entity F1"
    return f"Published elsewhere ({file}.csv), {told} (not comparable with the blocks above)"


def published_rows(printed: pd.DataFrame, card: StudyCard, titles: Mapping[str, str]) -> Rows:
    """One row per printed model or variant, with the protocols that its numbers were scored under."""
    records = printed.to_dict("records")
    # Tables 2 to 4 print datasets as rows and models as columns; ours always have the models as rows.
    turned = {row["table"] for row in records if str(row["row"]).startswith("Average")}
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records:
        if record["table"] in turned and card.layout == "datasets":
            record |= {"row": record["column"], "column": record["row"]}
        found.setdefault((record["table"], str(record["row"])), []).append(record)
    return [_published_row(name, rows, card, titles) for (_, name), rows in found.items()]


def _published_row(
    name: str, records: list[dict[str, Any]], card: StudyCard, titles: Mapping[str, str]
) -> dict[str, Any]:
    row: dict[str, Any] = {name_column(card): name, "Protocol": None}
    protocols: dict[str, str] = {}
    for record in records:
        if record["metric"] in COUNTS:
            as_printed = re.match(r"printed ([^;]+)", str(record["note"]))
            row["Params"] = as_printed[1] if as_printed else readable_count(record["value"])
            continue
        title = _title(record, card, titles)
        protocols[title] = protocol_of(record)
        if not pd.isna(record["value"]):
            put_value(row, title, record["value"])
    single = {title: protocol for title, protocol in protocols.items() if not title.startswith("Average")}
    return row | {"Protocol": _protocols_text(single or protocols)}


def _protocols_text(protocols: Mapping[str, str]) -> str | None:
    """The protocol of most columns, then the others with their columns; an average follows its members."""
    columns = {name: [title for title in protocols if protocols[title] == name] for name in protocols.values()}
    first, *others = sorted(columns, key=lambda name: -len(columns[name])) or [None]
    return "; ".join([first, *(f"{name}: {', '.join(columns[name])}" for name in others)]) if first else None


def _title(record: Mapping[str, Any], card: StudyCard, titles: Mapping[str, str]) -> str:
    """The column of a number; one of another metric never stands in a column of ours, not even in the CSV."""
    dataset, metric = str(record["dataset"]), str(record["metric"])
    if dataset == AVERAGE:
        is_score = card.layout == "axes" and metric in METRIC_TITLES
        title = METRIC_TITLES[metric] if is_score else "Average"
    else:
        title = OTHER_AVERAGES.get(dataset) or titles.get(dataset, str(record["column"]))
    return title if metric in METRIC_TITLES else f"{title}, {OTHER_METRICS.get(metric, metric)}"


def name_column(card: StudyCard) -> str:
    """What the first column of a study's table holds."""
    return "Model" if card.layout == "datasets" else "Variant"


def put_value(row: dict[str, Any], title: str, value: float | None, decimals: int | None = None) -> None:
    """Sets a value column with its companions; printed values keep the decimals of the paper."""
    row[title] = value if value is None or decimals is None else round(value, decimals) + 0.0  # never -0.0
    for companion in (*COMPANIONS, " (path)"):
        row.setdefault(title + companion, None)


def readable_count(value: float) -> str:
    """50000000 -> `50M`, 7e9 -> `7B`, the way tables print parameter counts."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{round(value / size, 1):g}{unit}"
    return f"{value:g}"
