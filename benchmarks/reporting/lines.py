"""F1 and reachable recall along a numeric axis, with prediction speed in a second panel."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator
from matplotlib.transforms import ScaledTranslation

from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.style import COLUMN_INCHES, GRID, INK, MUTED, color, shorten
from benchmarks.reporting.summary import AVERAGE, CellIndex, Estimate

LOG_FROM = 30.0  # a wider range of values than this is drawn on a logarithmic axis
Point = tuple[float, Estimate]


def draw_lines(figure: Figure, index: CellIndex) -> None:
    """Fills the figure with one or, where speed was measured, two panels over the same axis."""
    speed = _points(index, index.protocols[0], "", "words_per_second_predict")
    figure.set_size_inches(COLUMN_INCHES, 3.7 if speed else 2.7)
    panels = figure.subplots(
        2 if speed else 1, 1, sharex=True, squeeze=False, height_ratios=[2.2, 1][: 1 + bool(speed)]
    )
    _draw_scores(panels[0][0], index)
    if speed:
        _draw_speed(panels[1][0], speed)
    values = sorted(index.points.values())
    for panel in panels[:, 0]:
        _dress(panel, values)
        if index.baseline_variant in index.points:
            panel.axvline(
                index.points[index.baseline_variant], color=MUTED, linewidth=0.6, linestyle=(0, (4, 3)), zorder=0
            )
    panels[-1][0].set_xlabel(_axis_title(index))


def _points(index: CellIndex, protocol: str, dataset: str, metric: str) -> list[Point]:
    found = []
    for row in index.rows:
        estimate = index.get(row, dataset, metric)
        if not row.system and row.protocol == protocol and row.variant in index.points and estimate:
            found.append((index.points[row.variant], estimate))
    return sorted(found, key=lambda point: point[0])


def _axis_title(index: CellIndex) -> str:
    name = next(variant for variant in index.points if "=" in variant).partition("=")[0]
    marked = "; dashed: baseline" if index.baseline_variant in index.points else ""
    return name.replace("_", " ") + marked


def _draw_scores(axes: Axes, index: CellIndex) -> None:
    ends = []
    several = len(index.protocols) > 1
    for number, protocol in enumerate(index.protocols):
        points = _points(index, protocol, AVERAGE, "f1_pct")
        _draw_intervals(axes, points, color(number))
        ends.append((points[-1][1].value, f"F1, {protocol}" if several else "F1", color(number)))
        reachable = _points(index, protocol, AVERAGE, "reachable_recall_pct")
        if reachable:
            _draw_plain(axes, reachable, color(number), linestyle=(0, (1.5, 1.2)))
            ends.append((reachable[-1][1].value, "reachable recall", color(number)))
    axes.set_ylabel("%")
    axes.margins(x=0.07, y=0.08)
    _label_ends(axes, ends, max(index.points.values()))


def _draw_intervals(axes: Axes, points: Sequence[Point], ink: str) -> None:
    _draw_plain(axes, points, ink, linestyle="-")
    for place, estimate in points:
        if not is_missing(estimate.low) and not is_missing(estimate.high):
            axes.plot([place, place], [estimate.low, estimate.high], color=ink, linewidth=0.9, zorder=3)
        _draw_seeds(axes, place, estimate)


def _draw_seeds(axes: Axes, place: float, estimate: Estimate) -> None:
    """Seeds stand 5 points left of the marker, so that they and the sentence interval stay readable."""
    if len(estimate.seeds) > 1:
        beside = axes.transData + ScaledTranslation(-5 / 72, 0, axes.figure.dpi_scale_trans)
        axes.plot(
            [place] * len(estimate.seeds), estimate.seeds, "o", color="white", markeredgecolor=INK, transform=beside,
            markeredgewidth=0.5, markersize=2.2, zorder=5,
        )  # fmt: skip


def _draw_plain(axes: Axes, points: Sequence[Point], ink: str, linestyle: object) -> None:
    axes.plot(
        [place for place, _ in points], [estimate.value for _, estimate in points], color=ink, linewidth=1.3,
        linestyle=linestyle, marker="o", markersize=3.4, zorder=4,
    )  # fmt: skip


def _draw_speed(axes: Axes, points: Sequence[Point]) -> None:
    _draw_plain(axes, points, color(2), linestyle="-")
    for place, estimate in points:
        _draw_seeds(axes, place, estimate)
    axes.set_ylim(0, max(max(estimate.seeds) for _, estimate in points) * 1.25)
    axes.set_ylabel("words/s,\nprediction")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _dress(axes: Axes, values: Sequence[float]) -> None:
    if min(values) > 0 and max(values) / min(values) >= LOG_FROM:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(values, [f"{value:,g}" for value in values])
    axes.grid(axis="y", color=GRID, linewidth=0.5)


def _label_ends(axes: Axes, ends: list[tuple[float, str, str]], right: float) -> None:
    """Writes each line's name at its right end, pushed apart where they would overlap."""
    axes.figure.draw_without_rendering()
    low, high = axes.get_ylim()
    least = (high - low) * 0.075
    heights: list[float] = []
    for value, name, ink in sorted(ends):
        height = max(value, heights[-1] + least) if heights else value
        heights.append(height)
        axes.annotate(
            shorten(name), (right, height), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=6.8, color=ink, annotation_clip=False,
        )  # fmt: skip
