"""The scores of one sentence, every span against every type, as each variant of a study sees it.

The sentence is the first of the suite that is short and holds several entities, so no look at answers chooses it.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.analyses.answered import Gold, read_gold, trained_rows
from benchmarks.analyses.pair_scores import MATCHING, SpanLogits, pair_kinds, span_logits
from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.cells import score_path
from benchmarks.scoring.asking import answers
from gliner_core.errors import InputError
from gliner_core.examples import Span
from gliner_core.files import read_json
from gliner_core.pretrained import GLiNER

ENTITIES, TYPES, WORDS = 3, 2, 18  # at least, at least, at most
DECIMALS = 3  # of a logit


def gather(space: Workspace, study: str) -> pd.DataFrame:
    """Rows of kind `sentence` (one), `variant` (its suite F1) and `score` (one per variant, span and type)."""
    first = space.grid.study_rows(study)[0]
    protocol = space.registry.protocols[first.protocol]
    data, place = chosen_sentence(read_gold(space, protocol, first.suite))
    example, asked = data.examples[place], answers(protocol, data.card)
    rows: list[dict[str, Any]] = [
        {"kind": "sentence", "dataset": data.card.name, "id": example.id, "words": json.dumps(example.words)}
    ]
    for variant, (own, *_) in trained_rows(space, study, first.protocol).items():
        network = GLiNER.from_pretrained(space.run(own.owner) / "model", device=space.device).network
        found = span_logits(network, example.words, list(asked))
        is_gold = pair_kinds(found.start, found.end, list(asked.values()), data.spans[place]) == MATCHING
        rows.append({"kind": "variant", "variant": variant, "label": own.label, "f1_pct": _suite_f1(space, own)})
        rows += ({"kind": "score", "variant": variant} | row for row in _scores(found, is_gold, list(asked.values())))
    return pd.DataFrame(rows).astype({"start": "Int64", "end": "Int64", "is_gold": "Int64"})


def chosen_sentence(gold: Sequence[Gold]) -> tuple[Gold, int]:
    """The first sentence of at most 18 words with 3 entities of 2 types; else that with most types, then entities.

    Raises `InputError` where no sentence of the suite has an entity.
    """
    places = [(data, place) for data in gold for place in range(len(data.examples))]
    for data, place in places:
        spans = data.spans[place]
        if len(data.examples[place].words) <= WORDS and len(spans) >= ENTITIES and _num_types(spans) >= TYPES:
            return data, place
    data, place = max(places, key=lambda one: (_num_types(one[0].spans[one[1]]), len(one[0].spans[one[1]])))
    if not data.spans[place]:
        raise InputError(
            f"{data.card.name}: no sentence of the suite has an entity to show; leave `similarity_map` out of the "
            "study's `analyses`"
        )
    return data, place


def _num_types(spans: Collection[Span]) -> int:
    return len({span.type for span in spans})


def _scores(found: SpanLogits, is_gold: np.ndarray, types: Sequence[str]) -> Iterator[dict[str, Any]]:
    spans = zip(found.start.tolist(), found.end.tolist(), strict=True)
    for (start, end), logits, own in zip(spans, found.logits.tolist(), is_gold.tolist(), strict=True):
        for kind, logit, gold in zip(types, logits, own, strict=True):
            yield {"start": start, "end": end, "type": kind, "logit": round(logit, DECIMALS), "is_gold": int(gold)}


def _suite_f1(space: Workspace, row: Row) -> float:
    """Mean F1 of the datasets of the suite in percent, as the study's table has it."""
    cards = [space.registry.datasets[name] for name in space.registry.suite_datasets(row.suite)]
    paths = [space.home / score_path(space.grid.cell_of(row, card).folder, row.protocol) for card in cards]
    return float(np.mean([read_json(path)["f1_pct"] for path in paths]))
