"""Per language and backbone: what its tokenizer makes of the texts, whether it has read the language, and F1.

One frame for several kinds of rows, told apart by `kind`: `language` (a variant on a dataset), `mean` (over a group of
languages), `contrast` (read in pretraining minus not read), `gain` (over the first variant on a group of languages),
`gain contrast` (the gain on one group minus the gain on another), `correlation` (F1 with sub-words per word).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from transformers import AutoTokenizer

from benchmarks.analyses.answered import trained_rows
from benchmarks.analyses.languages_permutations import dealt_out, shuffled
from benchmarks.analyses.languages_statistics import (
    BOTH,
    NEITHER,
    ONLY_OWN,
    Scores,
    mean_of,
    reading_classes,
    scores_of,
    spearman,
    weighted,
)
from benchmarks.analyses.languages_verdicts import judge
from benchmarks.catalog.cards import DatasetCard
from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.cells import score_path
from gliner_core.examples import read_jsonl
from gliner_core.files import read_json
from gliner_core.seeding import derive_seed
from gliner_core.tokens import SubTokens

# fmt: off
COLUMNS = (
    "kind", "variant", "backbone", "reference", "dimension", "group", "other", "dataset", "title", "language", "script",
    "in_pretraining", "in_training", "num_languages", "num_others", "num_seeds", "num_sentences", "num_words",
    "sub_words_per_word", "unknown_pct", "words_with_unknown_pct", "words_lost_pct", "value", "low", "high", "seed_low",
    "seed_high", "num_scripts", "num_splits", "p_languages", "least_p", "num_compared", "p_adjusted", "verdict",
)
# fmt: on
READ, NOT_READ = "in pretraining", "not in pretraining"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Variant:
    """One trained variant: its scores on every dataset and which of their languages its backbone has read [D]."""

    name: str
    backbone: str
    num_seeds: int
    read: np.ndarray
    scores: Scores
    languages: list[dict[str, Any]]

    @property
    def identity(self) -> dict[str, Any]:
        return {"variant": self.name, "backbone": self.backbone, "num_seeds": self.num_seeds}


def gather(space: Workspace, study: str) -> pd.DataFrame:
    """All rows of the trained variants of a study under its first protocol; see the module for their kinds."""
    rows = space.grid.study_rows(study)
    cards = [space.registry.datasets[name] for name in space.registry.suite_datasets(rows[0].suite)]
    words = [_words(space, card, rows[0].suite) for card in cards]
    trained = trained_rows(space, study, rows[0].protocol)
    variants = [_variant(space, own, cards, words) for own in trained.values()]
    scripts = np.array([card.script for card in cards])
    found = [row for variant in variants for row in _variant_rows(variant, scripts, space.settings.resamples)]
    for variant in variants[1:]:
        found += _gain_rows(variant, variants[0], scripts)
    judge(found)
    return pd.DataFrame(found, columns=list(COLUMNS)).astype({"num_compared": "Int64"})


def _words(space: Workspace, card: DatasetCard, suite: str) -> list[list[str]]:
    return [list(example.words) for example in read_jsonl(space.test_file(card.name, suite))]


def _variant(
    space: Workspace, rows: Sequence[Row], cards: Sequence[DatasetCard], words: Sequence[list[list[str]]]
) -> _Variant:
    spec = space.grid.runs[rows[0].owner].spec
    backbone = space.registry.backbones[spec.model.backbone.name]
    trained_on = _mixture_languages(space, spec.data.name)
    files = [[_score(space, row, card) for row in rows] for card in cards]
    model = space.run(rows[0].owner) / "model"
    tokenizer = AutoTokenizer.from_pretrained(model, use_fast=True, trust_remote_code=False)
    pieces = SubTokens(tokenizer)
    languages = [
        {
            "dataset": card.name,
            "title": card.title,
            "language": card.language,
            "script": card.script,
            "in_pretraining": _yes(card.language in backbone.languages),
            "in_training": _yes(card.language in trained_on),
            **token_facts(pieces, texts),
            **_file_facts(scores, sum(map(len, texts))),
        }
        for card, texts, scores in zip(cards, words, files, strict=True)
    ]
    counts = [np.array([score["sentences"] for score in scores]) for scores in files]
    seeds = [derive_seed(0, "languages", rows[0].suite, card.name) for card in cards]
    return _Variant(
        name=rows[0].variant,
        backbone=backbone.title,
        num_seeds=len(rows),
        read=np.array([card.language in backbone.languages for card in cards]),
        scores=scores_of(counts, seeds, space.settings.resamples),
        languages=languages,
    )


def _mixture_languages(space: Workspace, mixture: str) -> set[str]:
    return {space.registry.datasets[part.dataset].language for part in space.registry.mixtures[mixture].parts}


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _score(space: Workspace, row: Row, card: DatasetCard) -> Mapping[str, Any]:
    return read_json(space.home / score_path(space.grid.cell_of(row, card).folder, row.protocol))


def token_facts(pieces: SubTokens, texts: Sequence[list[str]]) -> dict[str, float]:
    """Sub-words per word, and the shares of unknown sub-words and of words with one, over whole texts."""
    unknown = pieces.tokenizer.unk_token_id  # None: the vocabulary falls back to bytes
    split = [word for text in pieces.split(texts) for word in text]
    sizes = sum(map(len, split))
    return {
        "num_sentences": len(texts),
        "num_words": len(split),
        "sub_words_per_word": sizes / len(split),
        "unknown_pct": 100 * sum(word.count(unknown) for word in split) / max(sizes, 1),
        "words_with_unknown_pct": 100 * sum(unknown in word for word in split) / len(split),
    }


def _file_facts(scores: Sequence[Mapping[str, Any]], num_words: int) -> dict[str, float]:
    """F1 with the interval that the study's table shows (the mean of the seeds' bounds), and lost words."""
    bounds = [score["interval"] for score in scores]
    return {
        "words_lost_pct": 100 * float(np.mean([score["lost_words"] for score in scores])) / num_words,
        "value": float(np.mean([score["f1_pct"] for score in scores])),
        "low": float(np.mean([item["low_pct"] for item in bounds])),
        "high": float(np.mean([item["high_pct"] for item in bounds])),
    }


def _groups(scripts: np.ndarray, reading: Mapping[str, np.ndarray]) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """What a group is, and its members [D]: all languages, each script, each class of `reading` that has any."""
    groups = [("all", "all languages", np.ones(len(scripts), dtype=bool))]
    groups += [("script", script, scripts == script) for script in dict.fromkeys(scripts.tolist())]
    groups += [("pretraining", name, members) for name, members in reading.items() if members.any()]
    for dimension, group, members in groups:
        yield {"dimension": dimension, "group": group, "num_languages": int(members.sum())}, members


def _variant_rows(variant: _Variant, scripts: np.ndarray, resamples: int) -> Iterator[dict[str, Any]]:
    own, scores = variant.identity, variant.scores
    for place, language in enumerate(variant.languages):
        alone = np.eye(len(scripts))[place]
        over_seeds = {key: value for key, value in weighted((scores, alone)).items() if key.startswith("seed")}
        yield {"kind": "language", **own, **language, **over_seeds}
    for place, members in _groups(scripts, {READ: variant.read, NOT_READ: ~variant.read}):
        yield {"kind": "mean", **own, **place, **weighted((scores, mean_of(members)))}
    for place, one, other in _contrasts(scripts, variant.read, ~variant.read):
        used, sides = one | other, {"group": READ, "other": NOT_READ}
        yield {
            "kind": "contrast", **own, **place, **sides, **weighted((scores, mean_of(one) - mean_of(other))),
            **dealt_out(scores.means[used], one[used]),
        }  # fmt: skip
    lengths = np.array([language["sub_words_per_word"] for language in variant.languages])
    seed = derive_seed(0, "languages", "correlation")
    correlation = spearman(lengths, scores.means, seed, resamples)
    test = {} if correlation["value"] is None else shuffled(lengths, scores.means)
    yield {"kind": "correlation", **own, "num_languages": len(scripts), **correlation, **test}


def _contrasts(
    scripts: np.ndarray, group: np.ndarray, other: np.ndarray
) -> Iterator[tuple[dict[str, Any], np.ndarray, np.ndarray]]:
    """One group of languages against another [D] where both have members: all of them, then those of one script."""
    wholes = [("all", np.ones(len(scripts), dtype=bool))]
    used = set(scripts[group | other])
    wholes += [(script, scripts == script) for script in dict.fromkeys(scripts.tolist()) if used != {script}]
    for dimension, whole in wholes:
        one, rest = group & whole, other & whole
        if one.any() and rest.any():
            num_scripts = len(set(scripts[one | rest]))
            sizes = {"num_languages": int(one.sum()), "num_others": int(rest.sum()), "num_scripts": num_scripts}
            yield {"dimension": dimension, **sizes}, one, rest


def _gain_rows(variant: _Variant, reference: _Variant, scripts: np.ndarray) -> Iterator[dict[str, Any]]:
    """The variant minus the reference on the same sentences: by script, by who read the language, and the contrast."""
    own = {**variant.identity, "reference": reference.backbone}
    reading = reading_classes(variant.read, reference.read)
    for place, members in _groups(scripts, reading):
        weights = mean_of(members)
        yield {"kind": "gain", **own, **place, **weighted((variant.scores, weights), (reference.scores, -weights))}
    gains = variant.scores.means - reference.scores.means
    for name in (NEITHER, BOTH):
        for place, one, other in _contrasts(scripts, reading[ONLY_OWN], reading[name]):
            weights, used = mean_of(one) - mean_of(other), one | other
            yield {
                "kind": "gain contrast", **own, **place, "group": ONLY_OWN, "other": name,
                **weighted((variant.scores, weights), (reference.scores, -weights)),
                **dealt_out(gains[used], one[used]),
            }  # fmt: skip
