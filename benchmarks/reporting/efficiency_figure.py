"""The figure of the efficiency suite: speed-up over the package by case, and how much the encoder leaves possible."""

from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.reporting.style import COLUMN_INCHES, GRID, INK, MUTED, SETTINGS, add_footer, color, save_figure

SECTIONS = {"training": "Training step", "inference": "Inference"}
ROW_INCHES = 0.17
AID = (
    "Dots: time of the published package over ours, median; lines: 10th to 90th percentile.",
    "Grey marks: the package over the encoder alone, the limit for any model that keeps it.",
    "b: examples or texts a batch, t: types asked, k: span width K in words.",
)


def draw_efficiency(cases: pd.DataFrame, svg: Path, png: Path) -> None:
    """Draws the wall-clock ratios of training and inference; a void case has its name and no dot."""
    shown = cases[cases["work"].isin(SECTIONS) & cases["measure"].eq("ratio_wall")]
    parts = [(work, case, own) for (work, case), own in shown.groupby(["work", "case"], sort=False)]
    with matplotlib.rc_context(SETTINGS):
        height = ROW_INCHES * (len(parts) + 2 * shown["work"].nunique()) + 0.7
        figure = Figure(figsize=(COLUMN_INCHES, height), layout="constrained")
        axes = figure.subplots()
        _draw(axes, parts)
        add_footer(figure, AID, "")
        save_figure(figure, svg, png)


def _draw(axes: Axes, parts: list[tuple[str, str, pd.DataFrame]]) -> None:
    place, places, labels, seen = 0.0, [], [], set[str]()
    for work, case, own in parts:
        if work not in seen:
            seen.add(work)
            place += 1.0
            axes.annotate(
                SECTIONS[work], (0, place - 0.9), xycoords=("axes fraction", "data"), xytext=(-4, 0), ha="right",
                textcoords="offset points", va="center", color=MUTED, style="italic",
            )  # fmt: skip
        places.append(place)
        labels.append(case)
        _draw_case(axes, own, place)
        place += 1.0
    axes.set_yticks(places, labels)
    axes.set_ylim(place, -0.6)
    axes.set_xlim(left=0)
    axes.axvline(1, color=MUTED, linewidth=0.6)
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("times as fast as the published package")


def _draw_case(axes: Axes, own: pd.DataFrame, place: float) -> None:
    rows = {record["pair"]: record for _, record in own.iterrows() if record["status"] == "ok"}
    if (limit := rows.get("package/encoder")) is not None:
        axes.plot([limit["median"]], [place], "|", color=MUTED, markersize=7, markeredgewidth=1.4, zorder=2)
    if (gain := rows.get("package/ours")) is not None:
        line = {"color": INK, "linewidth": 0.9, "solid_capstyle": "butt", "zorder": 3}
        axes.plot([gain["p10"], gain["p90"]], [place, place], **line)
        axes.plot([gain["median"]], [place], "o", color=color(0), markersize=4, zorder=4)
