"""The public model: `GLiNER.from_pretrained`, `predict`, `save_pretrained`, in the official checkpoint format.

A checkpoint is a folder with gliner_config.json, model.safetensors (or pytorch_model.bin, read with weights_only) and
the tokenizer. Key names of both follow the published package, which opens what this module writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download

from gliner_core.decode import Overlap
from gliner_core.device import choose_device
from gliner_core.encoder import loading
from gliner_core.errors import InputError
from gliner_core.model import SpanScoringModel
from gliner_core.opening import open_network
from gliner_core.predict import best_spans, candidate_spans
from gliner_core.saving import save_network
from gliner_core.words import Words, join_words, split_text

FILES = ("*.json", "*.safetensors", "pytorch_model.bin", "*.model", "*.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One found entity; word indices inclusive, character range end-exclusive."""

    start: int
    end: int
    label: str
    score: float
    text: str
    char_start: int
    char_end: int


class GLiNER:
    """A trained model with its tokenizer."""

    def __init__(self, network: SpanScoringModel) -> None:
        self.network = network

    @classmethod
    def from_pretrained(
        cls,
        path_or_hub_id: str | Path,
        revision: str | None = None,
        device: str | None = None,
        dtype: torch.dtype | None = None,
    ) -> "GLiNER":
        """Opens a checkpoint folder or hub id. Raises `InputError` naming the file or the unsupported variant."""
        folder = Path(path_or_hub_id)
        if not folder.is_dir():
            with loading(f"model {path_or_hub_id}: no such folder, and as a hub id it"):
                folder = Path(snapshot_download(str(path_or_hub_id), revision=revision, allow_patterns=list(FILES)))
        return cls(open_network(folder).to(device=choose_device(device), dtype=dtype or torch.float32).eval())

    def predict(
        self,
        texts: Sequence[str | Sequence[str]],
        labels: Sequence[str],
        threshold: float = 0.5,
        flat: bool = True,
        multi_label: bool = False,
        batch_size: int = 8,
        window_overlap: int | None = None,
    ) -> list[list[Entity]]:
        """Entities per text, ordered by position. A text is a string (split into words) or a list of words.

        `flat=False` allows nested entities; `multi_label` allows several labels on one span. A repeated label is asked
        once, at its first place. Words beyond the model's window are not read, unless `window_overlap` (in words, at
        least K) asks for further windows, see windows.py. Raises `InputError` without labels.
        """
        for name, given in {"texts": texts, "labels": labels}.items():
            if isinstance(given, str):
                raise InputError(f"`{name}` is the string {given[:40]!r}; give a list of strings")
        labels = list(dict.fromkeys(labels))
        split = [split_text(text) if isinstance(text, str) else join_words(list(text)) for text in texts]
        overlap: Overlap = (
            ("flat_multi_label" if flat else "multi_label") if multi_label else ("flat" if flat else "nested")
        )
        found = candidate_spans(
            self.network,
            [item.words for item in split],
            labels,
            floor=threshold,
            batch_size=batch_size,
            window_overlap=window_overlap,
        )
        return [
            _entities(words, best_spans(candidates, threshold, overlap), labels)
            for words, candidates in zip(split, found, strict=True)
        ]

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes the checkpoint; the weights last, so that an interrupted write cannot be opened."""
        save_network(self.network, Path(folder))


def _entities(words: Words, best: Any, labels: Sequence[str]) -> list[Entity]:
    entities = []
    for start, end, label, score in zip(best.start, best.end, best.label, best.score, strict=True):
        first, last = words.offsets[start][0], words.offsets[end][1]
        entities.append(
            Entity(
                start=int(start),
                end=int(end),
                label=labels[label],
                score=float(score),
                text=words.text[first:last],
                char_start=first,
                char_end=last,
            )
        )
    return entities
