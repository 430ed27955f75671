"""Scores of all span-type pairs of a sample of sentences, one model per variant: how matching pairs stand out.

The first seed of every variant is asked for the same sentences, each with all labels of its dataset. Pairs are pooled
within a dataset and never across datasets; a suite's value is the mean of its datasets. Differences from the baseline
are paired: both variants see the same resampled sentences.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.analyses.answered import Gold, read_gold, trained_rows
from benchmarks.analyses.pair_scores import KINDS, LEFT_OUT, MATCHING, pair_kinds, span_logits
from benchmarks.analyses.resampling import normal_p_value
from benchmarks.analyses.separation import EDGES, FINE_IN_ONE, Estimate, Pairs, estimates, histogram
from benchmarks.catalog.cards import ProtocolCard
from benchmarks.catalog.grid import Row
from benchmarks.catalog.variants import baseline_of
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.summary import AVERAGE
from benchmarks.scoring.asking import answers
from benchmarks.scoring.statistics import LEVEL, holm
from gliner_core.model import SpanScoringModel
from gliner_core.pretrained import GLiNER
from gliner_core.seeding import derive_seed, generator

SENTENCES = 60  # of each dataset
Estimates = Mapping[str, Estimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What one variant says of one dataset; two numbers of gold spans that no pair stands for.

    `out_of_reach`: wider than K or beyond the window; `not_asked`: of a type that is no label of the prompt.
    """

    dataset: str
    pairs: Pairs
    estimates: Estimates
    out_of_reach: int
    not_asked: int


def gather(space: Workspace, study: str) -> pd.DataFrame:
    """Rows of kind `metric`, `pairs` (their numbers) and `histogram` (bins of one logit), per variant and dataset."""
    row = space.grid.study_rows(study)[0]
    protocol = space.registry.protocols[row.protocol]
    sampled = [_sample(data) for data in read_gold(space, protocol, row.suite)]
    found = {
        variant: (rows[0], _answered(space, rows[0], protocol, sampled))
        for variant, rows in trained_rows(space, study, row.protocol).items()
    }
    name = baseline_of(space.registry.studies[study], list(found))
    left_out = _left_out([answered for _, answered in found.values()])
    baseline = _with_average(found[name][1], left_out)
    rows: list[dict[str, Any]] = []
    for own, answered in found.values():
        place = {"variant": own.variant, "label": own.label, "run": own.owner, "seed": own.seed, "suite": own.suite}
        of_metrics = _metric_rows(
            _with_average(answered, left_out), None if own.variant == name else baseline, left_out
        )
        rows += [place | more for more in (*of_metrics, *_count_rows(answered))]
    return _with_holm(pd.DataFrame(rows))


def _sample(data: Gold) -> Gold:
    """Some of the sentences with at least one word, in their order; the same ones for every variant."""
    places = [place for place, example in enumerate(data.examples) if example.words]
    draw = generator(0, "score_distributions", data.card.name)
    chosen = sorted(draw.sample(places, min(SENTENCES, len(places))))
    return Gold(
        card=data.card,
        examples=tuple(data.examples[place] for place in chosen),
        items=tuple(data.items[place] for place in chosen),
    )


def _answered(space: Workspace, row: Row, protocol: ProtocolCard, sampled: Sequence[Gold]) -> list[Answered]:
    network = GLiNER.from_pretrained(space.run(row.owner) / "model", device=space.device).network
    return [_answered_one(network, protocol, data, space.settings.resamples) for data in sampled]


def _answered_one(network: SpanScoringModel, protocol: ProtocolCard, data: Gold, resamples: int) -> Answered:
    asked = answers(protocol, data.card)
    types = list(asked.values())
    logits, kinds, sentences = [], [], []
    for number, (example, gold) in enumerate(zip(data.examples, data.spans, strict=True)):
        found = span_logits(network, example.words, list(asked))
        mine = pair_kinds(found.start, found.end, types, gold).ravel()
        is_kept = mine != LEFT_OUT
        logits.append(found.logits.ravel()[is_kept])
        kinds.append(mine[is_kept])
        sentences.append(np.full(is_kept.sum(), number))
    pairs = Pairs(
        logits=np.concatenate(logits), kinds=np.concatenate(kinds), sentences=np.concatenate(sentences),
        num_sentences=len(data.examples),
    )  # fmt: skip
    seed = derive_seed(0, "score_distributions", "bootstrap", data.card.name)
    share = np.full(pairs.num_sentences, 1 / pairs.num_sentences)
    weights = np.random.default_rng(seed).multinomial(pairs.num_sentences, share, resamples)
    gold = [span for spans in data.spans for span in spans]
    not_asked = sum(span.type not in types for span in gold)
    out_of_reach = len(gold) - not_asked - int((pairs.kinds == MATCHING).sum())
    return Answered(
        dataset=data.card.name, pairs=pairs, estimates=estimates(pairs, weights), out_of_reach=out_of_reach,
        not_asked=not_asked,
    )  # fmt: skip


