"""Tidy rows of the efficiency suite -> verdicts on its targets, tables, and the two pages that show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.catalog.measurement import CASES, MeasurementCard, Target
from benchmarks.reporting.efficiency_figure import draw_efficiency
from benchmarks.reporting.table_text import TextCell, TextTable, to_markdown
from gliner_core.errors import InputError
from gliner_core.files import atomic_write

TARGETS, PAGE, FIGURE = "targets.csv", "table.md", "figure"
MISSING = TextCell(text="-", is_number=True)
HEADINGS = {
    "training": "Training step: examples to updated weights",
    "inference": "Inference: strings to entities",
    "collate": "Collation of a training batch",
    "decode": "Decoding of given scores",
    "widths": "Training step at a wide K against a narrow K",
}
PART_TITLES = {
    "collate": "Collation",
    "encoder": "Encoder",
    "word_lstm": "Word LSTM",
    "heads_and_scores": "Heads and scores",
    "loss": "Loss",
    "optimiser": "Optimiser",
}
NOTES = (
    "Ratios are times of the first side over times of the second within one pass; median [10th, 90th percentile]. "
    "Wall: elapsed time; CPU: time of the process on all its threads.",
    "Encoder: the same encoder on the same ids with the same dropout, forward and, in training, backward; nothing that "
    "keeps the encoder can be faster than it. Plain encoder: as transformers makes it, on the whole padded batch.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A target, what was measured for it, and whether it holds."""

    target: Target
    demand: str
    median: float | None
    p10: float | None
    p90: float | None
    verdict: str  # met, not met, void, not measured


def read_cases(folder: Path) -> pd.DataFrame:
    """The tidy rows; an absent file is an `InputError`."""
    path = folder / CASES
    if not path.is_file():
        raise InputError(f"{path}: not there; run `python -m benchmarks efficiency` first")
    return pd.read_csv(path, keep_default_na=False, na_values={"median": [""], "p10": [""], "p90": [""]})


def judge(cases: pd.DataFrame, card: MeasurementCard) -> list[Verdict]:
    """The targets of the card against the rows; a void case meets nothing."""
    found = []
    for target in card.targets:
        bound = target.at_least if target.at_least is not None else target.at_most
        demand = f"at least {bound:g}" if target.at_least is not None else f"at most {bound:g}"
        here = cases[(cases["work"] == target.work) & (cases["case"] == card.shape(target.case).slug)]
        own = here[(here["pair"] == target.pair) & (here["measure"] == target.measure)]
        figures: dict[str, float | None] = dict.fromkeys(("median", "p10", "p90"))
        if (here["status"] == "void").any():
            verdict = "void"
        elif own.empty:
            verdict = "not measured"
        else:
            figures = {name: float(own.iloc[0][name]) for name in figures}
            holds = figures["median"] >= bound if target.at_least is not None else figures["median"] <= bound
            verdict = "met" if holds else "not met"
        found.append(Verdict(target=target, demand=demand, verdict=verdict, **figures))
    return found


def efficiency_tables(cases: pd.DataFrame, card: MeasurementCard) -> tuple[TextTable, ...]:
    """Targets first, then times by kind of work, parts of a step, memory."""
    tables = [_target_table(judge(cases, card))]
    tables += [_time_table(cases, work, heading) for work, heading in HEADINGS.items()]
    tables += [_latency_table(cases), _operations_table(cases), _parts_table(cases), _memory_table(cases)]
    return tuple(table for table in tables if table.rows)


def write_pages(folder: Path, card: MeasurementCard) -> None:
    """Writes targets.csv, table.md and the figure beside cases.csv."""
    cases = read_cases(folder)
    verdicts = judge(cases, card)
    frame = pd.DataFrame(
        [
            {
                "target": item.target.title,
                "demand": item.demand,
                "median": item.median,
                "p10": item.p10,
                "p90": item.p90,
                "verdict": item.verdict,
            }
            for item in verdicts
        ]
    )
    with atomic_write(folder / TARGETS) as stream:
        frame.to_csv(stream, index=False, lineterminator="\n")
    with atomic_write(folder / PAGE) as stream:
        stream.write("\n".join(to_markdown(table) for table in efficiency_tables(cases, card)))
    draw_efficiency(cases, folder / f"{FIGURE}.svg", folder / f"{FIGURE}.png")


def _target_table(verdicts: Sequence[Verdict]) -> TextTable:
    rows = [
        (
            TextCell(text=item.target.title),
            TextCell(text=item.demand),
            _figures(item.median, item.p10, item.p90),
            TextCell(text=item.verdict),
        )
        for item in verdicts
    ]
    return TextTable(heading="Targets", columns=("Target", "Demand", "Measured", "Verdict"), rows=tuple(rows))


def _figures(median: float | None, p10: float | None, p90: float | None) -> TextCell:
    if median is None or pd.isna(median):
        return MISSING
    return TextCell(text=_short(median), detail=f"[{_short(p10)}, {_short(p90)}]", is_number=True)


