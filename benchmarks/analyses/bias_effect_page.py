"""Page of the analysis `bias_effect`: recall of test spans by what training has seen of them."""

from collections.abc import Iterator
from functools import partial

import pandas as pd

from benchmarks.analyses.bias_effect_figure import draw_forest, pooled_means
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
from benchmarks.analyses.slice_names import DIMENSIONS, LEAKS
from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.missing import is_missing
from benchmarks.reporting.table_text import MISSING, TextCell, TextTable

TITLES = {name: entry.title for name, entry in DIMENSIONS.items()}
TOLD = (
    ("surface", "same type"), ("surface", "other type"), ("surface of seen type", "same type"), ("type", "seen"),
    ("frequency", "1000+"), ("casing", "capitalised"), ("context", "nearest quarter"),
)  # fmt: skip
CAUTION = (
    "Slices differ in more than what names them (corpus, type, length, wording), so no difference here says what "
    "training on other data would change. `Within datasets` takes away the differences between corpora, and no more."
)
RULE = (
    "A difference is called shown where Holm's p over all pooled differences in recall is below 0.05, and the "
    "intervals over sentences and over seeds, pooled and within datasets, all lie on one side of zero."
)
COLLAPSED = "An interval without width (nothing or everything found) is not certainty: the bootstrap cannot widen it."


def present(rows: pd.DataFrame, card: StudyCard, space: Workspace) -> Page:
    """Sentences, tables and figure; the figure shows the first variant."""
    names = {name: data.title for name, data in space.registry.datasets.items()}
    tables: list[TextTable] = []
    findings: list[str] = []
    for variant in dict.fromkeys(rows["variant"]):
        mine = rows[rows["variant"] == variant]
        head = f"{mine['label'].iloc[0]}: " if rows["variant"].nunique() > 1 else ""
        findings += [head + text for text in _findings(mine)]
        tables += _tables(mine, head, names)
    first = rows[rows["variant"] == rows["variant"].iloc[0]]
    several = first["num_seeds"].max() > 1
    notes = (
        f"Suite {first['suite'].iloc[0]}, protocol {first['protocol'].iloc[0]}, counts of all datasets together.",
        f"Lines: 95 % interval over sentences{'; white dots: seeds' if several else '; one seed'}.",
        "Numbers: gold spans. Dashed: recall of all gold spans.",
    )
    return Page(tables=tuple(tables), findings=(*findings, CAUTION), draw=partial(draw_forest, first), notes=notes)


def _findings(rows: pd.DataFrame) -> Iterator[str]:
    pooled, within = (_differences(rows, joined) for joined in ("pooled", "within"))
    for dimension, name in TOLD:
        found = pooled[(pooled["dimension"] == dimension) & (pooled["slice"] == name)]
        if found.empty:
            yield f"{TITLES[dimension]}: nothing can be said of `{name}`, for there is too little gold to compare."
            continue
        row = found.iloc[0]
        verdict = "shown" if str(row["is_shown"]) == "True" else "not shown"
        text = (
            f"{TITLES[dimension]}: recall of `{name}` minus `{row['against']}` is {number(row['value'], '+')} points "
            f"({interval_words(row, '+')}); difference {verdict}"
        )
        inside = within[(within["dimension"] == dimension) & (within["slice"] == name)]
        if len(inside):
            near = inside.iloc[0]
            text += f"; within datasets {number(near['value'], '+')} ({interval_words(near, '+')})"
        yield f"{text}."
    if len(pooled):
        yield f"{len(pooled)} differences were looked at. {RULE}"
    yield from _leak_findings(rows)


def _leak_findings(rows: pd.DataFrame) -> Iterator[str]:
    leaks = rows[rows["kind"] == "leakage"]
    for dimension in LEAKS:
        found = leaks[(leaks["dimension"] == dimension) & (leaks["slice"] == "change")]
        if found.empty:
            yield f"{TITLES[dimension]}: every gold span lies in such a sentence; nothing is left to score."
            continue
        change = found.iloc[0]
        if change["gold"] == 0:
            yield f"{TITLES[dimension]}: no gold span of the suite lies in such a sentence."
        else:
            yield (
                f"{TITLES[dimension]}: {change['gold']:,.0f} gold spans lie in such sentences; without these sentences "
                f"the suite's F1 changes by {number(change['value'], '+', 2)} points (95 % over sentences "
                f"{number(change['low'], '+', 2)} to {number(change['high'], '+', 2)}){_left_out(change)}."
            )


def _left_out(change: pd.Series) -> str:
    return "" if is_missing(change["detail"]) else f"; wholly shared and left out on both sides: {change['detail']}"


def _differences(rows: pd.DataFrame, joined: str) -> pd.DataFrame:
    return rows[(rows["kind"] == "difference") & (rows["joined"] == joined) & (rows["metric"] == "recall")]


def _tables(rows: pd.DataFrame, head: str, names: dict[str, str]) -> list[TextTable]:
    return [
        _slice_table(rows, head), _difference_table(rows, head), _dataset_table(rows, head, names),
        _leak_table(rows, head),
    ]  # fmt: skip


