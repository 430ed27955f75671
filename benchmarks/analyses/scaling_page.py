"""Page of the analysis `scaling`: what labelled data and pretraining on open types buy, and what cannot be said."""

from functools import partial

import pandas as pd

from benchmarks.analyses.page import Page
from benchmarks.analyses.scaling_figure import PRINTED, draw_scaling
from benchmarks.analyses.scaling_findings import curve_findings, gap_findings, mean_rows, only_row, pass_findings
from benchmarks.analyses.scaling_points import WITH, WITHOUT
from benchmarks.analyses.scaling_rows import CHANGE, F1, GAP, PARAMETERS, RESIDUAL
from benchmarks.analyses.showing import (
    SENTENCE_INTERVAL,
    count_cell,
    number,
    seed_cell,
    table,
    value_cell,
    word_cell,
)
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.difference_text import p_text, shown_text
from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.table_text import TextCell, TextTable

TITLES = {
    "asymptote": "a: error that more data does not remove, %",
    "height": "b: error above a at 100 examples, points",
    "exponent": "c: exponent",
}
MODEL = "Error (100 - F1) fitted as a + b (n / 100)^-c by least squares over the sizes, a and b not negative."
SEEDS = (
    "Over seeds: Student's t for means; for a, b, c and the size of a point, normal noise on the points with the "
    "pooled variance over seeds (one seed: the residuals of the curve), taken as independent between sizes."
)

TESTED = (
    "Gain: with minus without pretraining on the same sentences and seeds. p: approximate randomisation; adjusted: "
    "Holm's correction over the sizes. Shown: by the rule that judges every study."
)
CHANGED = "p: from the standard error of the paired bootstrap; one test. Shown: by the rule that judges every study."


def present(rows: pd.DataFrame, card: StudyCard, space: Workspace) -> Page:
    """Sentences, tables and figure; works with one start, one seed, or too few sizes for a curve."""
    rows = rows.astype({"reach": object}).fillna({"reach": ""})  # a file cannot tell empty text from none
    starts = [start for start in (WITHOUT, WITH) if start in set(rows["start"])]
    points = {start: mean_rows(rows, F1, start) for start in starts}
    tables, change = [_point_table(rows, points)], only_row(rows, CHANGE)
    tables += [] if change is None else [_change_table(change)]
    if PARAMETERS[0] in set(rows["topic"]):
        tables.append(_fit_table(rows, starts))
    if not mean_rows(rows, GAP).empty:
        tables.append(_dataset_table(rows, space))
    findings = [*gap_findings(rows), *curve_findings(rows, points), *pass_findings(points)]
    notes = ["Mean over the suite. Thick: 95 % over sentences, thin: over seeds, cut at the frame;"]
    notes += ["small rings: lowest and highest seed."]
    if not space.scale.synthetic:
        notes.append("Hollow: the gain that the paper's prose states (20 datasets, another model).")
    draw = partial(draw_scaling, rows, () if space.scale.synthetic else PRINTED)
    return Page(tables=tuple(tables), findings=tuple(findings), draw=draw, notes=tuple(notes))


def _point_table(rows: pd.DataFrame, points: dict[str, pd.DataFrame]) -> TextTable:
    columns = ["Examples per dataset", "At most", "Passes"]
    for start in points:
        columns += [f"F1 {start}, %", "Over seeds"]
    gaps = mean_rows(rows, GAP)
    columns += [] if gaps.empty else ["Gain, points", "Over seeds", "p", "p, adjusted", "Shown"]
    lines: list[list[TextCell]] = []
    for place in range(len(next(iter(points.values())))):
        first = next(iter(points.values())).iloc[place]
        line = [count_cell(first["size"]), count_cell(first["nominal"]), value_cell(first["passes"])]
        for mine in points.values():
            row = mine.iloc[place]
            line += [value_cell(row["value"], row["low"], row["high"]), seed_cell(row)]
        if not gaps.empty:
            row = gaps.iloc[place]
            line += [value_cell(row["value"], row["low"], row["high"], "+"), seed_cell(row, "+"), *_test_cells(row)]
        lines.append(line)
    notes = [SENTENCE_INTERVAL, "Examples: mean over the datasets of what was drawn. Passes: of the training over it."]
    return table("F1 by labelled examples", columns, lines, notes if gaps.empty else [*notes, TESTED])


def _test_cells(row: pd.Series) -> list[TextCell]:
    texts = [p_text(row, "p_value"), p_text(row)]
    return [*(TextCell(text=text, is_number=True) for text in texts), word_cell(shown_text(row))]


def _change_table(change: pd.Series) -> TextTable:
    cells = [value_cell(change["value"], change["low"], change["high"], "+"), seed_cell(change, "+")]
    cells += [TextCell(text=p_text(change, "p_value"), is_number=True), word_cell(shown_text(change))]
    columns = ("Largest minus smallest size, points", "Over seeds", "p", "Shown")
    return table("Change of the gain", columns, [cells], (SENTENCE_INTERVAL, CHANGED))


def _fit_table(rows: pd.DataFrame, starts: list[str]) -> TextTable:
    columns = ["Parameter"]
    for start in starts:
        columns += [start.capitalize(), "Over seeds"]
    lines = []
    for name, title in TITLES.items():
        line = [word_cell(title)]
        for start in starts:
            row = only_row(rows, name, start)
            if row is None:
                line += [word_cell(""), word_cell("")]
                continue
            decimals = 2 if name == "exponent" else 1
            line += [value_cell(row["value"], row["low"], row["high"], decimals=decimals), _ends_cell(row, decimals)]
        lines.append(line)
    residuals: list[TextCell] = [word_cell("Residuals, root mean square, points")]
    for start in starts:
        row = only_row(rows, RESIDUAL, start)
        residuals += [word_cell("") if row is None else value_cell(row["value"], decimals=2), word_cell("")]
    return table("Fitted learning curves", columns, [*lines, residuals], (MODEL, SENTENCE_INTERVAL, SEEDS))


def _ends_cell(row: pd.Series, decimals: int) -> TextCell:
    ends = [number(row[name], decimals=decimals) for name in ("seed_low", "seed_high")]
    return word_cell("" if is_missing(row["seed_low"]) else " to ".join(ends))


def _dataset_table(rows: pd.DataFrame, space: Workspace) -> TextTable:
    gaps = rows[(rows["topic"] == GAP) & rows["dataset"].notna()]
    sizes = sorted(gaps["size"].unique())
    titles = space.dataset_titles()
    lines = []
    for name in dict.fromkeys(gaps["dataset"]):
        mine = gaps[gaps["dataset"] == name].sort_values("size")
        cells = [value_cell(row["value"], row["low"], row["high"], "+") for _, row in mine.iterrows()]
        lines.append([word_cell(titles.get(name, name)), *cells])
    columns = ["Gain in F1 points at", *(f"{size:,.0f}" for size in sizes)]
    return table("Gain from pretraining, by dataset", columns, lines, (SENTENCE_INTERVAL,))