def _short(value: float | None) -> str:
    """Three significant digits without an exponent."""
    return "-" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _cell(block: pd.DataFrame, pair: str, measure: str, interval: bool = True) -> TextCell:
    own = block[(block["pair"] == pair) & (block["measure"] == measure)]
    if own.empty or pd.isna(own.iloc[0]["median"]):
        return MISSING
    record = own.iloc[0]
    if interval:
        return _figures(record["median"], record["p10"], record["p90"])
    return TextCell(text=_short(record["median"]), is_number=True)


def _time_table(cases: pd.DataFrame, work: str, heading: str) -> TextTable:
    block = cases[cases["work"] == work]
    pairs = list(dict.fromkeys(block.loc[block["pair"].str.contains("/"), "pair"]))
    sides = list(dict.fromkeys(block.loc[~block["pair"].str.contains("/"), "pair"]))
    columns = ["Case", *(f"{pair}, wall" for pair in pairs), *(f"{pair}, CPU" for pair in pairs)]
    columns += [f"{side}, s" for side in sides]
    rows = []
    for case, own in block.groupby("case", sort=False):
        cells = [_case_cell(str(case), own)]
        cells += [_cell(own, pair, "ratio_wall") for pair in pairs]
        cells += [_cell(own, pair, "ratio_cpu", interval=False) for pair in pairs]
        cells += [_cell(own, side, "seconds_wall", interval=False) for side in sides]
        rows.append(tuple(cells))
    notes = NOTES if work == "training" else ()
    return TextTable(heading=heading, columns=tuple(columns), rows=tuple(rows), notes=notes)


def _latency_table(cases: pd.DataFrame) -> TextTable:
    block = cases[cases["work"] == "latency"]
    pairs = list(dict.fromkeys(block.loc[block["pair"].str.contains("/"), "pair"]))
    sides = list(dict.fromkeys(block.loc[~block["pair"].str.contains("/"), "pair"]))
    percents = ("p50", "p95")
    rows = [
        (
            _case_cell(str(case), own),
            *(_cell(own, pair, f"ratio_{name}") for name in percents for pair in pairs),
            *(_cell(own, side, f"seconds_{name}", interval=False) for name in percents for side in sides),
        )
        for case, own in block.groupby("case", sort=False)
    ]
    columns = ["Case", *(f"{pair}, {name}" for name in percents for pair in pairs)]
    columns += [f"{side}, {name}, s" for name in percents for side in sides]
    return TextTable(heading="One text alone: string to entities", columns=tuple(columns), rows=tuple(rows))


def _operations_table(cases: pd.DataFrame) -> TextTable:
    block = cases[cases["work"] == "operations"]
    mega = block.assign(median=block["median"] / 1e6)
    rows = [
        (
            TextCell(text=str(case)),
            *(_cell(own, "ours", name, interval=False) for name in ("flops_per_word", "flops_per_word_by_hand")),
        )
        for case, own in mega.groupby("case", sort=False)
    ]
    columns = ("Case", "MFLOP per word, forward", "of these the LSTM's, by hand")
    return TextTable(heading="Operations of our forward pass", columns=columns, rows=tuple(rows))


def _case_cell(case: str, own: pd.DataFrame) -> TextCell:
    reasons = [reason for reason in own["reason"] if reason]
    return TextCell(text=case, detail=f"void: {reasons[0]}" if reasons else "")


def _parts_table(cases: pd.DataFrame) -> TextTable:
    block = cases[cases["work"] == "parts"]
    rows = [
        (
            TextCell(text=str(case)),
            TextCell(text=str(side)),
            *(_cell(own, str(side), f"pct_{part}", interval=False) for part in PART_TITLES),
            _cell(own, str(side), "outside_pct"),
        )
        for (case, side), own in block.groupby(["case", "pair"], sort=False)
    ]
    columns = ("Case", "Side", *(f"{title}, %" for title in PART_TITLES.values()), "Outside encoder and optimiser, %")
    return TextTable(heading="Parts of a training step, forward and backward", columns=columns, rows=tuple(rows))


def _memory_table(cases: pd.DataFrame) -> TextTable:
    block = cases[cases["work"].isin(("memory_training", "memory_inference"))]
    mebi = block.assign(**{name: block[name] / 2**20 for name in ("median", "p10", "p90")})
    rows = []
    for (work, case), own in block.groupby(["work", "case"], sort=False):
        sizes = mebi.loc[own.index]
        rows.append(
            (
                TextCell(text=str(work).removeprefix("memory_")),
                _case_cell(str(case), own),
                *(
                    _cell(sizes, side, "bytes_extra", interval=False)
                    for side in ("ours", "package", "encoder", "plain_encoder")
                ),
                _cell(own, "package/ours", "ratio_bytes"),
                _cell(own, "ours/package", "ratio_above_encoder"),
            )
        )
    columns = (
        "Work",
        "Case",
        "ours, MiB",
        "package, MiB",
        "encoder, MiB",
        "plain encoder, MiB",
        "package/ours",
        "ours/package, each above its encoder",
    )
    note = "Peak beyond the loaded model, each side in fresh processes, after one step on a text of a few words."
    return TextTable(heading="Extra peak memory of a step", columns=columns, rows=tuple(rows), notes=(note,))
