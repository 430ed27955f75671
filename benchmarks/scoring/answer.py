"""Asks a model (or the random scorer) for one dataset and writes the prediction file and its cost."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.catalog.adapters import ADAPTERS
from benchmarks.catalog.cards import DatasetCard, SystemCard
from benchmarks.catalog.decoding import SYSTEM_WIDTH, Decoding
from benchmarks.scoring.asking import AS_WRITTEN, ask
from benchmarks.scoring.predictions import Candidates, write_predictions
from gliner_core.examples import Example, read_jsonl
from gliner_core.measure import Stopwatch, hardware, peak_bytes
from gliner_core.predict import SpanScores, candidate_spans
from gliner_core.pretrained import GLiNER
from gliner_core.seeding import derive_seed

FLOOR = 0.05  # candidates below it are not kept; thresholds in use are 0.1 and more


class Peer(Protocol):
    """A model that another package asks (`benchmarks/peers`); `selection` says what is left above the floor."""

    max_width: int
    selection: str

    def candidates(
        self, texts: Sequence[Sequence[str]], labels: Sequence[str], *, floor: float, batch_size: int
    ) -> list[SpanScores]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerer:
    """A model ready to be asked, a peer's, or the random scorer (both None)."""

    name: str
    model: GLiNER | None
    device: str
    seed: int
    peer: Peer | None = None


def open_answerer(source: Path | SystemCard, device: str) -> Answerer:
    """Opens a checkpoint folder or what a system card names."""
    if not isinstance(source, SystemCard):
        model = GLiNER.from_pretrained(source, device=device)
        return Answerer(name=str(source), model=model, device=device, seed=0)
    if source.kind == "random":
        return Answerer(name=source.name, model=None, device="cpu", seed=source.seed)
    if source.kind in ADAPTERS:
        adapter = import_module(ADAPTERS[source.kind])
        peer = adapter.open_peer(source.hub or Path(str(source.folder)), source.revision, device)
        return Answerer(name=source.name, model=None, device=device, seed=source.seed, peer=peer)
    model = GLiNER.from_pretrained(source.hub or source.folder, revision=source.revision, device=device)
    return Answerer(name=source.name, model=model, device=device, seed=source.seed)


def answer_cell(
    answerer: Answerer,
    card: DatasetCard,
    data: Path,
    decoding: Decoding,
    out: Path,
    *,
    wording: Mapping[str, str] = AS_WRITTEN,
    batch_size: int = 8,
) -> dict[str, Any]:
    """Writes the prediction file `out` and returns what was asked, and what it cost and lost.

    `wording` gives the labels of the dataset that are asked in other words, see asking.py.
    """
    examples = read_jsonl(data)
    labels = ask(decoding, card, wording)
    with Stopwatch(answerer.device) as watch:
        found = _found(answerer, examples, labels, card, decoding, batch_size)
    header = {"dataset": card.name, "labels": list(labels), "floor": FLOOR, "decoding": asdict(decoding)}
    header |= {"wording": dict(wording)} if wording else {}
    header |= {"selection": answerer.peer.selection} if answerer.peer else {}
    write_predictions(out, header, [_candidates(*pair) for pair in zip(examples, found, strict=True)])
    words = sum(len(example.words) for example in examples)
    return {
        "labels": list(labels),
        "device": answerer.device,
        "hardware": hardware(answerer.device),
        "seconds": watch.seconds,
        "words": words,
        "words_per_second": words / watch.seconds,
        "bytes_peak": peak_bytes(answerer.device),
        "lost_words": sum(item.lost_words for item in found),
        "sentences_cut": sum(item.lost_words > 0 for item in found),
        "batch_size": batch_size,
        "max_width": max_width_of(answerer, decoding),
    }


def _found(
    answerer: Answerer,
    examples: Sequence[Example],
    labels: Sequence[str],
    card: DatasetCard,
    decoding: Decoding,
    batch_size: int,
) -> list[SpanScores]:
    """Scores of the words that the decoding lets be read; the others count as lost."""
    read = [replace(example, words=example.words[: decoding.max_words], spans=()) for example in examples]
    if answerer.peer is not None:
        words = [example.words for example in read]
        found = answerer.peer.candidates(words, labels, floor=FLOOR, batch_size=batch_size)
    elif answerer.model is None:
        found = random_scores(read, labels, answerer.seed, card.name)
    else:
        texts = [example.words for example in read]
        kept = {"floor": FLOOR, "batch_size": batch_size, "max_width": decoding.max_width}
        found = candidate_spans(answerer.model.network, texts, labels, **kept)
    return [
        replace(item, lost_words=item.lost_words + len(example.words) - len(part.words))
        for item, example, part in zip(found, examples, read, strict=True)
    ]


def max_width_of(answerer: Answerer, decoding: Decoding) -> int:
    """The widest span this cell could hold, in words."""
    if answerer.peer is not None:
        return answerer.peer.max_width
    if answerer.model is None:
        return SYSTEM_WIDTH
    return decoding.max_width or answerer.model.network.spec.max_width


def random_scores(examples: Sequence[Example], labels: Sequence[str], seed: int, dataset: str) -> list[SpanScores]:
    """One uniform random score for every span of up to 12 words and every label."""
    draw = np.random.default_rng(derive_seed(seed, "random-scorer", dataset))
    found = []
    for example in examples:
        start, width, label = np.indices((len(example.words), SYSTEM_WIDTH, len(labels))).reshape(3, -1)
        inside = start + width < len(example.words)
        start, width, label = start[inside], width[inside], label[inside]
        score = draw.random(len(start), dtype=np.float32)
        keep = score > FLOOR
        found.append(
            SpanScores(start=start[keep], end=(start + width)[keep], label=label[keep], score=score[keep], lost_words=0)
        )
    return found


def _candidates(example: Example, found: SpanScores) -> Candidates:
    return Candidates(
        id=example.id,
        num_words=len(example.words),
        lost_words=found.lost_words,
        start=found.start,
        end=found.end,
        label=found.label,
        score=found.score,
    )
