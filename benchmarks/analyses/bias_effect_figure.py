"""Figure of the analysis `bias_effect`: recall of every slice with its intervals."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.analyses.slice_names import DIMENSIONS, REST
from benchmarks.reporting.style import COLUMN_INCHES, GRID, INK, MUTED, color

DRAWN = ("surface", "surface of seen type", "type", "frequency", "casing", "width", "context")
LINE_INCHES = 0.135


def pooled_means(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Means over seeds of the pooled slices under one metric, by dimension and slice."""
    found = rows[(rows["kind"] == "slice") & (rows["joined"] == "pooled") & rows["seed"].isna()]
    return found[found["metric"] == metric].set_index(["dimension", "slice"])


def draw_forest(rows: pd.DataFrame, figure: Figure) -> None:
    """One line per slice under the title of its dimension; its height follows their number."""
    recall = pooled_means(rows, "recall")
    dimensions, slices = (recall.index.get_level_values(name) for name in ("dimension", "slice"))
    recall = recall[dimensions.isin(DRAWN) & ~slices.isin(REST)]
    labels: list[str] = []
    places: list[int] = []
    for dimension in dict.fromkeys(recall.index.get_level_values("dimension")):
        labels.append(DIMENSIONS[dimension].title)
        for name in recall.loc[dimension].index:
            places.append(len(labels))
            labels.append(name)
    figure.set_size_inches(COLUMN_INCHES, 0.8 + LINE_INCHES * len(labels))
    axes = figure.subplots()
    _draw_lines(axes, rows, recall, places)
    axes.set_yticks(range(len(labels)), labels)
    for place, label in enumerate(axes.get_yticklabels()):
        label.set(color=INK if place in places else MUTED, style="normal" if place in places else "italic")
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(len(labels) - 0.4, -0.6), xlabel="Recall, %")
    axes.set_xlim(0, max(1.0, 1.05 * axes.dataLim.x1))
    axes.grid(axis="x", color=GRID, linewidth=0.5)


def _draw_lines(axes: Axes, rows: pd.DataFrame, recall: pd.DataFrame, places: list[int]) -> None:
    both = recall.xs("type", level="dimension")  # every gold span has a type that is seen or unseen
    axes.axvline(100 * both["true_positive"].sum() / both["gold"].sum(), color=MUTED, linewidth=0.7, linestyle="--")
    axes.hlines(places, recall["low"], recall["high"], color=color(0), linewidth=1.0)
    axes.plot(recall["value"], places, "o", color=color(0), markersize=3.2)
    seeds = rows[(rows["joined"] == "pooled") & (rows["metric"] == "recall") & rows["seed"].notna()]
    for place, key in zip(places, recall.index, strict=True):
        mine = seeds[(seeds["dimension"] == key[0]) & (seeds["slice"] == key[1])]
        axes.plot(
            mine["value"], [place + 0.28] * len(mine), "o", color="white", markeredgecolor=INK, markeredgewidth=0.4,
            markersize=1.9,
        )  # fmt: skip
        axes.annotate(
            f"{recall.loc[key, 'gold']:,.0f}", (1.0, place), xycoords=("axes fraction", "data"), xytext=(3, 0),
            textcoords="offset points", va="center", fontsize=5.8, color=MUTED,
        )  # fmt: skip
