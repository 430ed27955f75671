"""Figure of the analysis `scaling`: F1 and the gain from pretraining against labelled examples per dataset."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from benchmarks.analyses.scaling_points import WITH, WITHOUT
from benchmarks.analyses.scaling_rows import CURVE, F1, GAP
from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.style import COLUMN_INCHES, GRID, INK, MUTED, color, lighten

Printed = tuple[tuple[float, float], ...]
# Section 4.3 of the paper, in its prose: gain at 100 examples per dataset, and at 10,000 (also Table 4).
PRINTED: Printed = ((100.0, 5.6), (10_000.0, 0.8))
STYLES = {WITHOUT: (color(1), "s", 0.97), WITH: (color(0), "o", 1.03)}  # drawn a little aside, so that both are seen


def draw_scaling(rows: pd.DataFrame, printed: Printed, figure: Figure) -> None:
    """One panel without a gap, else two over one axis; `printed` are the paper's gains to show beside ours."""
    gaps = rows[(rows["topic"] == GAP) & rows["dataset"].isna()].sort_values("size")
    figure.set_size_inches(COLUMN_INCHES, 2.4 if gaps.empty else 3.9)
    panels = figure.subplots(1 if gaps.empty else 2, 1, sharex=True, squeeze=False)[:, 0]
    _draw_scores(panels[0], rows)
    if not gaps.empty:
        _draw_gaps(panels[1], gaps, printed)
    for panel in panels:
        panel.grid(axis="y", color=GRID, linewidth=0.5)
    shown = () if gaps.empty else (size for size, _ in printed)
    _dress(panels[-1], sorted({*rows.loc[rows["topic"] == F1, "size"], *shown}))


def _draw_scores(axes: Axes, rows: pd.DataFrame) -> None:
    for start, (ink, marker, aside) in STYLES.items():
        mine = rows[rows["start"] == start]
        points = mine[mine["topic"] == F1].sort_values("size")
        if points.empty:
            continue
        curve = mine[mine["topic"] == CURVE].sort_values("size")
        if not curve.empty:
            axes.fill_between(curve["size"], curve["low"], curve["high"], color=lighten(ink), linewidth=0, alpha=0.35)
            axes.plot(curve["size"], curve["value"], color=ink, linewidth=0.9)
        _draw_intervals(axes, points.assign(size=points["size"] * aside), ink, marker, start)
    _bound(axes, rows[rows["topic"] == F1])
    axes.set_ylabel("F1, %, mean over the suite")
    axes.legend(loc="upper left", ncols=2, bbox_to_anchor=(0, 1.16), borderpad=0, handletextpad=0.3)


def _draw_gaps(axes: Axes, gaps: pd.DataFrame, printed: Printed) -> None:
    axes.axhline(0, color=MUTED, linewidth=0.6)
    axes.axhline(1, color=MUTED, linewidth=0.6, linestyle=(0, (4, 3)))
    place = {"xy": (0.88, 1), "xycoords": ("axes fraction", "data")}
    axes.annotate("1 point", **place, ha="right", va="bottom", fontsize=6, color=MUTED)
    _draw_intervals(axes, gaps, INK, "D", "with minus without")
    if printed:
        sizes, values = zip(*printed, strict=True)
        axes.plot(sizes, values, "o", color=MUTED, markerfacecolor="none", markersize=4.5, label="stated by the paper")
    _bound(axes, gaps, tuple(value for _, value in printed))
    axes.set_ylabel("Gain in F1, points")
    axes.legend(loc="upper left", ncols=2, bbox_to_anchor=(0, 1.16), borderpad=0, handletextpad=0.3)


def _bound(axes: Axes, points: pd.DataFrame, others: tuple[float, ...] = ()) -> None:
    """Limits from points, sentences and single seeds: Student's interval over two seeds would flatten all of them."""
    named = ("low", "high", "seed_min", "seed_max")
    seen = [*others, *(float(value) for name in named for value in points[name] if not is_missing(value))]
    margin = 0.12 * (max(seen) - min(seen)) or 1.0
    axes.set_ylim(min(seen) - margin, max(seen) + margin)


def _draw_intervals(axes: Axes, points: pd.DataFrame, ink: str, marker: str, label: str) -> None:
    for _, row in points.iterrows():
        if not is_missing(row["seed_low"]):
            axes.plot([row["size"]] * 2, [row["seed_low"], row["seed_high"]], color=ink, linewidth=0.6)
            ends = [row["seed_min"], row["seed_max"]]
            ring = {"color": ink, "markerfacecolor": "white", "markersize": 2, "markeredgewidth": 0.6}
            axes.plot([row["size"]] * 2, ends, "o", **ring)
        axes.plot([row["size"]] * 2, [row["low"], row["high"]], color=ink, linewidth=1.8, solid_capstyle="butt")
    axes.plot(points["size"], points["value"], marker, color=ink, markersize=3.2, label=label)


def _dress(axes: Axes, places: list[float]) -> None:
    axes.set_xscale("log")
    ticks = [place for number, place in enumerate(places) if not number or place > 1.35 * places[number - 1]]
    axes.set_xticks(ticks)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(places[0] / 1.3, places[-1] * 1.3)
    axes.set_xlabel("Labelled examples per dataset")
