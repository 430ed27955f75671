"""`per_batch` and `explicit` negatives are the published package's: the same draws give the same sets of types.

Left out is a sentence without entities: the package asks it for one empty name, we draw for it as for one entity.
"""

import random
from collections import Counter
from importlib.util import find_spec
from typing import Any

import pytest

from gliner_core.examples import Example, Span
from gliner_core.sampling import batch_pool, prompt_types
from gliner_core.spec import SamplingSpec

pytestmark = pytest.mark.skipif(
    find_spec("gliner") is None, reason="the published package is not installed; pip install 'gliner-bench[peers]'"
)

GOLD = [["a", "b", "a"], ["c"], ["d", "e", "f", "d"], ["a", "g"], ["h"]]


class _Recorded(random.Random):
    """Keeps what `randint` gave."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.ratios: list[int] = []

    def randint(self, a: int, b: int) -> int:
        self.ratios.append(super().randint(a, b))
        return self.ratios[-1]


def _examples(negatives: tuple[str, ...] = ()) -> list[Example]:
    return [
        Example(
            id=str(row),
            words=tuple("w" * len(types)),
            spans=tuple(Span(index, index, label) for index, label in enumerate(types)),
            negatives=negatives,
        )
        for row, types in enumerate(GOLD)
    ]


def _rows(negatives: tuple[str, ...] | None = None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"ner": [(index, index, label) for index, label in enumerate(types)]} for types in GOLD
    ]
    return rows if negatives is None else [{**row, "ner_negatives": list(negatives)} for row in rows]


def _their_types(rows: list[dict[str, Any]], ratio: int, max_types: int, pool: list[str] | None) -> list[list[str]]:
    from gliner.config import UniEncoderSpanConfig
    from gliner.data_processing.processor import UniEncoderSpanProcessor

    processor = object.__new__(UniEncoderSpanProcessor)  # its constructor wants a tokenizer, the mappings do not
    processor.config = UniEncoderSpanConfig(max_neg_type_ratio=ratio, max_types=max_types)
    return [list(ids) for ids in processor.batch_generate_class_mappings(rows, pool)[0]]


@pytest.mark.parametrize("ratio", [1, 2, 3])
def test_the_same_draws_give_the_same_sets(ratio: int, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = SamplingSpec(negative_pool="per_batch", negative_ratio=ratio, type_dropping=False, shuffle_types=False)
    for seed in range(30):
        draw = _Recorded(seed)
        mine = prompt_types(_examples(), spec, draw)
        pool, replayed = batch_pool(_examples(), random.Random(seed)), iter(draw.ratios)
        with monkeypatch.context() as patched:
            patched.setattr("gliner.data_processing.processor.random.randint", lambda *_, given=replayed: next(given))
            theirs = _their_types(_rows(), ratio, spec.max_types, pool)
        assert list(map(set, mine)) == list(map(set, theirs))


def test_explicit_negatives_are_the_packages() -> None:
    spec = SamplingSpec(negative_pool="explicit", negative_ratio=0, type_dropping=False)
    for seed in range(10):
        mine = prompt_types(_examples(("n1", "n2", "a")), spec, random.Random(seed))
        theirs = _their_types(_rows(("n1", "n2", "a")), 0, spec.max_types, None)
        assert list(map(set, mine)) == list(map(set, theirs))


@pytest.mark.parametrize("max_types", [3, 25])
@pytest.mark.parametrize("ratio", [0, 1, 3])
def test_order_cap_and_share_have_the_same_distribution(ratio: int, max_types: int) -> None:
    """The package draws by itself here: how often each type is asked first, asked at all, and how many are asked."""
    spec = SamplingSpec(
        negative_pool="per_batch", negative_ratio=ratio, type_dropping=False, max_types=max_types, shuffle_types=True
    )
    draw, rounds = random.Random(0), 1000
    random.seed(0)
    counts: dict[str, Counter[Any]] = {"ours": Counter(), "theirs": Counter()}
    for _ in range(rounds):
        prompts = {"ours": prompt_types(_examples(), spec, draw)}
        prompts["theirs"] = _their_types(_rows(), ratio, max_types, None)
        for side, rows in prompts.items():
            for row, types in enumerate(rows):
                counts[side].update([(row, "first", types[0]), (row, "number", len(types))])
                counts[side].update((row, "asked", label) for label in types)
    for key in counts["ours"] | counts["theirs"]:
        mine, theirs = counts["ours"][key] / rounds, counts["theirs"][key] / rounds
        spread = (2 * max(mine * (1 - mine), theirs * (1 - theirs), 1e-3) / rounds) ** 0.5
        assert abs(mine - theirs) < 5 * spread, key
