"""The score file of a cell as its readers need it: checked once, so that a damaged one is named and not averaged."""

from pathlib import Path
from typing import Any

import numpy as np

from gliner_core.errors import InputError
from gliner_core.files import read_json

_RATES = ("precision_pct", "recall_pct", "f1_pct", "reachable_recall_pct")


def read_score(path: str | Path) -> dict[str, Any]:
    """A score file, its `sentences` as counts [S, 3].

    Raises `InputError` where rates, interval or counts are not in order.
    """
    score = read_json(path)
    if not isinstance(score, dict):
        raise _fault(path, "it is no JSON object")
    interval = score.get("interval")
    if not isinstance(interval, dict):
        raise _fault(path, "`interval` is missing")
    for name, value in [(name, score.get(name)) for name in _RATES] + list(_bounds(interval)):
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 100:
            raise _fault(path, f"`{name}` is no percentage")
    counts = _counts(score.get("sentences"))
    if counts is None or score.get("num_sentences") != len(counts):
        raise _fault(path, "`sentences` does not hold three counts for each of `num_sentences`")
    return score | {"sentences": counts}


def _bounds(interval: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(f"interval.{name}", interval.get(name)) for name in ("low_pct", "high_pct")]


def _counts(sentences: Any) -> np.ndarray | None:
    try:
        rows = np.asarray(sentences)
    except (ValueError, OverflowError):  # rows of different length, or a number beyond 64 bits
        return None
    return rows if rows.ndim == 2 and rows.shape[1] == 3 and rows.dtype.kind == "i" and (rows >= 0).all() else None


def _fault(path: str | Path, what: str) -> InputError:
    return InputError(f"{path}: not a score file: {what}; delete it and run the workflow again")
