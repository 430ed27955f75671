"""Sentences of the analysis `scaling`: what its rows say about pretraining and labelled data, and where they do not.

Whether pretraining gains, and whether the gain grows or shrinks, is the verdict of the rows (`scaling_verdicts.py`).
"""

import numpy as np
import pandas as pd

from benchmarks.analyses.power_law import EXPONENTS
from benchmarks.analyses.scaling_rows import CHANGE, CROSSING, GAP
from benchmarks.analyses.showing import interval_words, number
from benchmarks.reporting.difference_text import p_text
from benchmarks.reporting.missing import is_missing
from benchmarks.scoring.judging import HIGHER, LOWER, NOT_SHOWN, ONE_SEED

USEFUL = 3.0  # an exponent's interval is of use where its upper end is at most so many times its lower
NEAR_ZERO = 1.0  # percent: an asymptote whose interval reaches below cannot be told apart from none


def mean_rows(rows: pd.DataFrame, topic: str, start: str = "") -> pd.DataFrame:
    """Rows of all sizes that are means over the suite, from small to large."""
    same = (rows["topic"] == topic) & (rows["start"].fillna("") == start) & rows["dataset"].isna()
    return rows[same].sort_values("size")


def only_row(rows: pd.DataFrame, topic: str, start: str = "") -> pd.Series | None:
    found = rows[(rows["topic"] == topic) & (rows["start"].fillna("") == start)]
    return None if found.empty else found.iloc[0]


def gap_findings(rows: pd.DataFrame) -> list[str]:
    gaps = mean_rows(rows, GAP)
    if gaps.empty:
        return ["The study has one start only: nothing can be said about the gain from pretraining."]
    ends = [gaps.iloc[place] for place in sorted({0, len(gaps) - 1})]
    told = " and ".join(f"{_moved_f1(row)} at {_size(row)} examples per dataset ({_grounds(row)})" for row in ends)
    texts = [f"Pretraining on open types {told}.", _all_sizes(gaps)]
    change = only_row(rows, CHANGE)
    if change is not None:
        texts.append(f"From the smallest to the largest size the gain {_moved_gain(change)} ({_grounds(change)}).")
    if ends[0]["reach"] == ONE_SEED:
        texts.append("With one seed a verdict holds for these trained models only.")
    crossing = only_row(rows, CROSSING)
    if crossing is not None:
        texts.append(_crossing_words(crossing, gaps))
    return texts


def _moved_f1(row: pd.Series) -> str:
    if row["verdict"] == NOT_SHOWN:
        return "is not shown to move F1"
    return f"{'gains' if row['verdict'] == HIGHER else 'loses'} {number(abs(row['value']))} F1"


def _moved_gain(change: pd.Series) -> str:
    if change["verdict"] == NOT_SHOWN:
        return "is not shown to change"
    return f"{'grows' if change['verdict'] == HIGHER else 'shrinks'} by {number(abs(change['value']))} F1"


def _grounds(row: pd.Series) -> str:
    """Intervals and p-value, and where nothing is shown the difference itself and what could have been shown."""
    adjusted = "adjusted " if row["num_compared"] > 1 else ""
    text = f"{interval_words(row, '+')}, {adjusted}p {p_text(row)}"
    if row["verdict"] != NOT_SHOWN:
        return text
    visible = f", visible from {number(row['visible_points'])}" if row["visible_points"] else ""
    return f"{number(row['value'], '+')}; {text}{visible}"


def _all_sizes(gaps: pd.DataFrame) -> str:
    """At which sizes something is shown."""
    found = {
        name: ", ".join(_size(row) for _, row in gaps[gaps["verdict"] == name].iterrows()) or "none"
        for name in (HIGHER, LOWER)
    }
    return (
        f"With and without it answer the same sentences at {len(gaps)} sizes, which are tested together: it is shown "
        f"to gain at {found[HIGHER]}, to lose at {found[LOWER]}."
    )


