"""Our cells beside the printed numbers: published CSV + tidy cells -> one verdict per printed number.

A printed number maps to the cells of the same dataset and metric whose variant, label or system is named as its row
or column (letters and digits count: "GLiNER-L" = `gliner-l`). A study's reference may instead say which of its variants
answers for which printed `row` (or column: Table 3 prints models as columns); then only that row is compared.
An average maps only where ours is taken over the datasets that the paper averages; where the paper mixes protocols in
it, ours is computed from the cells of each dataset under the protocol of its printed row (`measured.py`). `author_x` is
the paper's own file of dataset x and counts as x.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from benchmarks.catalog.cards import Reference
from benchmarks.catalog.printed import AUTHOR_FILES, Printed, asked_protocol
from benchmarks.reporting.measured import Measured, measured, name_key, named_like
from gliner_core.errors import InputError

Verdict = Literal["match", "close", "off", "n/a"]

PUBLISHED = Path(__file__).resolve().parents[1] / "published"
COMPARABLE_SCALE = "paper"
NOT_AVAILABLE = "n/a"
# fmt: off
PUBLISHED_COLUMNS = (
    "paper", "version", "table", "row", "column", "dataset", "metric", "value", "protocol", "tolerance", "note",
)
COLUMNS = (
    "paper", "table", "row", "column", "dataset", "metric", "published", "ours", "low", "high", "delta", "tolerance",
    "protocol", "verdict", "reason",
)
# fmt: on


def load_published(file: str | Path) -> pd.DataFrame:
    """One paper's printed numbers, by card name (`gliner_2311.08526`) or path; `n/a` values become NaN."""
    path = file if isinstance(file, Path) else PUBLISHED / f"{file}.csv"
    if not path.is_file():
        raise InputError(f"{path}: no such file; correct `file` of the study's `references` or add the table")
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except ValueError as error:  # another encoding, or lines of different length
        raise InputError(f"{path}: not readable as a table ({error}); repair it") from None
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes what is too much for an index
        raise InputError(f"{path}: a line has more than {len(frame.columns)} columns; repair it")
    if tuple(frame.columns) != PUBLISHED_COLUMNS:
        raise InputError(f"{path}:1: the columns must be {','.join(PUBLISHED_COLUMNS)}; correct the header")
    for column in ("value", "tolerance"):
        numbers = pd.to_numeric(frame[column], errors="coerce")
        wrong = numbers.isna() & ((frame[column] != NOT_AVAILABLE) | (column == "tolerance"))
        if wrong.any():
            line = int(wrong.idxmax())
            raise InputError(f"{path}:{line + 2}: `{column}` {frame[column][line]!r} is not a number; correct it")
        frame[column] = numbers
    return frame


def verdict(
    ours: float | None,
    low: float | None,
    high: float | None,
    reference: float | None,
    tolerance: float,
    *,
    scale: str,
    same_protocol: bool,
) -> Verdict:
    """The rule by which a measured number is held against a printed one.

    `n/a` unless both numbers exist, the scale is `paper` and the protocol is the same. Otherwise `match` when the
    reference lies in our 95 % interval or |ours - reference| <= tolerance, `close` within twice the tolerance, else
    `off`. The tolerance is printed beside each number: 1.0 for the F1 of one dataset and 0.5 for an average, because
    the paper reports single runs without a variance; half a printed unit for counts and means.
    """
    missing = any(value is None or pd.isna(value) for value in (ours, reference))
    if missing or scale != COMPARABLE_SCALE or not same_protocol:
        return NOT_AVAILABLE
    has_interval = not any(value is None or pd.isna(value) for value in (low, high))
    if _distance(ours, reference) <= tolerance or (has_interval and low <= reference <= high):
        return "match"
    return "close" if _distance(ours, reference) <= 2 * tolerance else "off"


