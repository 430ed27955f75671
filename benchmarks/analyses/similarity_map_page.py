"""Heat maps of one sentence: the scores of its spans against the types, for at most four variants."""

import json
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benchmarks.analyses.page import Page
from benchmarks.analyses.showing import table, value_cell, word_cell
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.variants import baseline_of
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.style import COLUMN_INCHES, INK, shorten, wrap
from benchmarks.reporting.table_text import TextTable

END_POINTS = "span_mode=endpoints"  # shown wherever a study has it
MAX_MAPS, MAX_SPANS, MAX_TYPES = 4, 12, 7
LIMIT = 6.0  # logits at the ends of the colour scale: scores of 0.0025 and 0.9975
CHOICE_NOTE = (
    "The sentence is chosen by its length and its gold entities only. One sentence is an illustration: it supports no "
    "statement about a variant."
)
ABOVE_NOTE = "Above 0.5: span-type pairs with a score above one half, before overlaps are resolved."


def present(rows: pd.DataFrame, card: StudyCard, space: Workspace) -> Page:
    """Best and worst are told by the suite's F1; spans and types that no drawn variant scores high are left out."""
    sentence = rows[rows["kind"] == "sentence"].iloc[0]
    words = json.loads(sentence["words"])
    variants = rows[rows["kind"] == "variant"]
    scores = rows[rows["kind"] == "score"]
    gold = _gold(scores, words)
    title = space.dataset_titles().get(sentence["dataset"], sentence["dataset"])
    return Page(
        tables=(_ranks(variants, scores),),
        findings=(f"Sentence {sentence['id']} of {title}: `{' '.join(words)}`. Gold: {gold}.", CHOICE_NOTE),
        draw=partial(_draw, scores, _drawn(variants, baseline_of(card, list(variants["variant"]))), words),
        notes=(
            "Boxes: gold. Red: score above 0.5. Beside gold, the spans and types with the highest",
            "scores in the variants drawn; all others are in rows.csv.",
        ),
    )


def _gold(scores: pd.DataFrame, words: list[str]) -> str:
    found = scores[scores["is_gold"] == 1].drop_duplicates(["start", "end", "type"])
    return ", ".join(f"{_text(words, row.start, row.end)} ({row.type})" for row in found.itertuples())


def _text(words: list[str], start: float, end: float) -> str:
    return " ".join(words[int(start) : int(end) + 1])


def _ranks(variants: pd.DataFrame, scores: pd.DataFrame) -> TextTable:
    """Where the gold pairs stand among all pairs of the sentence."""
    lines = []
    for _, variant in variants.iterrows():
        mine = scores[scores["variant"] == variant["variant"]]
        is_gold, logits = mine["is_gold"] == 1, mine["logit"]
        ranks = sorted(int((logits > logit).sum()) + 1 for logit in logits[is_gold])
        false = int(((logits > 0) & ~is_gold).sum())
        lines.append(
            [
                word_cell(variant["label"]),
                value_cell(variant["f1_pct"]),
                word_cell(", ".join(map(str, ranks))),
                word_cell(f"{int(((logits > 0) & is_gold).sum())} of {int(is_gold.sum())}"),
                word_cell(f"{false} of {int((~is_gold).sum()):,}"),
            ]
        )
    columns = ("Variant", "F1 on the suite, %", "Ranks of the gold pairs", "Gold above 0.5", "Others above 0.5")
    return table("Gold pairs among all span-type pairs of the sentence", columns, lines, (ABOVE_NOTE,))


def _drawn(variants: pd.DataFrame, baseline: str) -> dict[str, str]:
    """Variant -> title: the baseline, the best and the worst F1, and the end points, each once."""
    ordered = variants.sort_values("f1_pct", ascending=False, kind="stable")["variant"].tolist()
    roles = {"baseline": baseline if baseline in ordered else None, "best F1": ordered[0], "worst F1": ordered[-1]}
    roles["end points"] = next((name for name in variants["variant"] if END_POINTS in name), None)
    labels = dict(zip(variants["variant"], variants["label"], strict=True))
    found: dict[str, list[str]] = {}
    for role, name in roles.items():
        if name is not None:
            found.setdefault(name, []).append(role)
    return {name: f"{', '.join(own)}:\n{wrap(labels[name], 22)}" for name, own in list(found.items())[:MAX_MAPS]}


def _draw(scores: pd.DataFrame, drawn: dict[str, str], words: list[str], figure: Figure) -> None:
    mine = scores[scores["variant"].isin(drawn)]
    spans, types = _chosen(mine, ["start", "end"], MAX_SPANS), _chosen(mine, ["type"], MAX_TYPES)
    lines = -(-len(drawn) // 2)
    figure.set_size_inches(COLUMN_INCHES, 1.3 + lines * (0.45 + 0.12 * len(spans)))
    places = figure.subplots(lines, min(2, len(drawn)), sharex=True, sharey=True, squeeze=False).ravel()
    for axes, (variant, title) in zip(places, drawn.items(), strict=False):
        _draw_map(axes, mine[mine["variant"] == variant], spans, types)
        axes.set_title(title, fontsize=6.5, loc="left")
    for axes in places[len(drawn) :]:
        axes.set_visible(False)
    places[0].set_yticks(range(len(spans)), [shorten(_text(words, *span), 20) for span in spans])
    places[0].set_xticks(range(len(types)), [shorten(kind[0], 18) for kind in types])
    bar = figure.colorbar(places[0].images[0], ax=list(places), location="top", aspect=45, pad=0.02, extend="both")
    bar.set_label("logit of the score (0 = score 0.5)", fontsize=6.5)
    bar.ax.tick_params(labelsize=6)


def _chosen(scores: pd.DataFrame, keys: list[str], most: int) -> list[tuple]:
    """Gold first, then by highest score, cut; in the order of the text, or of the types asked."""
    held = scores.groupby(keys, sort=False).agg(is_gold=("is_gold", "max"), logit=("logit", "max"))
    kept = held.sort_values(["is_gold", "logit"], ascending=False, kind="stable").head(most).index
    return [key if isinstance(key, tuple) else (key,) for key in held.index if key in kept]


def _draw_map(axes: Axes, scores: pd.DataFrame, spans: list[tuple], types: list[tuple]) -> None:
    held = scores.set_index(["start", "end", "type"])
    values = np.array([[held.loc[(*span, *kind), "logit"] for kind in types] for span in spans])
    axes.imshow(values, cmap="RdBu_r", vmin=-LIMIT, vmax=LIMIT, aspect="auto", interpolation="nearest")
    for row, span in enumerate(spans):
        for column, kind in enumerate(types):
            if held.loc[(*span, *kind), "is_gold"] == 1:
                axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=1.1))
    axes.tick_params(length=0, labelsize=6)
    axes.tick_params(axis="x", labelrotation=90)
    for spine in axes.spines.values():
        spine.set_visible(False)
