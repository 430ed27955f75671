"""Sentences of the analysis `scaling`: what its rows say about pretraining and labelled data, and where they do not."""

import numpy as np
import pandas as pd

from benchmarks.analyses.scaling_rows import CHANGE, CROSSING, GAP
from benchmarks.analyses.showing import interval_words, number
from benchmarks.reporting.style import is_missing

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
    first, last = gaps.iloc[0], gaps.iloc[-1]
    texts = [
        f"Pretraining on open types {_gained(first)} at {_size(first)} examples per dataset "
        f"({interval_words(first, '+')}) and {_gained(last)} at {_size(last)} ({interval_words(last, '+')})."
    ]
    change = only_row(rows, CHANGE)
    if change is not None and len(gaps) > 1:
        texts.append(
            f"From the smallest to the largest size the gain {_moved(change)} ({interval_words(change, '+')})."
        )
    crossing = only_row(rows, CROSSING)
    if crossing is not None:
        texts.append(_crossing_words(crossing, gaps))
    return texts


def _gained(row: pd.Series) -> str:
    verb = {1: "gains", -1: "loses", 0: "moves F1 by an amount that cannot be told from zero:"}[_sign(row)]
    value = number(row["value"], "+") if _sign(row) == 0 else number(abs(row["value"]))
    return f"{verb} {value} F1"


def _moved(change: pd.Series) -> str:
    if _sign(change) == 0:
        return f"changes by {number(change['value'], '+')} F1, which cannot be told from no change"
    return f"{'grows' if _sign(change) > 0 else 'shrinks'} by {number(abs(change['value']))} F1"


def _sign(row: pd.Series) -> int:
    """+1 or -1 where every interval that there is leaves out zero, else 0."""
    ends = [row[name] for name in ("low", "high", "seed_low", "seed_high") if not is_missing(row[name])]
    return int(np.sign(row["value"])) if all(end > 0 for end in ends) or all(end < 0 for end in ends) else 0


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