def compare(
    cells: pd.DataFrame, references: Sequence[Reference], scale: str, overridden: Sequence[str] = ()
) -> pd.DataFrame:
    """One row per printed number of the referenced tables: our value, the difference, the verdict and its reason.

    `overridden` names the knobs that the configuration set on every run; such runs are not the paper's recipe.
    """
    ours = cells[cells["scale"] == scale].copy()
    for name in ("variant", "label", "system"):
        ours[f"{name}_key"] = _each(ours[name], name_key).astype("category")  # compared as numbers
    ours["dataset"] = _each(ours["dataset"].fillna(""), lambda name: str(name).removeprefix(AUTHOR_FILES))
    found: dict[tuple[str | None, str, str], pd.DataFrame] = {}  # most printed numbers share their row or model
    rows, named = [], f"{scale} with {', '.join(overridden)} set" if overridden else scale
    for reference in references:
        published = load_published(reference.file)
        every = published.to_dict("records")
        for printed in _printed(published, reference).to_dict("records"):
            key = (reference.variant, printed["row"], printed["column"])
            if key not in found:
                found[key] = named_like(ours, printed, reference)
            mine, wanted = measured(found[key], printed, reference, every), asked_protocol(every, printed)
            rows.append(_row(printed, mine, wanted, named))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _each(column: pd.Series, spell: Callable[[Any], str]) -> pd.Series:
    """A text function of a column whose values repeat: each distinct one is spelled once."""
    codes, values = pd.factorize(column, use_na_sentinel=False)
    return pd.Series([spell(value) for value in values], dtype="str").take(codes).set_axis(column.index)


def _printed(published: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    wanted = reference.table if reference.table[:1].isalpha() else f"Table {reference.table}"
    keep = published["table"] == wanted
    if reference.row is not None:
        keep &= (published["row"] == reference.row) | (published["column"] == reference.row)
    if not keep.any():
        row = "" if reference.row is None else f" with `row` {reference.row!r}"
        raise InputError(
            f"benchmarks/published/{reference.file}.csv: holds no `table` {wanted!r}{row}; correct the study's "
            f"`references` or add the rows"
        )
    return published[keep]


def _distance(ours: float, reference: float) -> float:
    return round(abs(ours - reference), 9)  # 60.4 - 59.9 must count as 0.5


def _row(printed: Printed, ours: Measured, wanted: str, scale: str) -> dict[str, Any]:
    reference, tolerance = printed["value"], printed["tolerance"]
    same = ours.protocol == wanted
    result = verdict(ours.value, ours.low, ours.high, reference, tolerance, scale=scale, same_protocol=same)
    facts = {name: printed[name] for name in ("paper", "table", "row", "column", "dataset", "metric")}
    # At another scale the two numbers are of different models: a difference would invite the comparison.
    is_apart = scale != COMPARABLE_SCALE or ours.value is None or pd.isna(reference)
    return facts | {
        "published": reference,
        "ours": ours.value,
        "low": ours.low,
        "high": ours.high,
        "delta": None if is_apart else ours.value - reference,
        "tolerance": tolerance,
        "protocol": ours.protocol,
        "verdict": result,
        "reason": _reason(result, printed, ours, wanted, scale),
    }


def _reason(result: Verdict, printed: Printed, ours: Measured, wanted: str, scale: str) -> str:
    if result == "match":
        within = _distance(ours.value, printed["value"]) <= printed["tolerance"]
        return "within the tolerance" if within else "inside our 95 % interval"
    if result == "close":
        return "within twice the tolerance"
    if result == "off":
        return "beyond twice the tolerance"
    reasons = []
    if pd.isna(printed["value"]):
        reasons.append("the paper draws this value and does not print it")
    if scale != COMPARABLE_SCALE:
        reasons.append(f"scale {scale} is not the paper's")
    if ours.reason:
        reasons.append(ours.reason)
    elif ours.protocol != wanted:
        reasons.append(f"scored under {ours.protocol}, printed under {wanted}")
    return "; ".join(reasons)
