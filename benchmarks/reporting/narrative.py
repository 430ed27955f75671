"""Writes the one sentence that says what a study measured; every number in it comes from the cells."""

from collections import Counter

import pandas as pd

from benchmarks.reporting.summary import CellIndex, Estimate, RowKey

VERDICTS = ("match", "close", "off", "n/a")


def finding(index: CellIndex) -> str:
    """The baseline's average F1 with its interval, then the variants and systems against it."""
    rows = [row for row in index.rows if row.protocol == index.protocols[0] and index.score(row)]
    if not rows:
        return "No average F1 was measured."
    first = rows[0]
    parts = [f"Under the protocol {first.protocol}, {first.label} reaches an average F1 of {_measured(index, first)}"]
    variants = [row for row in rows[1:] if not row.system]
    parts += _against(index, first, variants)
    parts += [f"{row.label} reaches {_score(index, row).value:.1f} %" for row in rows[1:] if row.system]
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


def _against(index: CellIndex, first: RowKey, variants: list[RowKey]) -> list[str]:
    base = _score(index, first).value
    ranked = sorted(variants, key=lambda row: _score(index, row).value, reverse=True)

    def told(row: RowKey) -> str:
        value = _score(index, row).value
        return f"{row.label} with {value:.1f} % ({value - base:+.1f} points)"

    if len(ranked) < 2:
        return [f"the one other variant is {told(row)}" for row in ranked]
    return [f"of {len(ranked)} other variants the highest is {told(ranked[0])} and the lowest {told(ranked[-1])}"]


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
