"""The published package `gliner` as a system: its own collator, network and, where there is no span grid, decoder.

A model with a grid of spans gives the score of every span, so all candidates above the floor are kept. Models that tag
words (`span_mode: token_level`) have no such grid: there the package decodes at the floor, and the file says so.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.peers.answering import (
    ALL_CANDIDATES,
    DECODED_BY_PEER,
    Found,
    check_installed,
    check_source,
    in_batches,
    span_scores,
    unavailable,
    without_foreign_code,
)
from gliner_core.errors import InputError
from gliner_core.predict import SpanScores
from gliner_core.spans import valid_cells

TOKEN_LEVEL = "token_level"


class PackagePeer:
    """A model of the package, ready to be asked."""

    def __init__(self, model: Any) -> None:
        self.model = model.eval()
        self.is_grid = model.config.span_mode != TOKEN_LEVEL
        self.selection = ALL_CANDIDATES if self.is_grid else DECODED_BY_PEER
        self.max_width = int(model.config.max_width if self.is_grid else model.config.max_len)

    def candidates(
        self, texts: Sequence[Sequence[str]], labels: Sequence[str], *, floor: float, batch_size: int
    ) -> list[SpanScores]:
        """Candidates above `floor` for each text, a list of words; `label` is an index into `labels`."""
        return [
            item
            for places in in_batches(len(texts), batch_size)
            for item in self._batch([list(texts[place]) for place in places], list(labels), floor)
        ]

    def _batch(self, texts: list[list[str]], labels: list[str], floor: float) -> Iterator[SpanScores]:
        kept = [place for place, words in enumerate(texts) if words]  # the package cannot read an empty text
        found: dict[int, list[Found]] = {}
        if kept:
            batch = self.model.collate_batch(self.model.prepare_base_input([texts[place] for place in kept]), labels)
            output = self.model.run_batch(batch, threshold=floor)
            read = self._grid if self.is_grid else self._decoded
            found = dict(zip(kept, read(output, batch, labels, floor), strict=True))
        for place, words in enumerate(texts):
            yield span_scores(found.get(place, []), max(0, len(words) - self.model.config.max_len))

    def _grid(self, output: Any, batch: dict[str, Any], labels: list[str], floor: float) -> list[list[Found]]:
        logits = output.logits.float()  # [B, L, K, C]
        num_words = torch.tensor([len(words) for words in batch["tokens"]], device=logits.device)
        num_types = torch.full_like(num_words, len(labels))
        scores = logits.sigmoid()
        chosen = valid_cells(num_words, num_types, *logits.shape[1:]) & (scores > floor)
        rows: list[list[Found]] = [[] for _ in num_words]
        values = scores[chosen].tolist()
        for (row, start, width, label), score in zip(chosen.nonzero().tolist(), values, strict=True):
            rows[row].append(Found(start, start + width, label, score))
        return rows

    def _decoded(self, output: Any, batch: dict[str, Any], labels: list[str], floor: float) -> list[list[Found]]:
        decoded = self.model.decode_batch(output, batch, threshold=floor, flat_ner=True)
        return [
            [Found(span.start, span.end, labels.index(span.entity_type), float(span.score)) for span in spans]
            for spans in decoded
        ]


def open_peer(source: str | Path, revision: str | None, device: str) -> PackagePeer:
    """Opens a checkpoint folder or hub id with the package; `InputError` where package or weights are missing."""
    check_installed("gliner", "gliner_package", "peers")
    name = check_source(source)
    import gliner  # a peer, installed with the extra `peers` only

    try:
        with without_foreign_code(name):
            model = gliner.GLiNER.from_pretrained(
                name, revision=revision, local_files_only=Path(name).is_dir(), map_location=device
            )
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        raise unavailable(name, error) from error
    return PackagePeer(model)
