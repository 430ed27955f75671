"""How pages show costs: a ratio to the baseline with its spread, and the absolute number of this machine beside it."""

from collections.abc import Sequence

import pandas as pd

from benchmarks.analyses.showing import seed_cell, table, value_cell, word_cell
from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.table_text import MISSING, TextCell, TextTable

MIB, MEGA = 2.0**20, 1e6
# measure -> (title, divisor, decimals)
MEASURES = {
    "words_per_second": ("words/s", 1.0, 0),
    "words_per_cpu_second": ("words/CPU s", 1.0, 0),
    "latency_p50_ms": ("p50, ms", 1.0, 1),
    "latency_p95_ms": ("p95, ms", 1.0, 1),
    "flops_per_word": ("MFLOP/word", MEGA, 1),
    "bytes_peak": ("peak, MiB", MIB, 0),
    "joules_per_kiloword": ("J/1,000 words", 1.0, 1),
}
RATIO_NOTE = "x: times the baseline, taken within each pass; median [10th, 90th percentile] over passes."


def pick(rows: pd.DataFrame, variant: str, work: str, measure: str) -> pd.Series | None:
    """The row of one number, if it was measured."""
    found = rows[(rows["variant"] == variant) & (rows["work"] == work) & (rows["measure"] == measure)]
    return None if found.empty else found.iloc[0]


def variants(rows: pd.DataFrame) -> list[str]:
    """Variants in the order of the rows."""
    return list(dict.fromkeys(rows.loc[rows["variant"].notna(), "variant"]))


def baseline_name(rows: pd.DataFrame) -> str:
    """The variant that costs are measured against."""
    return str(rows.loc[rows["is_baseline"].astype(str) == "True", "variant"].iloc[0])


def ratio_text(row: pd.Series) -> str:
    """`1.31 x [1.28, 1.35]`, without bounds where it was taken once."""
    text = f"{row['ratio']:.2f} x"
    return text if is_missing(row["ratio_low"]) else f"{text} [{row['ratio_low']:.2f}, {row['ratio_high']:.2f}]"


def absolute_text(row: pd.Series) -> str:
    """The number itself in the unit of its title."""
    _, divisor, decimals = MEASURES[row["measure"]]
    return f"{row['value'] / divisor:,.{decimals}f}"


def cost_cells(row: pd.Series | None) -> tuple[TextCell, TextCell]:
    """Ratio and absolute number."""
    if row is None:
        return TextCell(text=MISSING, is_number=True), TextCell(text=MISSING, is_number=True)
    number, _, bounds = ratio_text(row).partition(" [")
    detail = f"[{bounds}" if bounds else ""
    return TextCell(text=number, detail=detail, is_number=True), TextCell(text=absolute_text(row), is_number=True)


def cost_table(rows: pd.DataFrame, heading: str, first: str, names: Sequence[tuple[str, str]], work: str) -> TextTable:
    """One line per variant (name, shown as), two columns per measure that was taken."""
    taken = [key for key in MEASURES if ((rows["work"] == work) & (rows["measure"] == key)).any()]
    columns = [text for key in taken for text in (f"{MEASURES[key][0].partition(',')[0]}, x", MEASURES[key][0])]
    cells = [
        [word_cell(shown), *(cell for key in taken for cell in cost_cells(pick(rows, name, work, key)))]
        for name, shown in names
    ]
    return table(heading, [first, *columns], cells, (RATIO_NOTE,))


def condition_table(rows: pd.DataFrame) -> TextTable:
    """What the costs hold for."""
    told = rows[rows["work"] == "conditions"]
    return table(
        "Measured on", ["What", "Value"], [[word_cell(row.measure), word_cell(row.detail)] for row in told.itertuples()]
    )


def quality_table(rows: pd.DataFrame, first: str, names: Sequence[tuple[str, str]]) -> TextTable:
    """F1, its two intervals, reachable recall, and the paired difference from the baseline."""
    lines = []
    for name, shown in names:
        score, reach = (pick(rows, name, "quality", key) for key in ("f1_pct", "reachable_recall_pct"))
        other = pick(rows, name, "quality", "f1_difference_points")
        assert score is not None and reach is not None
        paired = [word_cell(""), word_cell("")]
        if other is not None:
            paired = [value_cell(other["value"], other["low"], other["high"], "+"), seed_cell(other, "+")]
        visible = value_cell(None if other is None else other["visible_points"])
        lines.append(
            [word_cell(shown), value_cell(score["value"], score["low"], score["high"]), seed_cell(score),
             value_cell(reach["value"]), *paired, visible]
        )  # fmt: skip
    columns = (first, "F1, %", "over seeds", "Reachable recall, %", "F1 - baseline", "over seeds", "visible, points")
    notes = (
        "[low, high]: 95 % over test sentences; over seeds: Student's 95 % interval, none for one seed. Differences "
        "are paired; visible: the true difference that would have been shown 4 times in 5, over these sentences and, "
        "where there are several, these seeds at once.",
    )
    return table("Quality, average over the suite", columns, lines, notes)


def is_beyond_noise(row: pd.Series, baseline: pd.Series) -> bool:
    """Whether nine in ten differ from the baseline on one side: ratios of passes, or bytes of unpaired processes."""
    if row["measure"] == "bytes_peak":
        return bool(row["low"] > baseline["high"] or row["high"] < baseline["low"])
    return bool(row["ratio_low"] > 1 or row["ratio_high"] < 1)
