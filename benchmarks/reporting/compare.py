"""Our cells beside the printed numbers: published CSV + tidy cells -> one verdict per printed number.

A printed number maps to the cells of the same dataset and metric whose variant, label or system is named as its row
or column (letters and digits count: "GLiNER-L" = `gliner-l`). A study's reference may instead say which of its variants
answers for which printed `row` (or column: Table 3 prints models as columns); then only that row is compared.
An average maps only where ours is taken over the datasets that the paper averages. `author_x` is the paper's own file
of dataset x and counts as x.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from benchmarks.catalog.cards import Reference
from gliner_core.errors import InputError

Verdict = Literal["match", "close", "off", "n/a"]

PUBLISHED = Path(__file__).resolve().parents[1] / "published"
AVERAGE = "average"
COMPARABLE_SCALE = "paper"
AUTHOR_FILES = "author_"
NOT_AVAILABLE = "n/a"
# fmt: off
PUBLISHED_COLUMNS = (
    "paper", "version", "table", "row", "column", "dataset", "metric", "value", "protocol", "tolerance", "note",
)
COLUMNS = (
    "paper", "table", "row", "column", "dataset", "metric", "published", "ours", "low", "high", "delta", "tolerance",
    "verdict", "reason",
)
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Our side of one printed number: means over seeds, the protocol they were scored under, or why there is none."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    protocol: str = ""
    reason: str = ""


def load_published(file: str | Path) -> pd.DataFrame:
    """One paper's printed numbers, by card name (`gliner_2311.08526`) or path; `n/a` values become NaN."""
    path = file if isinstance(file, Path) else PUBLISHED / f"{file}.csv"
    if not path.is_file():
        raise InputError(f"{path}: no such file; correct `file` of the study's `references` or add the table")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
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
        ours[f"{name}_key"] = [name_key(value) for value in ours[name]]
    ours["dataset"] = [str(name).removeprefix(AUTHOR_FILES) for name in ours["dataset"].fillna("")]
    rows = []
    for reference in references:
        published = load_published(reference.file)
        for printed in _printed(published, reference).itertuples(index=False):
            measured = _measured(ours, printed, reference, published)
            rows.append(_row(printed, measured, f"{scale} with {', '.join(overridden)} set" if overridden else scale))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def name_key(name: Any) -> str:
    """Letters and digits of a name in lower case, so that printed and card spellings meet."""
    return "" if pd.isna(name) else re.sub(r"[\W_]+", "", str(name).lower())


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


def _measured(ours: pd.DataFrame, printed: Any, reference: Reference, published: pd.DataFrame) -> Measured:
    named = _named(ours, printed, reference)
    if named.empty:
        wanted = reference.variant or f"{printed.row} or {printed.column}"
        return Measured(reason=f"no variant or system here is named {wanted}")
    found = named[(named["dataset"] == printed.dataset) & (named["metric"] == printed.metric)]
    if printed.dataset == AVERAGE:
        theirs = _averaged(printed, published)
        found = found[[_datasets(named, suite) in theirs for suite in found["suite"]]]
    if found.empty:
        return Measured(reason=f"{printed.metric} of {printed.dataset} over the paper's datasets was not measured here")
    same = found[found["protocol"] == _protocol(printed)]
    found = found if same.empty else same
    found = found.drop_duplicates(["run", "system", "seed", "variant", "suite", "decoding", "protocol"])
    ways = found[["variant", "system", "suite", "decoding", "protocol"]].fillna("").drop_duplicates()
    if len(ways) > 1:
        which = [name for name in ways.columns if ways[name].nunique() > 1]
        return Measured(reason=f"{len(ways)} cells here answer for it; they differ in {', '.join(which)}")
    return Measured(
        value=float(found["value"].mean()),
        low=_mean(found["low"]),
        high=_mean(found["high"]),
        protocol=found["protocol"].iloc[0],
    )


def _named(ours: pd.DataFrame, printed: Any, reference: Reference) -> pd.DataFrame:
    if reference.variant is not None:
        return ours[(ours["variant"] == reference.variant) & (ours["system_key"] == "")]
    keys = [name_key(printed.row), name_key(printed.column)]
    return ours[ours[["variant_key", "label_key", "system_key"]].isin(keys).any(axis=1)]


def _averaged(printed: Any, published: pd.DataFrame) -> list[frozenset[str]]:
    """The dataset lists that this average may stand for: its own table's, or any where the table prints none."""
    lists = {
        table: frozenset(rows["dataset"]) - {AVERAGE, ""}
        for table, rows in published[published["metric"] == "f1_pct"].groupby("table")
    }
    own = lists.get(printed.table, frozenset())
    return [own] if own else [names for names in lists.values() if names]


def _datasets(named: pd.DataFrame, suite: str) -> frozenset[str]:
    return frozenset(named.loc[named["suite"] == suite, "dataset"]) - {AVERAGE, ""}


def _protocol(printed: Any) -> str:
    """The protocol card at the head of the printed protocol; what follows the semicolon is prose."""
    return printed.protocol.split(";")[0].strip()


def _distance(ours: float, reference: float) -> float:
    return round(abs(ours - reference), 9)  # 60.4 - 59.9 must count as 0.5


def _mean(bounds: pd.Series) -> float | None:
    return None if bounds.isna().any() else float(bounds.mean())


def _row(printed: Any, measured: Measured, scale: str) -> dict[str, Any]:
    same_protocol = measured.protocol == _protocol(printed)
    ours, low, high = measured.value, measured.low, measured.high
    result = verdict(ours, low, high, printed.value, printed.tolerance, scale=scale, same_protocol=same_protocol)
    facts = {name: getattr(printed, name) for name in ("paper", "table", "row", "column", "dataset", "metric")}
    delta = None if ours is None or pd.isna(printed.value) else ours - printed.value
    return facts | {
        "published": printed.value,
        "ours": ours,
        "low": low,
        "high": high,
        "delta": delta,
        "tolerance": printed.tolerance,
        "verdict": result,
        "reason": _reason(result, printed, measured, scale),
    }


def _reason(result: Verdict, printed: Any, measured: Measured, scale: str) -> str:
    if result == "match":
        within = _distance(measured.value, printed.value) <= printed.tolerance
        return "within the tolerance" if within else "inside our 95 % interval"
    if result == "close":
        return "within twice the tolerance"
    if result == "off":
        return "beyond twice the tolerance"
    reasons = []
    if pd.isna(printed.value):
        reasons.append("the paper draws this value and does not print it")
    if scale != COMPARABLE_SCALE:
        reasons.append(f"scale {scale} is not the paper's")
    if measured.reason:
        reasons.append(measured.reason)
    elif measured.protocol != _protocol(printed):
        reasons.append(f"scored under {measured.protocol}, printed under {_protocol(printed)}")
    return "; ".join(reasons)
