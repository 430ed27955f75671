"""Nested gold: how much of it each decoding could reach, and what nested decoding gains and loses against flat.

Both answers are read from one prediction file, so they differ in nothing but which candidates exclude each other.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.analyses.answered import Gold, read_answers, read_gold, trained_rows
from benchmarks.analyses.claims import JUDGED, Claim, judge
from benchmarks.analyses.overlap_census import INSIDE_WORD, LEVELS, census, levels_of
from benchmarks.analyses.overlap_examples import examples_of
from benchmarks.analyses.resampling import estimate
from benchmarks.analyses.training_shares import DENSEST, DENSITIES, class_of
from benchmarks.catalog.cards import ProtocolCard, StudyCard
from benchmarks.catalog.workspace import Workspace
from benchmarks.scoring.counts import Metric, rate
from benchmarks.scoring.drawing import shared_sums
from gliner_core.errors import InputError
from gliner_core.examples import Span, read_jsonl
from gliner_core.seeding import derive_seed

FIELDS = (
    "variant", "label", "suite", "kind", "place", "group", "slice", "metric", "decoding", "num_seeds", "num_datasets",
    "value", "low", "high", "seed_low", "seed_high", "seed_min", "seed_max", "count", "true_positive", "predicted",
    "gold", "words", "gold_words", "flat_words", "nested_words", *JUDGED,
)  # fmt: skip
DENSITY = (*(name for name, _ in DENSITIES), DENSEST)
GROUPS = [
    ("all", "all gold"), ("gold", "nested gold"), ("gold", "other gold"),
    *(("level", name) for name in (*LEVELS, INSIDE_WORD)), *(("sentence", name) for name in DENSITY),
]  # fmt: skip
_PLACE = {group: place for place, group in enumerate(GROUPS)}
CLAIMED = (GROUPS[0], ("gold", "nested gold"), ("gold", "other gold"))  # what the page says in sentences
EMPTY = ("sentence", DENSITY[0])  # without gold there is no rate, only false spans
CHANGE, FALSE_SPANS = "nested minus flat", "false_spans"
EXCHANGE = ("gained, right", "gained, wrong", "lost, right", "lost, wrong")
WHOLE = ("all", "sentence")  # groups of sentences, which have precision; the others are groups of gold
Answers = Sequence[frozenset[Span]]
Counted = tuple[np.ndarray, np.ndarray]  # of one group and dataset: counts [N, 2, S, 3], sums of resamples [R, N, 2, 3]


def gather(space: Workspace, study: str) -> pd.DataFrame:
    """Tidy rows: `census` of test and training corpora, `rate` by decoding, `exchange` between them, `example`s."""
    flat, nested = protocols_of(space.registry.studies[study], space.registry.protocols)
    suite = space.grid.study_rows(study)[0].suite
    gold = read_gold(space, nested, suite)
    rows = list(_census(space, study, gold))
    runs = {name: trained_rows(space, study, name) for name in (flat.name, nested.name)}
    claims: list[Claim] = []
    for variant, row in runs[flat.name].items():
        pairs = [
            [read_answers(space, one, gold), read_answers(space, other, gold)]
            for one, other in zip(row, runs[nested.name][variant], strict=True)
        ]  # [N][flat, nested][dataset][sentence]
        rates, claimed = _rates(gold, pairs, space.settings.resamples)
        claims += claimed
        for found in (*rates, *examples_of(gold, pairs[0])):
            found.update(variant=variant, label=row[0].label)
            rows.append(found)
    judge(claims, "overlap", suite)
    for one in rows:
        one["suite"] = suite
    return pd.DataFrame(rows, columns=list(FIELDS))


def protocols_of(card: StudyCard, known: dict[str, ProtocolCard]) -> tuple[ProtocolCard, ProtocolCard]:
    """The study's flat and its nested protocol; `InputError` unless there is one of each, alike in all else."""
    chosen = [[known[name] for name in card.protocols if known[name].overlap == kind] for kind in ("flat", "nested")]
    if any(len(found) != 1 for found in chosen):
        raise InputError(
            f"benchmarks/studies/{card.name}.yaml: `protocols` must name one protocol with `overlap: flat` and one "
            f"with `overlap: nested` for the analysis `overlap`; correct the list"
        )
    flat, nested = chosen[0][0], chosen[1][0]
    own = {"name", "title", "notes", "supersedes", "overlap"}
    if flat.model_dump(exclude=own) != nested.model_dump(exclude=own):
        raise InputError(
            f"benchmarks/studies/{card.name}.yaml: `protocols` {flat.name} and {nested.name} differ in more than "
            f"`overlap`, so their difference would not be that of the decoding; name a pair that agrees in all else"
        )
    return flat, nested


def _census(space: Workspace, study: str, gold: Sequence[Gold]) -> Iterator[dict[str, Any]]:
    specs = [space.grid.runs[row.owner].spec for row in space.grid.study_rows(study) if row.seed is not None]
    limit = specs[0].model.max_width
    for data in gold:
        found = census(data.card.name, data.items, limit, space.settings.resamples)
        yield from ({"group": "test", **row} for row in found)
    for name in dict.fromkeys(spec.data.name for spec in specs):
        examples = read_jsonl(space.mixture(name) / "train.jsonl")
        found = census(name, [frozenset(example.spans) for example in examples], limit, space.settings.resamples)
        yield from ({"group": "training", **row} for row in found)


