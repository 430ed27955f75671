"""Tables and sentences on how far the scores of matching pairs stand from those of all other pairs."""

from collections.abc import Iterator
from functools import partial

import pandas as pd

from benchmarks.analyses.claim_showing import p_cell
from benchmarks.analyses.page import Page
from benchmarks.analyses.score_distributions_figure import draw
from benchmarks.analyses.showing import SENTENCE_INTERVAL, count_cell, number, table, value_cell, word_cell
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.variants import baseline_of
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.summary import AVERAGE
from benchmarks.reporting.table_text import TextTable

LEVEL = 0.05
COLUMNS = {  # metric -> title and factor
    "auroc": ("AUROC, %", 100),
    "auroc_wrong_type": ("AUROC, right span, wrong type, %", 100),
    "auroc_overlapping": ("AUROC, overlapping, %", 100),
    "auroc_disjoint": ("AUROC, disjoint, %", 100),
    "average_precision": ("Average precision, %", 100),
    "overlap_coefficient": ("Overlap, %", 100),
    "median_gap": ("Median gap, logits", 1),
}
COMPARED = ("auroc", "auroc_wrong_type", "auroc_overlapping", "average_precision")
AUROC_NOTE = (
    "AUROC: of all couples of a matching pair and another pair of the dataset, how many give the matching one the "
    "higher score; 50 % is chance. Couples run across sentences, because a threshold does. The first column counts all "
    "other pairs, of which only a few are the right span."
)
OTHER_NOTE = (
    "Overlap: of the two distributions of scores, in bins of one logit; 0 = apart, 100 = the same. Median gap: median "
    "logit of matching pairs minus that of all others. All values are means of the same datasets. Resampling repeats "
    "pairs, so intervals of the average precision lean upwards and those of the overlap downwards."
)
SEED_NOTE = "One seed of each variant is asked, so there is no interval over seeds."
PAIRED_NOTE = (
    "Both variants see the same resampled sentences. p: normal approximation with the resamples' standard error, "
    "corrected over the variants of one column (Holm). It holds no seed variance."
)


def present(rows: pd.DataFrame, card: StudyCard, space: Workspace) -> Page:
    """One line per variant; the figure adds the distributions of the baseline and of the lowest AUROC."""
    metrics = rows[(rows["kind"] == "metric") & (rows["dataset"] == AVERAGE)]
    baseline = baseline_of(card, list(dict.fromkeys(rows["variant"])))
    return Page(
        tables=(
            _values(metrics),
            _differences(metrics[metrics["variant"] != baseline], rows),
            _pairs(rows, space.dataset_titles()),
        ),
        findings=(*_findings(metrics, baseline), *_left_out(metrics, space.dataset_titles())),
        draw=partial(draw, rows, baseline),
        notes=(
            f"All spans up to K words with all types in {_num_sentences(rows):,} sentences, one seed.",
            "Lines: 95 % interval over sentences. Curves: mean of the datasets; dashed: score 0.5.",
        ),
    )


def _num_sentences(rows: pd.DataFrame) -> int:
    return int(_first_pairs(rows).drop_duplicates("dataset")["num_sentences"].sum())


