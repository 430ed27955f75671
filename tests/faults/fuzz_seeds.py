"""What mutations start from: small files of every format, first parts of real corpora, the repository's cards."""

import gzip
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from benchmarks.catalog.cards import DatasetCard
from benchmarks.catalog.settings import MIRROR_VARIABLE
from benchmarks.corpora.mirror import find

ROOT = Path(__file__).resolve().parents[2]
HEAD_BYTES = 1500
_CONLL = "EU\tB-ORG\nrejects\tO\nGerman\tB-MISC\ncall\tO\n\nPeter\tI-PER\nBlackburn\tI-PER\n\n"
_PASSAGE = "Text: Anna Lee visited Paris ."
_RECORDS: dict[str, Any] = {
    "author_json": [{"sentence": "Anna left Paris", "entities": [{"name": "Anna", "type": "person", "pos": [0, 4]}]}],
    "gliner_json": [{"tokenized_text": ["Anna", "left"], "ner": [[0, 0, "person"]]}],
    "pile_ner_hub": [
        {
            "id": "a",
            "conversations": [
                {"from": "human", "value": _PASSAGE},
                {"from": "gpt", "value": "I've read this text."},
                {"from": "human", "value": "What describes person in the text?"},
                {"from": "gpt", "value": '["Anna Lee"]'},
            ],
        }
    ],
    "sgd": [
        {
            "dialogue_id": "1_00000",
            "turns": [
                {
                    "utterance": "a table at Sino in San Jose",
                    "frames": [
                        {"service": "Food_1", "slots": [{"slot": "city", "start": 19, "exclusive_end": 27}]},
                    ],
                }
            ],
        }
    ],
    "snips": {"AddToPlaylist": [{"data": [{"text": "add "}, {"text": "Anna", "entity": "artist"}]}]},
}
_LINES: dict[str, Any] = {
    "jsonl": {"id": "a", "words": ["Anna", "left"], "spans": [[0, 0, "person"]], "language": "en", "negatives": ["x"]},
    "jsonl_tags": {"tokens": ["Anna", "left"], "ner_tags": ["B-PER", "O"]},
    "jsonlines_nested": {"tokens": ["a", "b"], "entity_mentions": [{"start": 0, "end": 2, "entity_type": "protein"}]},
}
_CSV = 'userid;answerid;answer_annotation\n1;2;wake me at [time : five am]\n1;3;"play ""[x : y]"""\n'

PREDICTIONS = "\n".join(
    json.dumps(line)
    for line in (
        {
            "format": "gliner-bench-predictions/1",
            "dataset": "tiny",
            "labels": ["person", "city"],
            "floor": 0.05,
            "decoding": {},
        },
        {
            "id": "a",
            "num_words": 4,
            "lost_words": 0,
            "start": [0, 2],
            "end": [1, 2],
            "label": [0, 1],
            "score": [0.9, 0.4],
        },
        {"id": "b", "num_words": 2, "lost_words": 0, "start": [], "end": [], "label": [], "score": []},
    )
)


def own_seeds() -> dict[str, list[bytes]]:
    """At least one small file per reader, written here."""
    seeds = {name: [json.dumps(value).encode()] for name, value in _RECORDS.items()}
    seeds |= {name: [(json.dumps(value) + "\n").encode() * 2] for name, value in _LINES.items()}
    return seeds | {"conll": [_CONLL.encode()], "nlu_eval": [_CSV.encode()]}


def real_seeds() -> dict[str, list[tuple[DatasetCard, bytes]]]:
    """The first records of one real file per card, by reader; empty without a mirror."""
    if not os.environ.get(MIRROR_VARIABLE):
        return {}
    mirror = Path(os.environ[MIRROR_VARIABLE])
    seeds: dict[str, list[tuple[DatasetCard, bytes]]] = {}
    for path in sorted((ROOT / "benchmarks" / "datasets").glob("*.yaml")):
        card = DatasetCard.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        items = card.sources.get("test") or next(iter(card.sources.values()), ())
        stored = find(mirror, items[0]) if items and not items[0].private else None
        if stored and card.reader and card.reader != "parquet" and card.reader != "jsonl":
            with stored.open() as stream:
                seeds.setdefault(card.reader, []).append((card, _first_records(card.reader, stream)))
    return seeds


def _first_records(reader: str, stream: Any) -> bytes:
    if reader in _RECORDS:
        text = stream.read(40_000_000).decode("utf-8", errors="replace")
        value = json.loads(text)
        first = {key: rows[:3] for key, rows in value.items()} if isinstance(value, dict) else value[:2]
        return json.dumps(first, ensure_ascii=False).encode()
    data = stream.read(HEAD_BYTES * 8)
    lines = data.splitlines(keepends=True)[:60]
    kept, size = [], 0
    for line in lines:
        kept.append(line)
        size += len(line)
        if size > HEAD_BYTES:
            break
    return b"".join(kept)


def card_files() -> dict[str, list[Path]]:
    """The repository's cards by folder."""
    folders: Iterable[Path] = sorted(path for path in (ROOT / "benchmarks").iterdir() if path.is_dir())
    found = {folder.name: sorted(folder.glob("*.yaml")) for folder in folders}
    found["scales"] = sorted((ROOT / "workflow" / "scales").glob("*.yaml"))
    return {name: paths for name, paths in found.items() if paths}


def packed(data: bytes) -> bytes:
    """A gzipped copy without a time stamp."""
    return gzip.compress(data, mtime=0)
