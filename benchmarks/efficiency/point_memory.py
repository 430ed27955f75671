"""Peak memory of answering and of a training step at several K, every figure in a process of its own.

`python -m benchmarks.efficiency.point_memory` reads requests, forks a process for each, and writes a list of
{"inference": [bytes], "training": [bytes]}: what one batch needs beyond the loaded model, after a short text has made
what is made once. Forking costs one start of Python for all; nothing has run in the parent that a child could inherit.
What is left of the allocator's moods (peaks.py) differs from process to process and from step to step, so both are
repeated.
"""

import json
import multiprocessing
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch

from benchmarks.efficiency.peaks import STEADY_MALLOC, ask_fresh_process, extra_bytes
from benchmarks.efficiency.serving import Asked, Served, answering
from benchmarks.efficiency.stepping import Stepper
from gliner_core.examples import Example, Span, example_from_json, example_to_json
from gliner_core.pretrained import GLiNER
from gliner_core.spec import TrainSpec, spec_from_json

TEXTS = 32  # of one call: with fewer the peak of a small model drowns in what the allocator does
SHORT = 5  # words of the text that comes first
PROCESSES, REPEATS = 2, 3
Peaks = dict[str, list[int]]  # kind of work -> bytes; empty where nothing was asked


def peaks_in_fresh_processes(
    models: Sequence[Served],
    texts: Sequence[Asked],
    device: str,
    specs: Mapping[str, TrainSpec] | None = None,
    batch: Sequence[Example] = (),
) -> dict[str, Peaks]:
    """Model -> bytes beyond the loaded model: of answering the longest texts, and of a step on `batch` by its spec.

    The models take turns; the n-th figures of all models are of the same turn.
    """
    longest = sorted(texts, key=lambda text: -len(text.words))[:TEXTS]
    shared = {
        "device": device,
        "threads": torch.get_num_threads(),
        "texts": [asdict(text) for text in longest],
        "batch": [example_to_json(example) for example in batch],
    }
    requests = [
        {
            "folder": str(model.folder),
            "max_width": model.max_width,
            "spec": specs[model.name].to_json() if specs else None,
        }
        for model in models
    ]
    asked = {"shared": shared, "requests": requests * PROCESSES}
    what = f"the memory of {len(models)} models"
    found = ask_fresh_process("benchmarks.efficiency.point_memory", asked, what, STEADY_MALLOC)
    return {
        model.name: {
            work: [value for turn in found[place :: len(models)] for value in turn[work]]
            for work in ("inference", "training")
        }
        for place, model in enumerate(models)
    }


def answer(request: dict[str, Any]) -> Peaks:
    """The peaks of this process."""
    torch.set_num_threads(request["threads"])
    device = torch.device(request["device"])
    training = _training_peaks(request, device) if request["spec"] else []
    return {"inference": _inference_peaks(request, device), "training": training}


def _inference_peaks(request: dict[str, Any], device: torch.device) -> list[int]:
    model = GLiNER.from_pretrained(request["folder"], device=str(device))
    side = answering(model, request["max_width"], TEXTS)
    texts = [Asked(words=tuple(text["words"]), labels=tuple(text["labels"])) for text in request["texts"]]
    side([Asked(words=texts[0].words[:SHORT], labels=texts[0].labels)])()
    return [extra_bytes(side(texts), device) for _ in range(REPEATS)]


def _training_peaks(request: dict[str, Any], device: torch.device) -> list[int]:
    spec, batch = spec_from_json(request["spec"]), [example_from_json(item) for item in request["batch"]]
    width = spec.model.max_width
    stepper = Stepper(spec, [width], batch, str(device))
    stepper.side(width)((0, [_mention_alone(example) for example in batch if example.spans]))()
    found = []
    for step in range(1, 1 + REPEATS):
        stepper.trainer.network.zero_grad(set_to_none=True)  # kept between steps; here they are the step's own
        found.append(extra_bytes(stepper.side(width)((step, batch)), device))
    return found


def _mention_alone(example: Example) -> Example:
    """The narrowest mention as a text, so that the short step has a type to ask and makes the optimiser's state."""
    span = min(example.spans, key=lambda span: span.width)
    own = Span(0, span.width - 1, span.type)
    return Example(id=example.id, words=example.words[span.start : span.end + 1], spans=(own,))


def main() -> None:
    """Answers the requests of standard input, one process after the other."""
    asked = json.load(sys.stdin)
    requests = [asked["shared"] | own for own in asked["requests"]]
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        print(json.dumps(pool.map(answer, requests, chunksize=1)))


if __name__ == "__main__":
    main()
