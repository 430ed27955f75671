"""What moves when the same model is asked in another way: each variant of a study against its baseline variant.

F1 differences come from the counts of the score files, on the same resampled sentences as `differences.csv`; changed
entities come from the prediction files; what was asked and what was cut off comes from the receipts of the cells.
"""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.analyses.answered import Gold, read_answers, read_gold, trained_rows
from benchmarks.analyses.resampling import share_interval
from benchmarks.catalog.decoding import Decoding
from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.cells import score_path
from benchmarks.reporting.summary import AVERAGE, BASELINE
from benchmarks.scoring.counts import rate, suite_rate
from benchmarks.scoring.statistics import paired_bootstrap, seed_interval
from gliner_core.examples import Span
from gliner_core.files import read_json
from gliner_core.seeding import derive_seed

FACTORS = {
    "label_order": "order", "label_case": "case", "label_wording": "wording", "max_words": "window",
    "max_width": "K", "ask_else": "else",
}  # fmt: skip
Answers = Sequence[Sequence[frozenset[Span]]]  # per dataset, per sentence
SAME = "same question"


def gather(space: Workspace, study: str) -> pd.DataFrame:
    """One row per variant and dataset, then its average; under the study's first protocol."""
    protocol = space.grid.study_rows(study)[0].protocol
    variants = trained_rows(space, study, protocol)
    name = space.registry.studies[study].baseline_variant or BASELINE
    base = variants.pop(name)
    gold = read_gold(space, space.registry.protocols[protocol], base[0].suite)
    told = [read_answers(space, row, gold) for row in base]
    frames = []
    for rows in variants.values():
        frames += _variant(space, rows, base, gold, told)
    return pd.DataFrame(frames)


def factor_of(decoding: Decoding, base: Decoding) -> str:
    """The one thing in which two decodings differ."""
    names = [item.name for item in fields(Decoding) if getattr(decoding, item.name) != getattr(base, item.name)]
    if not names:
        return SAME
    return FACTORS[names[0]] if len(names) == 1 else "several"


def _variant(
    space: Workspace, mine: list[Row], base: list[Row], gold: list[Gold], told: list[Answers]
) -> list[dict[str, Any]]:
    decodings = space.grid.decodings
    place = {
        "variant": mine[0].variant, "label": mine[0].label,
        "factor": factor_of(decodings[mine[0].decoding], decodings[base[0].decoding]), "num_seeds": len(mine),
    }  # fmt: skip
    counts = [[_counts(space, rows, data) for data in gold] for rows in (mine, base)]
    answers = [read_answers(space, row, gold) for row in mine]
    changed = [_changed([found[at] for found in answers], [found[at] for found in told]) for at in range(len(gold))]
    facts = [_facts(space, mine, base, data) for data in gold]
    rows = []
    for at, data in enumerate(gold):
        one = slice(at, at + 1)
        rows.append(place | _compared(space, base[0], data.card.name, counts[0][one], counts[1][one], changed[at]))
        rows[-1] |= facts[at]
    together = np.concatenate(changed, axis=1)
    rows.append(place | _compared(space, base[0], AVERAGE, *counts, together) | _summed(facts))
    return rows


def _counts(space: Workspace, rows: Sequence[Row], data: Gold) -> np.ndarray:
    """Counts [seeds, sentences, 3] of the score files."""
    paths = [space.home / score_path(space.grid.cell_of(row, data.card).folder, row.protocol) for row in rows]
    return np.array([read_json(path)["sentences"] for path in paths])


def _changed(mine: Answers, base: Answers) -> np.ndarray:
    """Rows [2, S]: entities that only one of the two answers holds, and entities of either, summed over seeds."""
    pairs = [list(zip(*seed, strict=True)) for seed in zip(mine, base, strict=True)]
    apart = np.array([[len(one ^ other) for one, other in pair] for pair in pairs])
    either = np.array([[len(one | other) for one, other in pair] for pair in pairs])
    return np.stack([apart.sum(axis=0), either.sum(axis=0)])


def _compared(
    space: Workspace,
    row: Row,
    dataset: str,
    mine: Sequence[np.ndarray],
    base: Sequence[np.ndarray],
    changed: np.ndarray,
) -> dict[str, Any]:
    seed, resamples = derive_seed(0, "paired", row.suite, dataset), space.settings.resamples
    found = paired_bootstrap(mine, base, seed, resamples)
    per_seed = [np.mean([rate(part.sum(axis=1)) for part in parts], axis=0) for parts in (mine, base)]
    over_seeds = seed_interval((per_seed[0] - per_seed[1]).tolist()) if len(per_seed[0]) > 1 else None
    share, share_low, share_high = share_interval(changed[0], changed[1], seed, resamples)
    return {
        "dataset": dataset, "num_sentences": sum(part.shape[1] for part in mine),
        "f1_pct": 100 * suite_rate(mine), "base_f1_pct": 100 * suite_rate(base),
        "difference_points": 100 * found.difference, "low": 100 * found.low, "high": 100 * found.high,
        "seed_low": 100 * over_seeds.low if over_seeds else None,
        "seed_high": 100 * over_seeds.high if over_seeds else None, "entities": int(changed[1].sum()),
        "changed_pct": share, "changed_low": share_low, "changed_high": share_high,
    }  # fmt: skip


def _facts(space: Workspace, mine: list[Row], base: list[Row], data: Gold) -> dict[str, int]:
    """What was asked and what was read of one dataset; the same for all seeds, whose encoders are one."""
    ours, theirs = (
        read_json(space.home / space.grid.cell_of(rows[0], data.card).folder / "receipt.json") for rows in (mine, base)
    )
    return {
        "prompts_changed": int(ours["labels"] != theirs["labels"]),
        "labels_changed": len(set(ours["labels"]) - set(theirs["labels"])), "labels": len(ours["labels"]),
        "words": ours["words"], "lost_words": ours["lost_words"], "sentences_cut": ours["sentences_cut"],
        "base_sentences_cut": theirs["sentences_cut"],
    }  # fmt: skip


def _summed(facts: Sequence[dict[str, int]]) -> dict[str, int]:
    return {name: sum(fact[name] for fact in facts) for name in facts[0]}