def _left_out(found: Sequence[list[Answered]]) -> dict[str, tuple[str, ...]]:
    """Metric -> datasets outside its average, because some variant's sample has no pair on one side there.

    Averages over different datasets could not be compared. A variant without any value has none to compare.
    """
    missing: dict[str, tuple[str, ...]] = {}
    for metric in found[0][0].estimates:
        values = np.array([[one.estimates[metric].value for one in answered] for answered in found])  # [V, D]
        known = ~np.isnan(values)
        common = known[known.any(axis=1)].all(axis=0)
        missing[metric] = tuple(one.dataset for one, held in zip(found[0], common, strict=True) if not held)
    return missing


def _with_average(answered: list[Answered], left_out: Mapping[str, Sequence[str]]) -> dict[str, Estimates]:
    """Estimates by dataset, then their mean; a resample without pairs on one side in any of them has no mean."""
    by_dataset: dict[str, Estimates] = {one.dataset: one.estimates for one in answered}
    average = {}
    for metric, without in left_out.items():
        parts = [found[metric] for dataset, found in by_dataset.items() if dataset not in without]
        nothing = np.full_like(answered[0].estimates[metric].resampled, np.nan)
        average[metric] = Estimate(
            value=float(np.mean([part.value for part in parts])) if parts else float("nan"),
            resampled=np.mean([part.resampled for part in parts], axis=0) if parts else nothing,
        )
    return {**by_dataset, AVERAGE: average}


def _metric_rows(
    mine: dict[str, Estimates], baseline: dict[str, Estimates] | None, left_out: Mapping[str, Sequence[str]]
) -> Iterator[dict[str, Any]]:
    for dataset, found in mine.items():
        for metric, one in found.items():
            row = {"kind": "metric", "dataset": dataset, "metric": metric, "value": one.value}
            row |= dict(zip(("low", "high"), _bounds(one.resampled), strict=True))
            if dataset == AVERAGE:
                row["left_out"] = "; ".join(left_out[metric])
            if baseline is not None:
                other = baseline[dataset][metric]
                row |= _difference(one.value - other.value, one.resampled - other.resampled)
            yield row


def _difference(value: float, resampled: np.ndarray) -> dict[str, Any]:
    low, high = _bounds(resampled)
    known = resampled[~np.isnan(resampled)]
    p_value = normal_p_value(value, known) if len(known) > 1 and not np.isnan(value) else None
    return {"difference": value, "difference_low": low, "difference_high": high, "p_value": p_value}


def _bounds(resampled: np.ndarray) -> tuple[float | None, float | None]:
    """The middle 95 %, without the resamples that have no pair on one side."""
    known = resampled[~np.isnan(resampled)]
    if not len(known):
        return None, None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _count_rows(answered: list[Answered]) -> Iterator[dict[str, Any]]:
    for one in answered:
        facts = {"dataset": one.dataset, "num_sentences": one.pairs.num_sentences}
        whole = histogram(one.pairs).sum(axis=0)  # [kinds, fine bins]
        for kind, counts in zip(KINDS, whole, strict=True):
            lost = {"gold_out_of_reach": one.out_of_reach, "gold_not_asked": one.not_asked}
            yield {
                "kind": "pairs",
                **facts,
                "class": kind,
                "count": int(counts.sum()),
                **(lost if kind == KINDS[MATCHING] else {}),
            }
        for kind, counts in zip(KINDS, whole.reshape(len(KINDS), -1, FINE_IN_ONE).sum(axis=-1), strict=True):
            for place in np.flatnonzero(counts):  # empty bins are left out
                low, high = EDGES[place * FINE_IN_ONE], EDGES[(place + 1) * FINE_IN_ONE]
                yield {
                    "kind": "histogram", "dataset": one.dataset, "class": kind, "bin_low": round(low),
                    "bin_high": round(high), "count": int(counts[place]),
                }  # fmt: skip


def _with_holm(rows: pd.DataFrame) -> pd.DataFrame:
    """Holm's p over the variants, apart for each metric; of the averages only."""
    rows["p_holm"] = np.nan
    if "p_value" not in rows:
        return rows
    tested = rows[(rows["dataset"] == AVERAGE) & rows["p_value"].notna()]
    for _, family in tested.groupby("metric", sort=False):
        rows.loc[family.index, "p_holm"] = holm(family["p_value"].tolist())
    return rows
