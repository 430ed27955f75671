"""Dots per language under their script, one colour a backbone: F1 on the left, sub-words per word on the right."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.style import COLUMN_INCHES, GRID, MUTED, color, lighten, shorten

LINE_INCHES, SERIES_STEP, GAP = 0.115, 1.0, 0.9
MAX_SERIES = 7


def draw_languages(figure: Figure, languages: pd.DataFrame) -> None:
    """Fills the figure; its height follows the number of languages and backbones."""
    backbones = list(dict.fromkeys(languages["variant"]))[:MAX_SERIES]
    names = [languages.loc[languages["variant"] == name, "backbone"].iloc[0] for name in backbones]
    places, sections, height = _places(languages, len(backbones))
    figure.set_size_inches(COLUMN_INCHES, height * LINE_INCHES + 0.6 + 0.13 * (len(names) if len(names) > 1 else 0))
    scores, lengths = figure.subplots(1, 2, sharey=True, width_ratios=(2.4, 1))
    for _, row in languages[languages["variant"].isin(backbones)].iterrows():
        number = backbones.index(row["variant"])
        place = places[row["dataset"]] + (number - (len(backbones) - 1) / 2) * SERIES_STEP
        _draw_score(scores, row, place, color(number))
        _dot(lengths, row, "sub_words_per_word", place, color(number))
    _label(scores, languages, places, sections, height)
    scores.set_xlim(0, max(1.0, languages[["value", "high", "seed_high"]].max().max()) * 1.06)
    scores.set_xlabel("F1, %")
    lengths.set_xlim(0, languages["sub_words_per_word"].max() * 1.15)
    lengths.set_xlabel("sub-words/word")
    lengths.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    for axes in (scores, lengths):
        axes.grid(axis="x", color=GRID, linewidth=0.5)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    if len(names) > 1:
        handles = [Line2D([], [], marker="o", linewidth=0, markersize=4, color=color(n)) for n in range(len(names))]
        figure.legend(
            handles,
            [shorten(name, 34) for name in names],
            loc="outside upper right",
            borderaxespad=0.1,
            labelspacing=0.2,
        )


def _places(languages: pd.DataFrame, num: int) -> tuple[dict[str, float], dict[str, float], float]:
    """Middle of every language, place of every script's title, and the height of all, in lines from the top."""
    places, sections, top = {}, {}, 0.0
    for script, frame in languages.groupby("script", sort=False):
        sections[str(script)] = top
        top += 1.3
        for dataset in dict.fromkeys(frame["dataset"]):
            places[dataset] = top + (num - 1) * SERIES_STEP / 2
            top += num * SERIES_STEP + GAP
    return places, sections, top


def _label(
    axes: Axes, languages: pd.DataFrame, places: dict[str, float], sections: dict[str, float], height: float
) -> None:
    titles = dict(zip(languages["dataset"], languages["title"], strict=True))
    shared = _shared_start(list(titles.values()))
    axes.set_ylim(height - GAP / 2, -0.8)
    axes.set_yticks(list(places.values()), [shorten(titles[name][shared:], 24) for name in places])
    for script, place in sections.items():
        axes.annotate(
            script, (0, place), xycoords=("axes fraction", "data"), xytext=(-4, 0), textcoords="offset points",
            ha="right", va="center", fontsize=7, color=MUTED, style="italic",
        )  # fmt: skip


def _shared_start(titles: list[str]) -> int:
    """Length of the word that all titles begin with, the name of the corpus, and the space after it."""
    words = {title.partition(" ")[0] for title in titles}
    return len(words.pop()) + 1 if len(words) == 1 < len(titles) else 0


def _draw_score(axes: Axes, row: pd.Series, place: float, ink: str) -> None:
    if not is_missing(row["seed_low"]):
        bounds = [max(0.0, row["seed_low"]), row["seed_high"]]
        axes.plot(bounds, [place] * 2, color=lighten(ink), linewidth=3.2, solid_capstyle="butt", zorder=2)
    axes.plot([row["low"], row["high"]], [place] * 2, color=ink, linewidth=0.9, solid_capstyle="butt", zorder=3)
    _dot(axes, row, "value", place, ink)


def _dot(axes: Axes, row: pd.Series, column: str, place: float, ink: str) -> None:
    fill = ink if row["in_pretraining"] == "yes" else "white"
    axes.plot(
        [row[column]], [place], "o", color=fill, markeredgecolor=ink, markeredgewidth=0.9, markersize=4, zorder=4,
        clip_on=False,
    )  # fmt: skip
