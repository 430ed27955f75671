"""`python -m benchmarks evaluate`: any GLiNER checkpoint on any suite, without the workflow."""

import argparse
import re
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.catalog.cards import DatasetCard, SuiteCard, SystemCard
from benchmarks.catalog.decoding import decoding_for
from benchmarks.catalog.selection import check_decoded
from benchmarks.catalog.workspace import Workspace
from benchmarks.commands.models import asked_model
from benchmarks.corpora.prepare import prepare_dataset
from benchmarks.corpora.sampling import sample_dataset
from benchmarks.corpora.sources import fetch_dataset
from benchmarks.peers.answering import ALL_CANDIDATES
from benchmarks.scoring.answer import answer_cell, max_width_of, open_answerer
from benchmarks.scoring.cell import score_cell
from benchmarks.scoring.statistics import suite_interval
from gliner_core.errors import InputError
from gliner_core.files import read_json


def evaluate_model(space: Workspace, options: argparse.Namespace) -> None:
    """Predicts and scores every dataset of the suite and prints P, R, F1 with intervals."""
    registry = space.registry
    suite = _known(options.suite, registry.suites, "suite")
    protocol = _known(options.protocol or suite.protocol, registry.protocols, "protocol")
    slug = re.sub(r"[^A-Za-z0-9_.-]+", "_", str(options.model)).strip("_.")
    out = options.out or space.results / "evaluations" / slug / suite.name
    asked = asked_model(registry.systems, options.model, revision=options.revision, adapter=options.adapter)
    answerer = open_answerer(asked, space.device)
    if answerer.peer is not None and answerer.peer.selection != ALL_CANDIDATES:
        check_decoded(str(options.model), protocol)
    table = Table(
        "dataset", "P", "R", "F1", "95 % interval", title=f"{options.model} on {suite.title}, {protocol.name}"
    )
    counts, rates = [], []
    for name in registry.suite_datasets(suite.name):
        card = registry.datasets[name]
        gold = _prepared(space, card, suite, out)
        predictions, scores = out / name / "predictions.jsonl", out / name / f"scores.{protocol.name}.json"
        decoding = decoding_for(protocol, {})
        answer_cell(answerer, card, gold, decoding, predictions)
        score_cell(predictions, gold, card, protocol, max_width_of(answerer, decoding), scores)
        score = read_json(scores)
        counts.append(np.asarray(score["sentences"]))
        rates.append([score[f"{rate}_pct"] for rate in ("precision", "recall", "f1")])
        interval = score["interval"]
        table.add_row(
            card.title, *(f"{rate:.1f}" for rate in rates[-1]), _bounds(interval["low_pct"], interval["high_pct"])
        )
    mean = suite_interval(counts, 0)
    table.add_row(
        "Average", *(f"{rate:.1f}" for rate in np.mean(rates, axis=0)), _bounds(100 * mean.low, 100 * mean.high)
    )
    Console().print(table)
    print(f"{_name_of(asked)}; predictions and scores: {out}")


def _name_of(asked: Path | SystemCard) -> str:
    """The model with its revision: a hub id alone names other weights tomorrow."""
    if not isinstance(asked, SystemCard):
        return str(asked)
    place = f"{asked.hub}@{asked.revision}" if asked.hub else asked.folder or asked.name
    return f"{place} ({asked.kind})"


def _prepared(space: Workspace, card: DatasetCard, suite: SuiteCard, out: Path) -> Path:
    """What the suite evaluates of a dataset. Prepared anew each time: the workflow's own copy may be older."""
    folder = out / "data" / card.name
    place = space.settings.cache_folder(), space.settings.mirror_folder(), space.settings.offline
    prepare_dataset(card, fetch_dataset(card, *place), folder)
    if suite.max_sentences:
        whole, folder = folder, out / "samples" / f"{card.name}.{suite.part}"
        sample_dataset(whole, suite.split, suite.max_sentences, folder)
    return folder / f"{suite.split}.jsonl"


def _known(name: str, cards: dict, kind: str) -> object:
    if name not in cards:
        raise InputError(f"--{kind} {name!r} is unknown; known: {', '.join(sorted(cards))}")
    return cards[name]


def _bounds(low: float, high: float) -> str:
    return f"[{low:.1f}, {high:.1f}]"
