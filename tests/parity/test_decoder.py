"""Selection against the published package's decoder on large sets of candidates, with ties and saturated scores."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from gliner_core.decode import Overlap, select

pytestmark = pytest.mark.skipif(
    find_spec("gliner") is None, reason="the published package is not installed; pip install 'gliner-bench[peers]'"
)

MODES: dict[Overlap, dict[str, bool]] = {
    "flat": {"flat_ner": True, "multi_label": False},
    "flat_multi_label": {"flat_ner": True, "multi_label": True},
    "nested": {"flat_ner": False, "multi_label": False},
    "multi_label": {"flat_ner": False, "multi_label": True},
}


def _candidates(seed: int, decimals: int, scale: float) -> tuple[np.ndarray, ...]:
    """Some 700 candidates of 50 words, K = 12, 3 types, in the order of the package's loop."""
    draw = np.random.default_rng(seed)
    start, width, label = np.indices((50, 12, 3)).reshape(3, -1)
    logits = draw.normal(size=len(start)) * scale
    score = (1 / (1 + np.exp(-logits))).round(decimals).astype(np.float32)
    kept = (start + width < 50) & (score > 0.5)
    return start[kept], (start + width)[kept], label[kept], score[kept]


@pytest.mark.parametrize("overlap", MODES)
@pytest.mark.parametrize(("decimals", "scale"), [(9, 1.0), (1, 1.0), (9, 30.0)], ids=["free", "ties", "saturated"])
@pytest.mark.parametrize("seed", range(3))
def test_the_same_spans_are_chosen(overlap: Overlap, decimals: int, scale: float, seed: int) -> None:
    from gliner.decoding.decoder import Span, SpanDecoder

    start, end, label, score = _candidates(seed, decimals, scale)
    decoder: Any = SpanDecoder(config=None)
    rows = zip(start.tolist(), end.tolist(), label.tolist(), score.tolist(), strict=True)
    spans = [Span(start=s, end=e, entity_type=str(c), score=p) for s, e, c, p in rows]
    reference = decoder.greedy_search(spans, **MODES[overlap])
    chosen = select(start, end, label, score, overlap)
    mine = [(int(start[i]), int(end[i]), str(label[i])) for i in chosen]
    assert sorted(mine) == sorted((span.start, span.end, span.entity_type) for span in reference)
    assert 5 < len(mine) < len(start) > 300