def _crossing_words(row: pd.Series, gaps: pd.DataFrame) -> str:
    ends = [row[name] for name in ("low", "high", "seed_low", "seed_high") if not is_missing(row[name])]
    text = (
        f"By the fitted curves the size from which on the gain stays under 1 F1 is {_crossing(row['value'], gaps)} "
        f"(95 % over sentences {_sizes(row['low'], row['high'], gaps)}"
    )
    if not is_missing(row["seed_low"]):
        text += f", {_source(row)} {_sizes(row['seed_low'], row['seed_high'], gaps)}"
    if all(np.isinf(end) for end in ends):
        return f"{text}): it lies beyond the data."
    if any(np.isinf(end) for end in ends):
        return f"{text}): the data do not bound that size."
    return f"{text})."


def _sizes(low: float, high: float, gaps: pd.DataFrame) -> str:
    first, last = _crossing(low, gaps), _crossing(high, gaps)
    return first if first == last else f"{first} to {last}"


def _crossing(size: float, gaps: pd.DataFrame) -> str:
    if np.isinf(size):
        return f"beyond {_size(gaps.iloc[-1])}"
    return f"below {_size(gaps.iloc[0])}" if size == 0 else f"{size:,.0f} examples"


def _size(row: pd.Series) -> str:
    return f"{row['size']:,.0f}"


def curve_findings(rows: pd.DataFrame, points: dict[str, pd.DataFrame]) -> list[str]:
    texts = []
    for start, mine in points.items():
        exponent, asymptote = only_row(rows, "exponent", start), only_row(rows, "asymptote", start)
        if exponent is None or asymptote is None:
            texts.append(f"{start.capitalize()}: {len(mine)} sizes are too few for a curve with three parameters.")
            continue
        texts.append(
            f"{start.capitalize()}, the error falls with exponent {number(exponent['value'], decimals=2)} "
            f"({_parameter_words(exponent)}) towards {number(asymptote['value'])} % ({_parameter_words(asymptote)}); "
            f"{_identified(exponent, asymptote, len(mine))}."
        )
    return texts


def _parameter_words(row: pd.Series) -> str:
    decimals = 2 if row["topic"] == "exponent" else 1
    low, high = (number(row[name], decimals=decimals) for name in ("low", "high"))
    text = f"95 % over sentences {low} to {high}"
    if is_missing(row["seed_low"]):
        return text
    low, high = (number(row[name], decimals=decimals) for name in ("seed_low", "seed_high"))
    return f"{text}, {_source(row)} {low} to {high}"


def _source(row: pd.Series) -> str:
    """Where the noise of a fitted curve comes from."""
    return "over seeds" if row["num_seeds"] > 1 else "from the residuals of the curve"


def _identified(exponent: pd.Series, asymptote: pd.Series, num: int) -> str:
    """What the fit does and does not tell; both intervals must agree."""
    lows = [exponent[name] for name in ("low", "seed_low") if not is_missing(exponent[name])]
    highs = [exponent[name] for name in ("high", "seed_high") if not is_missing(exponent[name])]
    floors = [asymptote[name] for name in ("low", "seed_low") if not is_missing(asymptote[name])]
    faults = []
    if num == 3:
        faults.append("three sizes determine the three parameters, so nothing tests the form of the curve")
    if exponent["value"] == 0:
        faults.append("the error does not fall with the size")
    elif np.isclose(exponent["value"], EXPONENTS).any():
        faults.append("the exponent lies at an end of the range that is searched, so these points have no such curve")
    elif min(lows) == 0 or max(highs) > USEFUL * min(lows):
        faults.append("the interval of the exponent is too wide to be of use")
    if min(floors) < NEAR_ZERO:
        faults.append("the asymptote cannot be told apart from none")
    return "; ".join(faults) or "both are identified"


def pass_findings(points: dict[str, pd.DataFrame]) -> list[str]:
    rows = next(iter(points.values()))
    short = rows[rows["passes"] < 1]
    if short.empty:
        return []
    sizes = ", ".join(_size(row) for _, row in short.iterrows())
    return [
        f"All trainings have the same number of steps, which see the data {rows['passes'].max():.1f} to "
        f"{rows['passes'].min():.1f} times: with {sizes} examples per dataset not all of them are seen once, so there "
        "the curve shows the length of the training rather than the size of the data."
    ]
