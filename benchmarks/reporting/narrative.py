"""Writes the few sentences that say what a study measured; every number in them comes from its tidy files."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from benchmarks.reporting.difference_text import Line, measured_text
from benchmarks.reporting.summary import AVERAGE, CellIndex, Estimate, RowKey
from benchmarks.scoring.judging import HIGHER, LOWER, NOT_SHOWN, ONE_SEED

VERDICTS = ("match", "close", "off", "n/a")
TOLD_ONE_BY_ONE = 2  # comparisons; of more, only their numbers, the highest and the lowest are told


def finding(index: CellIndex) -> str:
    """The baseline's average F1 with its interval, and its averages under other protocols."""
    rows = [row for row in index.rows if row.protocol == index.protocols[0] and index.score(row)]
    if not rows:
        return "No average F1 was measured."
    first = rows[0]
    parts = [f"Under the protocol {first.protocol}, {first.label} reaches an average F1 of {_measured(index, first)}"]
    for protocol in index.protocols[1:]:
        same = [row for row in index.rows if (row.variant, row.system) == (first.variant, first.system)]
        scores = [index.score(row) for row in same if row.protocol == protocol]
        parts += [f"under {protocol}, {first.label} reaches {score.value:.1f} %" for score in scores[:1] if score]
    return "; ".join(parts) + "."


def _score(index: CellIndex, row: RowKey) -> Estimate:
    estimate = index.score(row)
    assert estimate is not None, "rows without an average are filtered before"
    return estimate


def _measured(index: CellIndex, row: RowKey) -> str:
    estimate = _score(index, row)
    notes = []
    if estimate.low is not None and estimate.high is not None:
        notes.append(f"95 % interval over test sentences {estimate.low:.1f} to {estimate.high:.1f}")
    if len(estimate.seeds) > 1:
        notes.append(
            f"mean of {len(estimate.seeds)} seeds that span {min(estimate.seeds):.1f} to {max(estimate.seeds):.1f}"
        )
    elif not row.system:
        notes.append("one seed")
    return f"{estimate.value:.1f} %" + (f" ({'; '.join(notes)})" if notes else "")


def held_against(differences: pd.DataFrame) -> list[str]:
    """How the other variants and systems compare with the baseline: a few sentences, however many they are."""
    averages = differences[differences["dataset"] == AVERAGE]
    if averages.empty:
        return []
    main, *others = (family for _, family in averages.groupby("protocol", sort=False))
    lines: list[Line] = main.to_dict("records")
    told = _each(lines) if len(lines) <= TOLD_ONE_BY_ONE else _summary(lines)
    if any(line["reach"] == ONE_SEED for line in lines):
        told.append("With one seed a verdict holds for these trained models only.")
    if others:
        same, total = _same_verdicts(main, pd.concat(others))
        names = ", ".join(str(family["protocol"].iloc[0]) for family in others)
        told.append(f"Under {names}, {same} of {total} verdicts are the same.")
    return told


def _each(lines: Sequence[Line]) -> list[str]:
    return [f"Against {lines[0]['baseline_variant']}: {'; '.join(map(measured_text, lines))}.", *_visible(lines)]


def _summary(lines: Sequence[Line]) -> list[str]:
    counts = Counter(line["verdict"] for line in lines)
    ranked = sorted(lines, key=lambda line: line["difference_points"], reverse=True)
    return [
        f"Against {lines[0]['baseline_variant']}, {counts[HIGHER]} of {len(lines)} are shown to be higher and "
        f"{counts[LOWER]} lower; for {counts[NOT_SHOWN]} no difference is shown.",
        f"The highest is {measured_text(ranked[0])}.",
        f"The lowest is {measured_text(ranked[-1])}.",
        *_visible(lines),
    ]


def _visible(lines: Sequence[Line]) -> list[str]:
    """What a comparison that showed nothing could have shown."""
    sizes = sorted(line["visible_points"] for line in lines if line["verdict"] == NOT_SHOWN and line["visible_points"])
    if not sizes:
        return []
    between = f"{sizes[0]:.1f}" if len(sizes) == 1 else f"{sizes[0]:.1f} to {sizes[-1]:.1f}"
    return [f"Where nothing is shown, a true difference of {between} points would have been found 4 times in 5."]


def _same_verdicts(main: pd.DataFrame, others: pd.DataFrame) -> tuple[int, int]:
    """How many comparisons under the other protocols end as the same comparison does under the first."""
    name = ["variant", "system"]
    found = others.merge(main[[*name, "verdict"]], on=name, suffixes=("", "_main"))
    return int((found["verdict"] == found["verdict_main"]).sum()), len(found)


def verdict_summary(verdicts: pd.DataFrame) -> str:
    """How many printed numbers were met, in one sentence."""
    if verdicts.empty:
        return "The paper prints no number for this question."
    counts = Counter(verdicts["verdict"].fillna("n/a"))
    reasons = sorted({str(reason).split(";")[0] for reason in verdicts["reason"].dropna()})
    total = sum(counts.values())
    if set(counts) == {"n/a"}:
        reason = reasons[0] if len(reasons) == 1 else "each verdict names its reason"
        return f"Printed numbers: {total}, none of which can be held against this ({reason})."
    told = ", ".join(f"{counts[name]} {name}" for name in VERDICTS if counts[name])
    return f"Printed numbers: {total}, of which {told}."