def _rates(gold: Sequence[Gold], pairs: Sequence[Any], resamples: int) -> tuple[list[dict[str, Any]], list[Claim]]:
    """Rates of both decodings and their difference, as mean of the datasets that hold the group; then the exchange.

    The second part are the differences that are to be judged.
    """
    counted, drawn, moved, redrawn = [], [], [], []
    for place, data in enumerate(gold):
        counts = np.array([[_counts(data, answer[place]) for answer in pair] for pair in pairs])  # [N, 2, S, groups, 3]
        changes = np.array([_exchange(data, pair[0][place], pair[1][place]) for pair in pairs])  # [N, S, 4]
        seed = derive_seed(0, "overlap", data.card.name)
        counted.append(counts)
        drawn.append(shared_sums(np.moveaxis(counts, 2, 0), seed, resamples))
        moved.append(changes.sum(axis=1))
        redrawn.append(shared_sums(np.moveaxis(changes, 1, 0), seed, resamples))
    rows: list[dict[str, Any]] = []
    claims: list[Claim] = []
    for group in GROUPS:
        mine = [
            (counts[..., _PLACE[group], :], sums[..., _PLACE[group], :])
            for counts, sums in zip(counted, drawn, strict=True)
        ]
        if group == EMPTY:
            rows += _false_spans(gold, mine)
            continue
        found = list(_group_rows(mine, group))
        rows += [row for row, _ in found]
        claims += [claim for _, claim in found if claim and group in CLAIMED]
    total, resampled = np.sum(moved, axis=0), np.sum(redrawn, axis=0)  # [N, 4], [R, N, 4]
    for place, name in enumerate(EXCHANGE):
        found = estimate(total[:, place], resampled[..., place].mean(axis=1))
        rows.append({"kind": "exchange", "slice": name, **found})
    return rows, claims


def _group_rows(mine: Sequence[Counted], group: tuple[str, str]) -> Iterator[tuple[dict[str, Any], Claim | None]]:
    """Both rates and their difference, which is a claim; nothing where no dataset has gold of the group."""
    mine = [(counts, drawn) for counts, drawn in mine if counts[..., 2].any()]
    if not mine:
        return
    sums = np.stack([counts.sum(axis=2) for counts, _ in mine])  # [D, N, 2, 3]
    drawn = np.stack([part for _, part in mine])  # [D, R, N, 2, 3]
    first, second = ([counts[:, side] for counts, _ in mine] for side in (1, 0))
    metrics: tuple[Metric, ...] = ("precision", "recall", "f1") if group[0] in WHOLE else ("recall",)
    for metric in metrics:
        values = 100 * rate(sums, metric).mean(axis=0)  # [N, 2]
        resampled = 100 * rate(drawn, metric).mean(axis=(0, 2))  # [R, 2]
        row = {"kind": "rate", "group": group[0], "slice": group[1], "metric": metric, "num_datasets": len(mine)}
        for side, decoding in enumerate(("flat", "nested")):
            counts = sums[:, :, side].sum(axis=0).mean(axis=0).tolist()
            counts = dict(zip(("true_positive", "predicted", "gold"), counts, strict=True))
            yield {**row, "decoding": decoding, **estimate(values[:, side], resampled[:, side]), **counts}, None
        gains, redrawn = values[:, 1] - values[:, 0], resampled[:, 1] - resampled[:, 0]
        change = {**row, "decoding": CHANGE, **estimate(gains, redrawn)}
        yield change, Claim(row=change, first=first, second=second, metric=metric, values=gains, resampled=redrawn)


def _false_spans(gold: Sequence[Gold], mine: Sequence[Counted]) -> Iterator[dict[str, Any]]:
    """How many spans both decodings answer in sentences without gold, over all datasets; all of them are wrong."""
    empty = sum(not items for data in gold for items in data.items)
    if not empty:
        return
    values = np.sum([counts[..., 1].sum(axis=2) for counts, _ in mine], axis=0)  # [N, 2]
    resampled = np.sum([drawn[..., 1] for _, drawn in mine], axis=0).mean(axis=1)  # [R, 2]
    sides = {"flat": [1, 0], "nested": [0, 1], CHANGE: [-1, 1]}
    for decoding, signs in sides.items():
        yield {
            "kind": "rate", "group": EMPTY[0], "slice": EMPTY[1], "metric": FALSE_SPANS, "decoding": decoding,
            "num_datasets": len(mine), "count": empty, "gold": 0, **estimate(values @ signs, resampled @ signs),
        }  # fmt: skip


def _counts(gold: Gold, predicted: Answers) -> np.ndarray:
    """Counts [S, groups, 3]; a group of gold has no answers of its own, so its predicted count stays zero."""
    rows = np.zeros((len(predicted), len(GROUPS), 3), dtype=np.int64)
    for row, (truth, answer) in enumerate(zip(gold.items, predicted, strict=True)):
        whole = (len(truth & answer), len(answer), len(truth))
        rows[row, _PLACE["all", "all gold"]] = whole
        rows[row, _PLACE["sentence", class_of(len(truth), DENSITIES, DENSEST)]] = whole
        for item, level in levels_of(truth).items():
            found = (item in answer, 0, 1)
            rows[row, _PLACE["level", level]] += found
            rows[row, _PLACE["gold", "other gold" if level in (LEVELS[0], INSIDE_WORD) else "nested gold"]] += found
    return rows


def _exchange(gold: Gold, flat: Answers, nested: Answers) -> np.ndarray:
    """Of every sentence [S, 4]: right and wrong spans that nested decoding gains, and that it loses."""
    rows = []
    for truth, old, new in zip(gold.items, flat, nested, strict=True):
        gained, lost = new - old, old - new
        rows.append([len(gained & truth), len(gained - truth), len(lost & truth), len(lost - truth)])
    return np.array(rows)