def _first_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Numbers of pairs of the first variant; they are the same for all that have one K."""
    pairs = rows[rows["kind"] == "pairs"]
    return pairs[pairs["variant"] == pairs["variant"].iloc[0]]


def _values(metrics: pd.DataFrame) -> TextTable:
    lines = []
    for _, mine in metrics.groupby("variant", sort=False):
        held = mine.set_index("metric")
        cells = [
            value_cell(*(factor * held.loc[metric, name] for name in ("value", "low", "high")))
            for metric, (_, factor) in COLUMNS.items()
        ]
        lines.append([word_cell(mine["label"].iloc[0]), *cells])
    titles = ("Variant", *(title for title, _ in COLUMNS.values()))
    notes = (SENTENCE_INTERVAL, AUROC_NOTE, OTHER_NOTE, SEED_NOTE)
    return table("Scores of matching pairs against all others", titles, lines, notes)


def _differences(metrics: pd.DataFrame, rows: pd.DataFrame) -> TextTable:
    lines = []
    for _, mine in metrics.groupby("variant", sort=False):
        held = mine.set_index("metric")
        cells = [word_cell(mine["label"].iloc[0])]
        for metric in COMPARED:
            row = held.loc[metric]
            bounds = (100 * row[name] for name in ("difference", "difference_low", "difference_high"))
            cells += [value_cell(*bounds, "+"), p_cell(row["p_holm"])]
        lines.append(cells)
    titles = ["Variant"]
    for metric in COMPARED:
        titles += [COLUMNS[metric][0].replace(", %", ", points"), "p (Holm)"]
    return table("Minus the baseline, on the same sentences", titles, lines, (SENTENCE_INTERVAL, PAIRED_NOTE))


def _pairs(rows: pd.DataFrame, titles: dict[str, str]) -> TextTable:
    pairs = _first_pairs(rows)
    lines = []
    for dataset, mine in pairs.groupby("dataset", sort=False):
        lost = [mine[name].max() for name in ("gold_out_of_reach", "gold_not_asked")]
        cells = [word_cell(titles.get(str(dataset), str(dataset))), count_cell(mine["num_sentences"].iloc[0])]
        lines.append([*cells, *(count_cell(count) for count in mine["count"]), *map(count_cell, lost)])
    kinds = [_start(str(name)) for name in dict.fromkeys(pairs["class"])]
    columns = ("Dataset", "Sentences", *kinds, "Gold out of reach", "Gold not asked for")
    note = (
        "No pair stands for gold out of reach, wider than K or beyond the model's window, nor for gold not asked for, "
        "whose type is no label of the prompt; where such gold stands, other labels are left out as well, because one "
        "of them may mean it."
    )
    return table(f"Numbers of pairs ({pairs['label'].iloc[0]})", columns, lines, (note,))


def _findings(metrics: pd.DataFrame, baseline: str) -> Iterator[str]:
    auroc = metrics[(metrics["metric"] == "auroc") & metrics["value"].notna()]
    if auroc.empty:
        yield "The sampled sentences hold no gold span within reach, so nothing can be said."
        return
    ordered = auroc.sort_values("value", ascending=False, kind="stable")
    for name, row in (("Highest", ordered.iloc[0]), ("Lowest", ordered.iloc[-1]))[: len(ordered)]:
        yield f"{name} AUROC: {row['label']} with {_in_words(row)}."
    held = metrics[(metrics["variant"] == baseline) & metrics["metric"].isin(HARDEST) & metrics["value"].notna()]
    if len(held):  # a side without pairs, as wrong types where one type is asked, has no value
        hardest = held.loc[held["value"].idxmin()]
        yield (
            f"{_start(hardest['label'])}: hardest to tell from matching pairs are those of "
            f"{HARDEST[hardest['metric']]}, with an AUROC of {_in_words(hardest)}."
        )
    for metric in ("auroc", "auroc_wrong_type"):
        yield _different(metrics[metrics["metric"] == metric], COLUMNS[metric][0].removesuffix(", %"))


def _in_words(row: pd.Series) -> str:
    value, low, high = (number(100 * row[name]) for name in ("value", "low", "high"))
    return f"{value} % (95 % over sentences {low} to {high}, one seed)"


def _left_out(metrics: pd.DataFrame, titles: dict[str, str]) -> Iterator[str]:
    """Which datasets are in no variant's average of a metric."""
    first = metrics[(metrics["variant"] == metrics["variant"].iloc[0]) & metrics["left_out"].notna()]
    for datasets, mine in first[first["left_out"] != ""].groupby("left_out", sort=False):
        names = ", ".join(titles.get(name, name) for name in str(datasets).split("; "))
        columns = "; ".join(COLUMNS[metric][0].rpartition(", ")[0] for metric in mine["metric"])
        yield (
            f"Left out of the averages of all variants, because some variant has no pair of one kind there: {names} "
            f"({columns})."
        )


HARDEST = {
    "auroc_wrong_type": "the right span with a wrong type",
    "auroc_overlapping": "a span that overlaps a gold span",
    "auroc_disjoint": "a span apart from all gold spans",
}


def _different(rows: pd.DataFrame, title: str) -> str:
    tested = rows[rows["p_holm"].notna()]
    if tested.empty:
        return f"{title}: there is nothing to compare with the baseline, so nothing can be said of differences."
    one_side = (tested["difference_low"] > 0) | (tested["difference_high"] < 0)
    found = []
    for _, row in tested[(tested["p_holm"] < LEVEL) & one_side].iterrows():
        value, low, high = (100 * row[name] for name in ("difference", "difference_low", "difference_high"))
        found.append(f"{row['label']} {value:+.1f} points ({low:+.1f} to {high:+.1f})")
    return (
        f"{title}: {len(found)} of {len(tested)} variants differ from the baseline on these sentences (Holm's p < "
        f"{LEVEL}){': ' if found else ''}{'; '.join(found)}. This holds for these trained models only, one seed."
    )


def _start(text: str) -> str:
    return text[:1].upper() + text[1:]