def _slice_table(rows: pd.DataFrame, head: str) -> TextTable:
    metrics = {metric: pooled_means(rows, metric) for metric in ("recall", "precision", "f1")}
    places = [key for key in dict.fromkeys(key for frame in metrics.values() for key in frame.index)]
    order = {key: place for place, key in enumerate(_slice_order(rows))}
    lines = []
    for key in sorted(places, key=order.__getitem__):
        recall = metrics["recall"].loc[key] if key in metrics["recall"].index else None
        counts = next(frame.loc[key] for frame in metrics.values() if key in frame.index)
        lines.append([
            word_cell(TITLES[key[0]]), word_cell(key[1]), count_cell(counts["gold"]), count_cell(counts["predicted"]),
            *(_metric_cell(metrics[name], key) for name in metrics),
            word_cell("") if recall is None else seed_cell(recall),
        ])  # fmt: skip
    columns = ("Dimension", "Slice", "Gold", "Answers", "Recall, %", "Precision, %", "F1, %", "Recall over seeds")
    heading = f"{head}slices, counts of all datasets together"
    return table(heading, columns, lines, (SENTENCE_INTERVAL, COLLAPSED))


def _slice_order(rows: pd.DataFrame) -> list[tuple[str, str]]:
    found = rows[rows["kind"] == "slice"]
    return list(dict.fromkeys(zip(found["dimension"], found["slice"], strict=True)))


def _metric_cell(frame: pd.DataFrame, key: tuple[str, str]) -> TextCell:
    if key not in frame.index:
        return word_cell("")
    row = frame.loc[key]
    return value_cell(row["value"], row["low"], row["high"])


def _difference_table(rows: pd.DataFrame, head: str) -> TextTable:
    within = _differences(rows, "within").set_index(["dimension", "slice"])
    lines = []
    for _, row in _differences(rows, "pooled").iterrows():
        near = (
            within.loc[(row["dimension"], row["slice"])] if (row["dimension"], row["slice"]) in within.index else None
        )
        lines.append([
            word_cell(TITLES[row["dimension"]]), word_cell(f"{row['slice']} minus {row['against']}"),
            value_cell(row["value"], row["low"], row["high"], "+"), seed_cell(row, "+"),
            word_cell("") if near is None else value_cell(near["value"], near["low"], near["high"], "+"),
            word_cell("") if near is None else count_cell(near["num_datasets"]),
            TextCell(text=_p_value(row["p_holm"]), is_number=True),
            word_cell("shown" if str(row["is_shown"]) == "True" else "not shown"),
        ])  # fmt: skip
    columns = ("Dimension", "Difference in recall", "Pooled, points", "Over seeds", "Within datasets, points",
               "Datasets", "p (Holm)", "Verdict")  # fmt: skip
    heading = f"{head}differences between slices"
    return table(heading, columns, lines, (SENTENCE_INTERVAL, RULE, CAUTION))


def _p_value(value: float) -> str:
    if is_missing(value):
        return MISSING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _dataset_table(rows: pd.DataFrame, head: str, names: dict[str, str]) -> TextTable:
    found = rows[(rows["kind"] == "slice") & (rows["metric"] == "recall") & rows["seed"].isna()]
    datasets = [name for name in dict.fromkeys(found["joined"]) if name != "pooled"]
    chosen = [key for key in _slice_order(rows) if key[0] in ("surface", "type")]
    held = found.set_index(["joined", "dimension", "slice"])
    lines = []
    for dataset in datasets:
        cells = [held.loc[(dataset, *key)] if (dataset, *key) in held.index else None for key in chosen]
        lines.append([word_cell(names.get(dataset, dataset)), *(
            word_cell("") if row is None else value_cell(row["value"], row["low"], row["high"]) for row in cells
        )])  # fmt: skip
    columns = ("Dataset", *(f"{dimension} {name}" for dimension, name in chosen))
    heading = f"{head}recall by dataset, %"
    return table(heading, columns, lines, (SENTENCE_INTERVAL, COLLAPSED))


def _leak_table(rows: pd.DataFrame, head: str) -> TextTable:
    leaks = rows[rows["kind"] == "leakage"].set_index(["dimension", "slice"])
    lines = []
    for dimension in dict.fromkeys(name for name, _ in leaks.index):
        full, rest, change = (leaks.loc[(dimension, name)] for name in ("all sentences", "without", "change"))
        lines.append([
            word_cell(TITLES[dimension]), count_cell(change["gold"]),
            value_cell(full["value"], full["low"], full["high"]), value_cell(rest["value"], rest["low"], rest["high"]),
            value_cell(change["value"], change["low"], change["high"], "+", decimals=2),
        ])  # fmt: skip
    columns = (
        "What is shared",
        "Gold spans in such sentences",
        "F1, all sentences",
        "F1, without them",
        "Change, points",
    )
    heading = f"{head}leakage, F1 as mean of the datasets"
    return table(heading, columns, lines, (SENTENCE_INTERVAL,))
