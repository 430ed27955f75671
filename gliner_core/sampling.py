"""Which types a training example is asked for: positives, sampled negatives, dropping, shuffling, the cap.

Paper sections 2.2 and 3.2; details and their versions follow the author's code. `negative_pool` names the version:
`per_example` (until v0.2.2): the types of the batch, at most POOL_SIZE, are shuffled again for every example, which
takes (gold entities) * r of them. `per_batch` (since v0.2.3): one shuffled list, of which every example takes a prefix
of that length. `explicit` (the package's `ner_negatives`): all negatives that the example brings itself, no others.

The author's supervised setup asks every example for the sorted label list of its data set: `explicit` on examples that
bring their absent labels, `sort_types`, and neither dropping nor shuffling. The cap then takes negatives first.
"""

import random
from collections.abc import Sequence

from gliner_core.examples import Example
from gliner_core.spec import SamplingSpec

POOL_SIZE = 100  # author's code: at most 100 distinct types of the batch serve as negatives


def batch_pool(examples: Sequence[Example], draw: random.Random) -> list[str]:
    """Distinct types of the batch in random order, at most POOL_SIZE (sorted first: sets have no stable order)."""
    pool = sorted({span.type for example in examples for span in example.spans})
    draw.shuffle(pool)
    return pool[:POOL_SIZE]


def prompt_types(examples: Sequence[Example], spec: SamplingSpec, draw: random.Random) -> list[tuple[str, ...]]:
    """One tuple of prompt types per example of a batch."""
    pool = batch_pool(examples, draw)
    return [_example_types(example, pool, spec, draw) for example in examples]


def _example_types(example: Example, pool: Sequence[str], spec: SamplingSpec, draw: random.Random) -> tuple[str, ...]:
    negatives = _negatives(example, pool, spec, draw)
    union = list(dict.fromkeys([*example.types(), *negatives]))
    if spec.shuffle_types:
        draw.shuffle(union)
    if spec.type_dropping and union:
        union = union[: draw.randint(1, len(union))]
    kept = union[: spec.max_types]
    return tuple(sorted(kept) if spec.sort_types else kept)


def _negatives(example: Example, pool: Sequence[str], spec: SamplingSpec, draw: random.Random) -> list[str]:
    if spec.negative_pool == "explicit":
        return list(example.negatives)
    ratio = draw.randint(0, spec.negative_ratio)
    # A sentence without entities counts as one: the author's product would leave it without any type to say no to.
    wanted = max(1, len(example.spans)) * ratio
    source = list(pool)
    if spec.negative_pool == "per_example":
        draw.shuffle(source)
    return source[:wanted]
