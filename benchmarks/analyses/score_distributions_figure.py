"""Figure of the analysis `score_distributions`: AUROC of every variant, and two pairs of distributions."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from benchmarks.reporting.style import COLUMN_INCHES, GRID, INK, MUTED, color, lighten, shorten
from benchmarks.reporting.summary import AVERAGE

# kind of pair -> metric against matching pairs, short title, colour, mark
KINDS = {
    "right span, wrong type": ("auroc_wrong_type", "right span, wrong type", color(4), "s"),
    "overlapping a gold span": ("auroc_overlapping", "overlapping", color(2), "^"),
    "disjoint from gold": ("auroc_disjoint", "disjoint", color(1), "D"),
}
MATCHING = color(0)
LINE_INCHES, CURVES_INCHES = 0.16, 1.9
SHOWN = 20  # logits; what lies beyond is counted and not drawn


def draw(rows: pd.DataFrame, baseline: str, figure: Figure) -> None:
    """Dots with intervals above, at most two panels of curves below."""
    metrics = rows[(rows["kind"] == "metric") & (rows["dataset"] == AVERAGE)]
    auroc = metrics[metrics["metric"] == "auroc"]
    shown = _shown(auroc, baseline)
    dots_inches = 0.95 + LINE_INCHES * len(auroc)  # legend, axis and lines
    figure.set_size_inches(COLUMN_INCHES, dots_inches + CURVES_INCHES + 0.5)
    upper, lower = figure.subfigures(2, 1, height_ratios=[dots_inches, CURVES_INCHES])
    _draw_dots(upper.subplots(), metrics, list(auroc["variant"]), baseline)
    places = lower.subplots(1, len(shown), sharex=True, sharey=True, squeeze=False)[0]
    bins = rows[(rows["kind"] == "histogram") & rows["variant"].isin(shown)]
    edges = np.arange(bins["bin_low"].min(), bins["bin_high"].max() + 1)
    for axes, variant in zip(places, shown, strict=True):
        _draw_curves(axes, bins[bins["variant"] == variant], edges)
        label = shorten(str(auroc.loc[auroc["variant"] == variant, "label"].iloc[0]), 30)
        axes.set_title(label, fontsize=7, loc="left")
    places[0].set_xlim(max(edges[0], -SHOWN), min(edges[-1], SHOWN))
    places[0].set_ylabel("share of pairs, % per logit")
    lower.supxlabel("logit of the score", fontsize=7.5)


def _shown(auroc: pd.DataFrame, baseline: str) -> list[str]:
    """The baseline (or the highest AUROC) and the lowest AUROC."""
    ordered = list(auroc.sort_values("value", ascending=False, kind="stable")["variant"])
    first = baseline if baseline in ordered else ordered[0]
    return list(dict.fromkeys((first, ordered[-1])))


def _draw_dots(axes: Axes, metrics: pd.DataFrame, variants: list[str], baseline: str) -> None:
    for place, variant in enumerate(variants):
        held = metrics[metrics["variant"] == variant].set_index("metric")
        row = 100 * held.loc["auroc", ["value", "low", "high"]].astype(float)
        axes.plot([row["low"], row["high"]], [place, place], color=INK, linewidth=1.1, zorder=3)
        axes.plot([row["value"]], [place], "o", color=INK, markersize=3.6, zorder=4)
        for metric, _, ink, mark in KINDS.values():
            axes.plot([100 * held.loc[metric, "value"]], [place], mark, color=ink, markersize=3.2, zorder=2)
    labels = [shorten(str(label), 32) for label in metrics.drop_duplicates("variant")["label"]]
    axes.set_yticks(range(len(variants)), labels)
    for text, variant in zip(axes.get_yticklabels(), variants, strict=True):
        text.set_fontweight("bold" if variant == baseline else "normal")
    axes.set_ylim(len(variants) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=GRID, linewidth=0.5)
    axes.set_xlabel("AUROC of matching pairs, %")
    handles = [axes.plot([], [], "o-", color=INK, markersize=3.6, linewidth=1.1, label="against all others")[0]]
    handles += [
        axes.plot([], [], mark, color=ink, markersize=3.2, label=f"against {title}")[0]
        for _, title, ink, mark in KINDS.values()
    ]
    handles.append(Patch(facecolor=lighten(MATCHING), edgecolor=MATCHING, label="matching pairs (below)"))
    axes.figure.legend(handles=handles, loc="outside upper left", ncols=2, columnspacing=1.0, handletextpad=0.4)


def _draw_curves(axes: Axes, rows: pd.DataFrame, edges: np.ndarray) -> None:
    matching = _shares(rows[rows["class"] == "matching"], edges)
    axes.stairs(matching, edges, fill=True, color=lighten(MATCHING), zorder=1)
    axes.stairs(matching, edges, color=MATCHING, linewidth=1.0, zorder=3)
    for kind, (_, _, own, _) in KINDS.items():
        axes.stairs(_shares(rows[rows["class"] == kind], edges), edges, color=own, linewidth=1.0, zorder=2)
    axes.axvline(0, color=MUTED, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
    axes.grid(axis="y", color=GRID, linewidth=0.5)


def _shares(rows: pd.DataFrame, edges: np.ndarray) -> np.ndarray:
    """Shares by bin in percent, mean of the datasets."""
    shares = [
        mine.set_index("bin_low")["count"].reindex(edges[:-1], fill_value=0) / mine["count"].sum()
        for _, mine in rows.groupby("dataset")
    ]
    return 100 * np.mean(shares, axis=0) if shares else np.zeros(len(edges) - 1)
