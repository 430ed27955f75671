"""A fixed sample of a prepared test set, for suites with `max_sentences`: pages of thousands of sentences stay payable.

The draw depends on the dataset, the split and the sentences' ids alone, so a smaller sample is part of a larger one and
every model is asked the same sentences. A sample has a folder, a cell and a metric name of its own, so that its numbers
never stand for those of the whole set.
"""

from pathlib import Path
from typing import Any

from benchmarks.corpora.folders import atomic_folder
from benchmarks.corpora.statistics import describe
from gliner_core.errors import InputError
from gliner_core.examples import read_jsonl, write_jsonl
from gliner_core.files import file_digest, read_json, write_json
from gliner_core.seeding import derive_seed

SEED = 0


def sample_dataset(data: Path, split: str, max_sentences: int, out: Path) -> None:
    """Writes at most `max_sentences` of `data/<split>.jsonl` to `out`, in their order, and their own card.json."""
    card = read_json(data / "card.json")
    if split not in card["splits"]:
        raise InputError(f"{data}: the dataset has no split `{split}` to sample; correct `split` of the suite")
    whole, name = read_jsonl(data / f"{split}.jsonl"), card["name"]
    ranked = sorted(whole, key=lambda example: (derive_seed(SEED, "sample", name, split, example.id), example.id))
    drawn = {example.id for example in ranked[:max_sentences]}
    examples = [example for example in whole if example.id in drawn]
    lost = [entry for entry in card["splits"][split]["unresolved_gold"] if entry[0] in drawn]
    with atomic_folder(out) as folder:
        write_jsonl(folder / f"{split}.jsonl", examples)
        facts: dict[str, Any] = describe(examples) | {
            "unresolved": len(lost),
            "unresolved_gold": lost,
            "sampled_from": len(whole),
            "max_sentences": max_sentences,
            "sha256": file_digest(folder / f"{split}.jsonl"),
        }
        write_json(folder / "card.json", card | {"splits": {split: facts}, "overlaps": {}})
