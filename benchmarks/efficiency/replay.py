"""Our decoding alone: `candidate_spans` and `best_spans` with a network that repeats what it once computed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.efficiency.ours import Found, Ours, forward_of
from benchmarks.efficiency.texts import Load
from gliner_core.decode import Overlap
from gliner_core.predict import SpanScores, best_spans, candidate_spans

NEIGHBOURS = 10  # a threshold lies in the widest gap of so many ranks


class _Recorded:
    """An object some of whose methods answer from a list in turn; all else is the object's own."""

    def __init__(self, target: Any, answers: Mapping[str, Callable[..., Any]]) -> None:
        self._target = target
        self.__dict__.update(answers)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def __call__(self, *given: Any, **options: Any) -> Any:
        return self.forward(*given, **options)


class Replay:
    """One recorded run over a load; whatever order and batches prediction chooses, it meets the same tensors again."""

    def __init__(self, side: Ours, load: Load) -> None:
        self.network, self.load = side.network.eval(), load
        self.texts = [example.words for example in load.examples]
        self._kept: dict[str, list[Any]] = {"lengths": [], "encode": [], "forward": []}
        self._order: list[tuple[str, ...]] = []
        with forward_of(self.network):
            self._predict(self._stand_in(self._record), 1.0)

    def _record(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(*given: Any, **options: Any) -> Any:
            if name == "encode":
                self._order += map(tuple, given[0])
            self._kept[name].append(call(*given, **options))
            return self._kept[name][-1]

        return recorded

    def _repeat(self, name: str, _: Callable[..., Any]) -> Callable[..., Any]:
        answers = iter(self._kept[name])
        return lambda *_, **__: next(answers)

    def _stand_in(self, how: Callable[[str, Callable[..., Any]], Callable[..., Any]]) -> Any:
        prompts = self.network.prompts
        methods = {name: how(name, getattr(prompts, name)) for name in ("lengths", "encode")}
        still = {"training": False, "train": lambda *_: None, "eval": lambda: None}
        own = {"forward": how("forward", self.network), "prompts": _Recorded(prompts, methods)}
        return _Recorded(self.network, own | still)

    def _predict(self, network: Any, floor: float) -> list[SpanScores]:
        return candidate_spans(network, self.texts, self.load.types, floor=floor, batch_size=len(self.texts))

    @property
    def scores(self) -> torch.Tensor:
        """The recorded logits [B, L, K, C] in the order of the load; cells past the end of a text are meaningless."""
        rows = [row for batch in self._kept["forward"] for row in batch.float().cpu()]  # each [L of its batch, K, C]
        out = torch.zeros(len(rows), max(map(len, rows)), *rows[0].shape[1:])
        place = {words: number for number, words in enumerate(self.texts)}
        for words, row in zip(self._order, rows, strict=True):
            out[place[words], : len(row)] = row
        return out

    def candidates(self, floor: float) -> list[SpanScores]:
        """Candidates above a probability, from the recorded scores."""
        return self._predict(self._stand_in(self._repeat), floor)

    def decoding(self, threshold: float, overlap: Overlap) -> Callable[[], Found]:
        """Given scores to entities; ranges are word indices."""
        types = self.load.types

        def job() -> Found:
            best = [best_spans(item, threshold, overlap) for item in self.candidates(threshold)]
            rows = [zip(item.start, item.end, item.label, strict=True) for item in best]
            return [[(int(start), int(end), types[label]) for start, end, label in row] for row in rows]

        return job


def threshold_for(candidates: Sequence[SpanScores], wanted: int) -> float:
    """A probability above which about `wanted` entities are selected flat; it lies between two scores, not at one."""
    ranked = _ranked(candidates)
    rank = wanted
    while rank < len(ranked) - 1:
        threshold = _gap(ranked, rank)
        if sum(len(best_spans(item, threshold, "flat").start) for item in candidates) >= wanted:
            return threshold
        rank = rank * 5 // 4 + 1
    return _gap(ranked, len(ranked) - 1)


def threshold_of_share(candidates: Sequence[SpanScores], share: float) -> float:
    """A probability that this share of all candidates exceeds."""
    ranked = _ranked(candidates)
    return _gap(ranked, int(share * len(ranked)))


def _ranked(candidates: Sequence[SpanScores]) -> np.ndarray:
    return np.sort(np.concatenate([item.score for item in candidates]).astype(float))[::-1]


def _gap(ranked: np.ndarray, rank: int) -> float:
    window = ranked[max(rank - 1, 0) : rank - 1 + NEIGHBOURS]
    widest = int(np.argmax(window[:-1] - window[1:])) if len(window) > 1 else 0
    return float(window[widest : widest + 2].mean())
