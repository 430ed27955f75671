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
from gliner_core.files import atomic_write, read_text

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
    lines = [line for line in read_text(path).split("\n") if line]
    try:
        header = json.loads(lines[0])
        if header["format"] != FORMAT:
            raise InputError(f"{path}:1: format {header['format']!r} is not {FORMAT!r}; predict again")
        sentences = tuple(_candidates(json.loads(line), path, number) for number, line in enumerate(lines[1:], start=2))
        return Predictions(
            dataset=header["dataset"],
            labels=tuple(header["labels"]),
            floor=header["floor"],
            decoding=header["decoding"],
            sentences=sentences,
            wording=header.get("wording", {}),
        )
    except (IndexError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: not a prediction file ({error!r}); delete it and predict again") from None


def _candidates(record: dict[str, Any], path: str | Path, number: int) -> Candidates:
    arrays = {key: np.asarray(record[key], dtype=np.int64) for key in ("start", "end", "label")}
    arrays["score"] = np.asarray(record["score"], dtype=np.float64)
    if len({len(values) for values in arrays.values()}) != 1:
        raise InputError(f"{path}:{number}: candidate lists differ in length; delete the file and predict again")
    return Candidates(id=record["id"], num_words=record["num_words"], lost_words=record["lost_words"], **arrays)
