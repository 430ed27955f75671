"""Training data against a suite: which test sentences, n-grams, surfaces and type strings were seen in training.

Zero-shot (paper section 4.1) means unseen types and text; on real data an overlap is reported, on synthetic data,
where it can be avoided, it is refused. Case is ignored throughout.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.corpora.overlap import Index, Texts, fold, index
from gliner_core.errors import InputError
from gliner_core.examples import Example, read_jsonl

NGRAM = 10
_REFUSED = {
    "exact_sentences": "test sentences",
    "ngram_rows": "runs of 10 words",
    "surfaces_seen": "gold surfaces",
    "types_seen": "type strings",
}


def leakage_report(train: Path, suite: Mapping[str, Path], labels: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Per dataset of `suite` (name to JSONL): overlaps with the training file; `labels` are the strings asked for."""
    examples = read_jsonl(train)
    seen = index(examples, NGRAM)
    texts = Texts(examples)
    surfaces = set(_surfaces(examples))
    types = {kind.lower() for example in examples for kind in (*example.types(), *example.negatives)}
    datasets = {
        name: _overlap(read_jsonl(path), seen, texts, surfaces, types, labels.get(name, ()))
        for name, path in suite.items()
    }
    return {"train": str(train), "ngram": NGRAM, "datasets": datasets}


def check_held_out(report: Mapping[str, Any]) -> None:
    """Refuses a report with a sentence, a run of 10 words, a surface or a type in common."""
    for name, overlap in report["datasets"].items():
        for key, noun in _REFUSED.items():
            if overlap[key]:
                example = overlap["examples"][key][0]
                raise InputError(
                    f"dataset {name}: {noun} also stand in the training data {report['train']}, e.g. {example!r}; "
                    f"change one of the two so that the suite is held out"
                )


def _surfaces(examples: Iterable[Example]) -> list[str]:
    return [example.text(span).lower() for example in examples for span in example.spans]


def _overlap(
    examples: Sequence[Example],
    seen: Index,
    texts: Texts,
    surfaces: set[str],
    types: set[str],
    labels: Sequence[str],
) -> dict[str, Any]:
    folded = [fold(example.words) for example in examples]
    exact = [words for words in folded if texts.hold(words)]
    gold = _surfaces(examples)
    known = [surface for surface in gold if surface in surfaces]
    asked = labels or sorted({kind for example in examples for kind in example.types()})
    types_seen = [label for label in asked if label.lower() in types]
    return {
        "sentences": len(examples),
        "exact_sentences": len(exact),
        "ngram_rows": sum(seen.shares(words) for words in folded),
        "surfaces": len(gold),
        "surfaces_seen": len(known),
        "surfaces_seen_share": len(known) / len(gold) if gold else 0.0,
        "types_asked": len(asked),
        "types_seen": len(types_seen),
        "examples": {
            "ngram_rows": [" ".join(words) for words in folded if seen.shares(words)][:3],
            "exact_sentences": [" ".join(words) for words in exact[:3]],
            "surfaces_seen": sorted(set(known))[:3],
            "types_seen": types_seen,
        },
    }
