"""Counts of weights that a checkpoint's header tells, without reading the weights."""

import json
import re
from math import prod
from pathlib import Path

from gliner_core.errors import InputError

# BERT, RoBERTa, DeBERTa, ELECTRA and ALBERT name the matrix `word_embeddings`, XLNet `word_embedding`.
WORD_EMBEDDINGS = re.compile(r"(^|\.)word_embeddings?\.weight$")


def size_facts(run: Path) -> dict[str, float]:
    """The count as a run-level fact; nothing for a system, or where the checkpoint was deleted.

    Beside `cells.run_facts`, which scoring imports: an edit there would score everything again.
    """
    count = parameters_without_embeddings(run / "model" / "model.safetensors")
    return {} if count is None else {"parameters_without_embeddings": count}


def parameters_without_embeddings(checkpoint: Path) -> int | None:
    """Weights of a safetensors file without the word embeddings, as the paper counts; None without the file.

    The header is 8 bytes of length (little endian) and JSON: name -> shape (https://huggingface.co/docs/safetensors).
    """
    if not checkpoint.is_file():
        return None
    with checkpoint.open("rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    shapes = {name: entry["shape"] for name, entry in header.items() if name != "__metadata__"}
    kept = [shape for name, shape in shapes.items() if not WORD_EMBEDDINGS.search(name)]
    if len(kept) == len(shapes):
        raise InputError(
            f"{checkpoint}: holds no matrix of word embeddings; name it in benchmarks/reporting/weights.py"
        )
    return sum(prod(shape) for shape in kept)
