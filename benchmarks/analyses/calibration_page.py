"""Tables, sentences and figure on whether scores mean what they say, and on the choice of a threshold."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.analyses.claim_showing import COLUMNS as CLAIM_COLUMNS
from benchmarks.analyses.claim_showing import claim_cells, note_of, outcome_words, with_texts
from benchmarks.analyses.page import Page
from benchmarks.analyses.showing import (
    SENTENCE_INTERVAL,
    count_cell,
    interval_words,
    number,
    seed_cell,
    table,
    value_cell,
    word_cell,
)
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.style import COLUMN_INCHES, GRID, MUTED, color
from benchmarks.reporting.summary import AVERAGE
from benchmarks.reporting.table_text import TextCell, TextTable

POOLED = "all"
TITLES = {"decoded": "decoded spans", "candidates": "all candidates"}
LOW, USUAL = 0.3, 0.5
BINS_NOTE = "15 bins: of equal mass (quantiles of the scores) or of equal width; MCE: the largest gap, equal mass."
ORACLE_NOTE = (
    "Best thresholds are chosen on the test sentences themselves: what they gain is an upper bound. Each resample "
    "chooses anew, as an oracle of its own sentences would, so the interval of what one threshold loses lies high and "
    "may leave out its value."
)
BOOTSTRAP_NOTE = (
    "Resampling adds noise to every bin, so an interval of ECE or MCE leans upwards and may miss its value."
)


def present(rows: pd.DataFrame, card: StudyCard, space: Workspace) -> Page:
    """Errors of both populations, thresholds, and what the floor leaves out."""
    rows = with_texts(rows)
    titles = space.dataset_titles() | {POOLED: "All sentences", AVERAGE: "Average"}
    errors = {name: _errors(rows, name, titles) for name in TITLES}
    return Page(
        tables=(*errors.values(), _thresholds(rows, titles)),
        findings=tuple(_findings(rows)),
        draw=lambda figure: _draw(figure, rows),
        notes=(
            "Above: equal-mass bins of all sentences; bars: 95 % over sentences;",
            "dashed: scores that mean what they say. Below: mean over datasets;",
            "band: 95 % over sentences; ticks: best threshold of each dataset.",
        ),
    )


def _row(rows: pd.DataFrame, **wanted: object) -> pd.Series:
    for name, value in wanted.items():
        rows = rows[rows[name] == value]
    return rows.iloc[0]


def _errors(rows: pd.DataFrame, population: str, titles: dict[str, str]) -> TextTable:
    mine = rows[(rows["kind"] == "error") & (rows["population"] == population)]
    kept = rows[rows["kind"] == "kept"]
    lines = []
    for dataset in dict.fromkeys(mine["dataset"]):
        own = mine[mine["dataset"] == dataset]
        mass, wide = (_row(own, measure="ece_pct", binning=name) for name in ("mass", "width"))
        largest = _row(own, measure="mce_pct", binning="mass")
        gap, brier = (_row(own, measure=name) for name in ("bias_pct", "brier"))
        lines.append(
            [
                word_cell(titles.get(dataset, dataset)),
                count_cell(mass["count"]),
                *(value_cell(row["value"], row["low"], row["high"]) for row in (mass, wide, largest)),
                value_cell(gap["value"], gap["low"], gap["high"], "+"),
                seed_cell(mass),
                value_cell(brier["value"], brier["low"], brier["high"], decimals=3),
                _share_cell(_row(kept, dataset=dataset)),
            ]
        )
    columns = (
        "Dataset", "Candidates", "ECE, %", "ECE (equal width), %", "MCE, %", "Mean score - correct, points",
        "ECE over seeds", "Brier", "Gold not kept, %",
    )  # fmt: skip
    return table(f"Calibration, {TITLES[population]}", columns, lines, (SENTENCE_INTERVAL, BINS_NOTE, BOOTSTRAP_NOTE))


def _share_cell(row: pd.Series) -> TextCell:
    return value_cell(row["value"], row["low"], row["high"])


def _f1_at(rows: pd.DataFrame, dataset: str, threshold: float) -> float:
    curve = rows[(rows["kind"] == "curve") & (rows["dataset"] == dataset) & (rows["measure"] == "f1_pct")]
    return float(curve.loc[(curve["threshold"] - threshold).abs().idxmin(), "value"])


def _thresholds(rows: pd.DataFrame, titles: dict[str, str]) -> TextTable:
    lines = []
    for dataset in dict.fromkeys(rows.loc[rows["kind"] == "best", "dataset"]):
        best, regret, low = (_row(rows, kind=kind, dataset=dataset) for kind in ("best", "regret", "low"))
        lines.append(
            [
                word_cell(titles.get(dataset, dataset)),
                value_cell(best["value"], best["low"], best["high"], decimals=2),
                *(value_cell(_f1_at(rows, dataset, at)) for at in (best["value"], USUAL, LOW)),
                value_cell(low["value"], low["low"], low["high"], "+"),
                seed_cell(low, "+"),
                *claim_cells(low),
                value_cell(regret["value"], regret["low"], regret["high"]),
            ]
        )
    columns = (
        "Dataset", "Best threshold", "F1 at it", f"F1 at {USUAL}", f"F1 at {LOW}", f"F1 at {LOW} - at {USUAL}",
        "Over seeds", *CLAIM_COLUMNS, "Lost by one threshold for all",
    )  # fmt: skip
    notes = (SENTENCE_INTERVAL, ORACLE_NOTE, note_of(rows))
    return table("Thresholds 0.05 to 0.95 in steps of 0.01", columns, lines, notes)


def _findings(rows: pd.DataFrame) -> list[str]:
    kept = _row(rows, kind="kept", dataset=POOLED)
    errors = rows[(rows["kind"] == "error") & (rows["dataset"] == POOLED)]
    found = [_calibrated(errors[errors["population"] == name], TITLES[name]) for name in TITLES]
    found.append(
        f"{kept['value']:.1f} % of the gold entities (95 % over sentences {kept['low']:.1f} to {kept['high']:.1f}) "
        "have no candidate above the floor of 0.05 and are in neither population; scores below it are not judged."
    )
    if not rows.loc[rows["kind"] == "curve", "value"].any():
        return [*found, "No threshold finds any entity, so nothing can be said about the choice of one."]
    best, regret, low = (_row(rows, kind=kind, dataset=AVERAGE) for kind in ("best", "regret", "low"))
    found.append(
        f"One threshold for all datasets, {best['value']:.2f} at its best, loses {number(regret['value'])} points of "
        f"F1 ({interval_words(regret)}) against the best threshold of each; both are chosen on the test sentences, so "
        "this is an upper bound."
    )
    found.append(
        f"A threshold of {LOW} instead of {USUAL} changes the average F1 by {number(low['value'], '+')} points "
        f"({interval_words(low, '+')}), {outcome_words(low)}."
    )
    return found


def _calibrated(mine: pd.DataFrame, title: str) -> str:
    ece, gap = _row(mine, measure="ece_pct", binning="mass"), _row(mine, measure="bias_pct")
    if not ece["count"]:
        return f"There are no {title}, so nothing can be said about their scores."
    return (
        f"Scores of {title}: the expected calibration error is {ece['value']:.1f} % ({interval_words(ece)}); the mean "
        f"score lies {number(gap['value'], '+')} points from the share that is correct ({interval_words(gap, '+')}), "
        f"{_described(gap)}."
    )


def _described(row: pd.Series) -> str:
    """Whether zero lies outside all intervals, on one side; no verdict, because nothing is tested here."""
    ends = [row[name] for name in ("low", "high", "seed_low", "seed_high") if not is_missing(row[name])]
    return f"zero is {'' if min(ends) > 0 or max(ends) < 0 else 'not '}left out; described, not tested"


def _draw(figure: Figure, rows: pd.DataFrame) -> None:
    figure.set_size_inches(COLUMN_INCHES, 5.0)
    above, below = figure.subplots(2, 1)
    _draw_reliability(above, rows[(rows["kind"] == "bin") & (rows["dataset"] == POOLED) & (rows["binning"] == "mass")])
    _draw_sweep(below, rows)
    for axes in (above, below):
        axes.grid(color=GRID, linewidth=0.5)
        axes.set_xlim(0, 1)
    above.set_ylim(0, 100)


def _draw_reliability(axes: Axes, bins: pd.DataFrame) -> None:
    axes.plot([0, 1], [0, 100], color=MUTED, linewidth=0.7, linestyle=(0, (4, 3)))
    for place, (name, title) in enumerate(TITLES.items()):
        own = bins[bins["population"] == name]
        axes.vlines(own["score"], own["low"], own["high"], color=color(place), linewidth=0.8)
        axes.plot(own["score"], own["value"], "o-", color=color(place), linewidth=1.1, markersize=3, label=title)
    axes.set_xlabel("mean score of the bin")
    axes.set_ylabel("correct, %")
    axes.legend(loc="upper left")


def _draw_sweep(axes: Axes, rows: pd.DataFrame) -> None:
    curves = rows[(rows["kind"] == "curve") & (rows["dataset"] == AVERAGE)]
    for place, name in enumerate(("f1", "precision", "recall")):
        own = curves[curves["measure"] == f"{name}_pct"]
        axes.plot(own["threshold"], own["value"], color=color(place), linewidth=1.3, label=name.replace("f1", "F1"))
        if name == "f1":
            axes.fill_between(own["threshold"], own["low"], own["high"], color=color(place), alpha=0.25, linewidth=0)
    best = rows[(rows["kind"] == "best") & (rows["dataset"] != AVERAGE)]
    top = max(5.0, min(100.0, 1.15 * curves["value"].max()))
    axes.set_ylim(0, top)
    axes.vlines(best["value"], 0, 0.05 * top, color=MUTED, linewidth=1.2)
    for value in (LOW, USUAL):
        axes.axvline(value, color=MUTED, linewidth=0.6, linestyle=(0, (4, 3)), zorder=0)
    axes.set_xlabel(f"threshold (dashed: {LOW} and {USUAL})")
    axes.set_ylabel("average over datasets, %")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, borderaxespad=0.2)
