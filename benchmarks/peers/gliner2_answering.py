"""The package `gliner2` as a system: entities with confidences and character positions -> candidate spans.

Its overlap policy `allow` returns every span above the threshold, so nothing is decoded by the peer. Its models read
texts, so the words of the data set are joined by single spaces and a splitter hands the same words back to it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.answering import (
    ALL_CANDIDATES,
    Found,
    check_installed,
    check_source,
    span_scores,
    unavailable,
    without_foreign_code,
    words_of,
)
from gliner_core.errors import InputError
from gliner_core.predict import SpanScores
from gliner_core.words import Words, join_words

ANY_WIDTH = 10_000  # of its boundary models, which pair starts and ends; more words than any text has
NEEDED = ("gliner2", "peft")  # its inference imports its trainer's module, and that one imports peft
_WORD, _SPACE = re.compile(r"\S+"), re.compile(r"\s")


class Gliner2Peer:
    """A model of the package, ready to be asked."""

    selection = ALL_CANDIDATES

    def __init__(self, model: Any) -> None:
        self.model = model
        self.max_width = int(getattr(model.config, "max_width", ANY_WIDTH))

    def candidates(
        self, texts: Sequence[Sequence[str]], labels: Sequence[str], *, floor: float, batch_size: int
    ) -> list[SpanScores]:
        """Candidates above `floor` for each text, a list of words; `label` is an index into `labels`."""
        joined = [_joined(words) for words in texts]
        answers = iter(
            self.model.batch_extract_entities(
                [item.text for item in joined if item.text],
                list(labels),
                batch_size=batch_size,
                threshold=floor,
                include_confidence=True,
                include_spans=True,
                overlap_policy="allow",
            )
        )
        return [
            span_scores(_found(next(answers), item.offsets, labels, floor) if item.text else (), 0) for item in joined
        ]


def _joined(words: Sequence[str]) -> Words:
    """One text whose words between spaces are these; white space inside a word becomes `_`."""
    return join_words([_SPACE.sub("_", word) or "_" for word in words])


def _found(
    answer: Mapping[str, Any], bounds: Sequence[tuple[int, int]], labels: Sequence[str], floor: float
) -> Iterator[Found]:
    """Spans of one documented answer: {"entities": {label: [{"text", "confidence", "start", "end"}, ...]}}."""
    for label, spans in answer.get("entities", {}).items():
        for span in spans:
            if span["end"] > bounds[-1][1]:
                continue  # takes in the full stop that the package adds to a text without one
            place = words_of(bounds, span["start"], span["end"])
            if place is None:
                raise InputError(
                    f"gliner2 answers {span['text']!r}, which does not begin and end with words of the text; its word "
                    "splitter was replaced"
                )
            if span["confidence"] > floor:
                yield Found(*place, labels.index(label), float(span["confidence"]))


def split_at_spaces(text: str, lower: bool = True) -> Iterator[tuple[str, int, int]]:
    """Its interface of a word splitter: words between spaces with their character ranges, lower-cased on request."""
    for match in _WORD.finditer(text):
        yield (match.group().lower() if lower else match.group()), match.start(), match.end()


def open_peer(source: str | Path, revision: str | None, device: str) -> Gliner2Peer:
    """Opens a checkpoint folder or hub id with the package; `InputError` where package or weights are missing."""
    for package in NEEDED:
        check_installed(package, "gliner2", "gliner2")
    name = check_source(source)
    from gliner2 import AutoExtractor  # a peer, installed with the extra `gliner2` only

    chosen = {} if revision is None or Path(name).is_dir() else {"revision": revision}
    try:
        with without_foreign_code(name):
            model = AutoExtractor.from_pretrained(name, map_location=device, word_splitter=split_at_spaces, **chosen)
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        raise unavailable(name, error) from error
    return Gliner2Peer(model.eval())
