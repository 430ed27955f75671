"""What the training data of a study's runs prefer: types, readings, casing, lengths, and what they leave unlabelled.

Every measure is taken of the mixture as drawn (an example drawn twice counts twice) and of each of its parts.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.analyses.resampling import share_interval
from benchmarks.analyses.training_shares import (
    Share,
    ambiguity_share,
    casing_shares,
    folded_mentions,
    length_shares,
    nesting_share,
    place_shares,
    unlabelled_shares,
)
from benchmarks.catalog.workspace import Workspace
from gliner_core.examples import Example, read_jsonl
from gliner_core.seeding import derive_seed

COLUMNS = ("mixture", "part", "topic", "group", "value", "low", "high", "numerator", "denominator", "detail")
WHOLE = "all"
HEADS, RARE, SHOWN, RANK_POINTS = (10, 50), 5, 10, 60
IN_PART, IN_MIXTURE = "unlabelled, surface labelled in the same part", "unlabelled, surface labelled in the mixture"
Row = dict[str, Any]


def gather(space: Workspace, study: str) -> pd.DataFrame:
    """Tidy rows: one per mixture, part, topic and group; shares in percent with bounds, other values without."""
    owners = [row.owner for row in space.grid.study_rows(study) if row.seed is not None]
    specs = [space.grid.runs[owner].spec for owner in dict.fromkeys(owners)]
    rows: list[Row] = []
    for name in dict.fromkeys(spec.data.name for spec in specs):
        limits = sorted({spec.model.max_width for spec in specs if spec.data.name == name})
        examples = read_jsonl(space.mixture(name) / "train.jsonl")
        rows += [{"mixture": name, **row} for row in mixture_rows(examples, limits, space.settings.resamples)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def mixture_rows(examples: Sequence[Example], limits: Sequence[int], resamples: int) -> Iterator[Row]:
    """Rows of one mixture; `limits` are the values of K whose loss is counted."""
    parts: dict[str, list[int]] = {}
    for place, example in enumerate(examples):
        parts.setdefault(part_of(example), []).append(place)
    ordered = sorted(parts, key=lambda name: (-len(parts[name]), name))
    everywhere = list(unlabelled_shares(examples, IN_MIXTURE))
    within = {name: list(unlabelled_shares([examples[at] for at in parts[name]], IN_PART)) for name in ordered}
    joined = _joined(list(within.values()))
    for name, places in ((WHOLE, list(range(len(examples)))), *((name, parts[name]) for name in ordered)):
        mine = [examples[at] for at in places]
        shares = [*joined] if name == WHOLE else [*within[name]]
        shares += [_at(share, places) for share in everywhere]
        yield from ({"part": name, **row} for row in _part_rows(mine, limits, shares, resamples, name))
    yield from ({"part": WHOLE, **row} for row in _listings(examples))


def part_of(example: Example) -> str:
    """The part of the mixture that an example came from: its id begins with `dataset/split/`."""
    return "/".join(example.id.split("/")[:2])


def label_entropy(readings: Mapping[str, Counter[str]], at_least: int = 1) -> float:
    """Mean entropy in bits of the type given the surface, weighted by mentions; surfaces with fewer are left out."""
    chosen = [types for types in readings.values() if types.total() >= at_least]
    total = sum(types.total() for types in chosen)
    return sum(types.total() * entropy_bits(types) for types in chosen) / total if total else 0.0


def entropy_bits(counts: Counter[str]) -> float:
    """Shannon entropy of counts, in bits, without correction for few counts."""
    total = counts.total()
    return -sum(num / total * math.log2(num / total) for num in counts.values())


def gini(counts: Sequence[int]) -> float:
    """Gini coefficient: 0 for equal counts, towards 1 where one holds all."""
    ordered = np.sort(np.asarray(counts, dtype=float))
    ranks = np.arange(1, len(ordered) + 1)
    return float(2 * (ranks * ordered).sum() / (len(ordered) * ordered.sum()) - (len(ordered) + 1) / len(ordered))


def readings_of(examples: Sequence[Example]) -> dict[str, Counter[str]]:
    """Folded surface -> how often it carries which folded type."""
    found: dict[str, Counter[str]] = {}
    for example in examples:
        for surface, kind in folded_mentions(example):
            found.setdefault(surface, Counter())[kind] += 1
    return found


def _part_rows(
    examples: Sequence[Example], limits: Sequence[int], shares: Sequence[Share], resamples: int, part: str
) -> Iterator[Row]:
    types = Counter(kind for example in examples for _, kind in folded_mentions(example))
    readings = readings_of(examples)
    numbers = {
        "sentences": len(examples),
        "words": sum(len(example.words) for example in examples),
        "mentions": types.total(),
        "types": len(types),
        "surfaces": len(readings),
        f"types seen fewer than {RARE} times": sum(num < RARE for num in types.values()),
        "Gini coefficient of type counts": gini(list(types.values())) if types else None,
        "label entropy, bits": label_entropy(readings),
        "label entropy of repeated surfaces, bits": label_entropy(readings, at_least=2),
    }
    yield from ({"topic": topic, "group": "all", "value": value} for topic, value in numbers.items())
    measured = [
        *_head_shares(examples, types), ambiguity_share(examples), nesting_share(examples), *casing_shares(examples),
        *length_shares(examples, limits), *place_shares(examples), *shares,
    ]  # fmt: skip
    for share in measured:
        if share.whole.sum():
            yield _share_row(share, resamples, part)


def _share_row(share: Share, resamples: int, part: str) -> Row:
    seed = derive_seed(0, "training-bias", part, share.topic, share.group)
    value, low, high = share_interval(share.part, share.whole, seed, resamples)
    return {
        "topic": share.topic, "group": share.group, "value": value, "low": low, "high": high,
        "numerator": int(share.part.sum()), "denominator": int(share.whole.sum()),
    }  # fmt: skip


def _head_shares(examples: Sequence[Example], types: Counter[str]) -> Iterator[Share]:
    """Mentions of the most frequent types; which types these are is taken as known, not resampled."""
    mentions = [[kind for _, kind in folded_mentions(example)] for example in examples]
    whole = np.array([len(found) for found in mentions])
    for size in HEADS:
        head = {kind for kind, _ in ranked(types)[:size]}
        part = np.array([sum(kind in head for kind in found) for found in mentions])
        yield Share(topic="mentions of the most frequent types", group=f"{size}", part=part, whole=whole)


def ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    """Most frequent first; equal counts in alphabetical order."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _listings(examples: Sequence[Example]) -> Iterator[Row]:
    """Frequencies over ranks, the most frequent types, and the surfaces that carry most uncertainty in all."""
    types = ranked(Counter(kind for example in examples for _, kind in folded_mentions(example)))
    total = sum(num for _, num in types)
    points = sorted({round(rank) for rank in np.geomspace(1, len(types), RANK_POINTS)}) if types else []
    for rank in points:
        yield {"topic": "type frequency by rank", "group": f"{rank}", "value": types[rank - 1][1]}
    for kind, num in types[:SHOWN]:
        yield {"topic": "most frequent types", "group": kind, "value": 100 * num / total, "numerator": num}
    readings = readings_of(examples)
    bits = {surface: entropy_bits(counts) for surface, counts in readings.items() if len(counts) > 1}
    heaviest = sorted(bits, key=lambda surface: (-bits[surface] * readings[surface].total(), surface))
    for surface in heaviest[:SHOWN]:
        counts = readings[surface]
        yield {
            "topic": "most ambiguous surfaces", "group": surface, "value": bits[surface], "numerator": len(counts),
            "denominator": counts.total(), "detail": ", ".join(f"{kind} {num}" for kind, num in ranked(counts)[:3]),
        }  # fmt: skip


def _at(share: Share, places: Sequence[int]) -> Share:
    return Share(topic=share.topic, group=share.group, part=share.part[places], whole=share.whole[places])


def _joined(groups: Sequence[Sequence[Share]]) -> list[Share]:
    """The same shares of several parts as one of them all."""
    return [
        Share(
            topic=shares[0].topic,
            group=shares[0].group,
            part=np.concatenate([share.part for share in shares]),
            whole=np.concatenate([share.whole for share in shares]),
        )
        for shares in zip(*groups, strict=True)
    ]
