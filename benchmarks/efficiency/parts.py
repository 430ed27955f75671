"""Where the time of one training step goes: marks set by hooks while a side's own step runs, unchanged."""

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from benchmarks.efficiency.ours import Ours
from benchmarks.efficiency.package import ENCODER, Package

PARTS = ("collate", "encoder", "word_lstm", "heads_and_scores", "loss", "optimiser")
# Moment -> the part that begins there. A step may pass several parts of a batch through the model one after another.
PHASES = {
    "start": "collate",
    "model": "heads_and_scores",
    "encoder": "encoder",
    "encoder end": "heads_and_scores",
    "lstm": "word_lstm",
    "lstm end": "heads_and_scores",
    "loss": "loss",
    "scores grad": "heads_and_scores",
    "lstm grad": "word_lstm",
    "lstm grad end": "heads_and_scores",
    "encoder grad": "encoder",
    "encoder grad end": "optimiser",  # clipping and zeroing included
}
ALLOWED = ("encoder", "optimiser")  # the others are what a span model adds to its encoder


class Marks:
    """Named moments of one step. The time from one to the next belongs to the part that PHASES gives the first."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.log = device, list[tuple[str, float]]()

    def __call__(self, name: str) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.log.append((name, time.perf_counter()))

    def on(self, name: str) -> Callable[..., None]:
        """A hook of any signature that sets the mark."""
        return lambda *_: self(name)

    def seconds(self) -> dict[str, float]:
        """Seconds of each of PARTS, forward and backward together, over all passes that the step consists of."""
        found = dict.fromkeys(PARTS, 0.0)
        for (name, begin), (_, end) in pairwise(self.log):
            found[PHASES[name]] += end - begin
        return found


def parts_of_ours(side: Ours, job: Callable[[], object]) -> dict[str, float]:
    """Seconds of each part of our training step."""
    network, marks = side.network, Marks(side.device)
    handles = _watch(marks, network, network.encoder, network.rnn, network.encoder.get_input_embeddings())
    handles.append(network.register_forward_hook(lambda *call: _scored(marks, call[-1])))
    return _run(marks, job, handles)


def parts_of_package(side: Package, job: Callable[[], object]) -> dict[str, float]:
    """Seconds of each part of the package's training step."""
    core, marks = side.core, Marks(side.device)
    encoder = getattr(core, ENCODER)
    handles = _watch(marks, core, encoder, core.rnn, encoder.bert_layer.model.get_input_embeddings())
    loss = core.loss

    def watched(scores: torch.Tensor, *others: Any, **options: Any) -> torch.Tensor:
        _scored(marks, scores)
        return loss(scores, *others, **options)

    core.loss = watched
    try:
        return _run(marks, job, handles)
    finally:
        del core.loss


def _run(marks: Marks, job: Callable[[], object], handles: list[Any]) -> dict[str, float]:
    try:
        marks("start")
        job()
        marks("end")
    finally:
        for handle in handles:
            handle.remove()
    return marks.seconds()


def _scored(marks: Marks, scores: torch.Tensor) -> None:
    scores.register_hook(marks.on("scores grad"))
    marks("loss")


def _watch(marks: Marks, network: nn.Module, encoder: nn.Module, lstm: nn.Module, table: nn.Module) -> list[Any]:
    def encoded(_: nn.Module, __: Any, output: Any) -> None:
        getattr(output, "last_hidden_state", output).register_hook(marks.on("encoder grad"))
        marks("encoder end")

    def recurrent(_: nn.Module, given: Any, output: torch.Tensor) -> None:
        output.register_hook(marks.on("lstm grad"))
        given[0].register_hook(marks.on("lstm grad end"))
        marks("lstm end")

    return [
        network.register_forward_pre_hook(marks.on("model")),
        encoder.register_forward_pre_hook(marks.on("encoder")),
        encoder.register_forward_hook(encoded),
        lstm.register_forward_pre_hook(marks.on("lstm")),
        lstm.register_forward_hook(recurrent),
        table.weight.register_post_accumulate_grad_hook(marks.on("encoder grad end")),
    ]
