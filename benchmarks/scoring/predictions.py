"""The prediction file: every candidate span above a low floor with its score, one JSON line per sentence.

First line: {"format": "gliner-bench-predictions/1", "labels": [...], "dataset": ..., "floor": 0.05, "decoding": {...}},
and where the labels were asked in other words, "wording": {label of the dataset: what was asked}.
Others: {"id": ..., "num_words": n, "lost_words": m, "start": [...], "end": [...], "label": [...], "score": [...]}
with word indices (end inclusive), `label` an index into the header's `labels` (the strings the model was asked for,
in prompt order), `lost_words` the words beyond the model's window. Thresholds and protocols are re-read from here.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gliner_core.errors import InputError
from gliner_core.files import atomic_write, load_json, read_text

FORMAT = "gliner-bench-predictions/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Candidate spans of one sentence; the arrays have shape [N] and share an order."""

    id: str
    num_words: int
    lost_words: int
    start: np.ndarray
    end: np.ndarray
    label: np.ndarray
    score: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """One cell's predictions: the header's facts and one `Candidates` per sentence, in dataset order."""

    dataset: str
    labels: tuple[str, ...]
    floor: float
    decoding: dict[str, Any]
    sentences: tuple[Candidates, ...]
    wording: dict[str, str] = field(default_factory=dict)


def write_predictions(path: str | Path, header: dict[str, Any], sentences: Iterable[Candidates]) -> None:
    """Writes a prediction file atomically. `header` holds dataset, labels, floor, decoding and perhaps wording."""
    with atomic_write(path) as stream:
        stream.write(json.dumps({"format": FORMAT, **header}, ensure_ascii=False) + "\n")
        for item in sentences:
            record = {"id": item.id, "num_words": item.num_words, "lost_words": item.lost_words}
            record |= {key: getattr(item, key).tolist() for key in ("start", "end", "label")}
            # 9 significant digits round-trip a float32, so ties and saturated scores survive the file.
            record["score"] = [float(f"{value:.9g}") for value in item.score.tolist()]
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_predictions(path: str | Path) -> Predictions:
    """Reads a prediction file; every fault is an `InputError` that names file and line."""
    lines = [(number, line) for number, line in enumerate(read_text(path).split("\n"), start=1) if line]
    number, first = lines[0] if lines else (1, "")
    try:
        header = _header(load_json(first))
        sentences = []
        for number, line in lines[1:]:  # noqa: B007 - `number` is where a fault below was met
            sentences.append(_candidates(load_json(line), len(header["labels"])))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{number}: not valid JSON ({error.msg}); delete the file and predict again") from None
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        reason = f"key `{error.args[0]}` is missing" if isinstance(error, KeyError) else error
        raise InputError(f"{path}:{number}: {reason}; delete the file and predict again") from None
    return Predictions(
        dataset=header["dataset"],
        labels=tuple(header["labels"]),
        floor=header["floor"],
        decoding=header["decoding"],
        sentences=tuple(sentences),
        wording=header.get("wording", {}),
    )


def _header(header: Any) -> dict[str, Any]:
    if not isinstance(header, dict) or header["format"] != FORMAT:
        raise ValueError(f"the format is not {FORMAT!r}")
    strings = isinstance(header["labels"], list) and all(isinstance(label, str) for label in header["labels"])
    floor, wording = header["floor"], header.get("wording", {})
    number = isinstance(floor, int | float) and not isinstance(floor, bool) and 0 <= floor < 1
    plain = isinstance(wording, dict) and all(isinstance(text, str) for text in wording.values())
    if not (
        strings and number and plain and isinstance(header["dataset"], str) and isinstance(header["decoding"], dict)
    ):
        raise ValueError("the first line lacks a dataset, a list of labels, a floor from 0 to 1, decoding or wording")
    return header


def _candidates(record: Any, num_labels: int) -> Candidates:
    if not isinstance(record, dict):
        raise TypeError("not a JSON object")
    num_words, lost_words = record["num_words"], record["lost_words"]
    if not (isinstance(record["id"], str) and type(num_words) is int and type(lost_words) is int):
        raise TypeError("`id` is no string, or `num_words` or `lost_words` is no whole number")
    start, end, label = (_integers(record[key]) for key in ("start", "end", "label"))
    score = np.asarray(record["score"], dtype=np.float64)
    if not start.shape == end.shape == label.shape == score.shape or score.ndim != 1:
        raise ValueError("candidate lists differ in length")
    inside = (start >= 0) & (start <= end) & (end < num_words) & (label >= 0) & (label < num_labels)
    if not (inside.all() and np.isfinite(score).all() and 0 <= lost_words <= max(num_words, 0)):
        raise ValueError(
            f"a candidate lies outside the {num_words} words or {num_labels} labels, or has no finite score"
        )
    return Candidates(
        id=record["id"], num_words=num_words, lost_words=lost_words, start=start, end=end, label=label, score=score
    )


def _integers(values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.size and array.dtype.kind != "i":
        raise TypeError("a word or label index is no whole number")
    return array.astype(np.int64)
