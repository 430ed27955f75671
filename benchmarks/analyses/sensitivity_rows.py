"""What moves when the same model is asked in another way: each variant of a study against its baseline variant.

F1 differences, intervals and verdicts are those of `differences.csv`; changed entities come from the prediction files;
what was asked and what was cut off comes from the receipts of the cells.
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
from benchmarks.catalog.variants import baseline_of
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.cells import score_path
from benchmarks.reporting.paired import read_differences
from benchmarks.reporting.summary import AVERAGE
from gliner_core.examples import Span
from gliner_core.files import read_json
from gliner_core.seeding import derive_seed

FACTORS = {
    "label_order": "order", "label_case": "case", "label_wording": "wording", "max_words": "window",
    "max_width": "K", "ask_else": "else",
}  # fmt: skip
SAME, SEVERAL = "same question", "several"
Answers = Sequence[Sequence[frozenset[Span]]]  # per dataset, per sentence


def gather(space: Workspace, study: str) -> pd.DataFrame:
    """The lines of differences.csv under the study's first protocol, with what moved beside them."""
    protocol = space.grid.study_rows(study)[0].protocol
    variants = trained_rows(space, study, protocol)
    base = variants.pop(baseline_of(space.registry.studies[study], list(variants)))
    lines = read_differences(space.study(study) / "differences.csv")
    lines = lines[(lines["protocol"] == protocol) & (lines["system"] == "")].set_index(["variant", "dataset"])
    gold = read_gold(space, space.registry.protocols[protocol], base[0].suite)
    told = [read_answers(space, row, gold) for row in base]
    found = []
    for name, rows in variants.items():
        for dataset, moved in _moved(space, rows, base, gold, told).items():
            found.append({"variant": name, "dataset": dataset, **lines.loc[(name, dataset)], **moved})
    return pd.DataFrame(found)


def factor_of(decoding: Decoding, base: Decoding) -> str:
    """The one thing in which two decodings differ."""
    names = [item.name for item in fields(Decoding) if getattr(decoding, item.name) != getattr(base, item.name)]
    if not names:
        return SAME
    return FACTORS[names[0]] if len(names) == 1 else SEVERAL


def _moved(
    space: Workspace, mine: list[Row], base: list[Row], gold: list[Gold], told: list[Answers]
) -> dict[str, dict[str, Any]]:
    """Dataset (or average) -> its F1, changed entities and what was asked otherwise."""
    decodings = space.grid.decodings
    factor = {"factor": factor_of(decodings[mine[0].decoding], decodings[base[0].decoding])}
    answers = [read_answers(space, row, gold) for row in mine]
    found, parts = {}, []
    for at, data in enumerate(gold):
        parts.append(_changed([seed[at] for seed in answers], [seed[at] for seed in told]))
        f1 = {"f1_pct": _f1(space, mine, data), "base_f1_pct": _f1(space, base, data)}
        seed = derive_seed(0, "changed", mine[0].suite, data.card.name)
        share = _share(parts[-1], seed, space.settings.resamples)
        found[data.card.name] = factor | f1 | _facts(space, mine, base, data) | share
    summed = {name: sum(facts[name] for facts in found.values()) for name in found[gold[0].card.name] if name in COUNTS}
    means = {name: np.mean([facts[name] for facts in found.values()]) for name in ("f1_pct", "base_f1_pct")}
    seed = derive_seed(0, "changed", mine[0].suite, AVERAGE)
    pooled = _share(np.concatenate(parts, axis=1), seed, space.settings.resamples)
    return found | {AVERAGE: factor | means | summed | pooled}


def _f1(space: Workspace, rows: Sequence[Row], data: Gold) -> float:
    """Mean over seeds of the score files."""
    paths = [space.home / score_path(space.grid.cell_of(row, data.card).folder, row.protocol) for row in rows]
    return float(np.mean([read_json(path)["f1_pct"] for path in paths]))


def _changed(mine: Answers, base: Answers) -> np.ndarray:
    """Rows [2, S]: entities that only one of the two answers holds, and entities of either, summed over seeds."""
    pairs = [list(zip(*seed, strict=True)) for seed in zip(mine, base, strict=True)]
    apart = np.array([[len(one ^ other) for one, other in pair] for pair in pairs])
    either = np.array([[len(one | other) for one, other in pair] for pair in pairs])
    return np.stack([apart.sum(axis=0), either.sum(axis=0)])


def _share(changed: np.ndarray, seed: int, resamples: int) -> dict[str, Any]:
    value, low, high = share_interval(changed[0], changed[1], seed, resamples)
    return {"entities": int(changed[1].sum()), "changed_pct": value, "changed_low": low, "changed_high": high}


COUNTS = ("prompts_changed", "labels_changed", "labels", "words", "lost_words", "sentences_cut")


def _facts(space: Workspace, mine: list[Row], base: list[Row], data: Gold) -> dict[str, int]:
    """What was asked and what was read of one dataset; the same for all seeds, whose encoders are one."""
    ours, theirs = (
        read_json(space.home / space.grid.cell_of(rows[0], data.card).folder / "receipt.json") for rows in (mine, base)
    )
    asked, before = ours["labels"], theirs["labels"]
    changed = int(asked != before), len(set(asked) - set(before)), len(asked)
    return dict(zip(COUNTS, (*changed, *(ours[name] for name in COUNTS[3:])), strict=True))
