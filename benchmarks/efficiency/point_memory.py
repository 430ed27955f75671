"""Peak memory of answering and of a training step at one K, in a process of its own.

`python -m benchmarks.efficiency.point_memory` reads a request and writes {"inference": [bytes], "training": [bytes]}:
what one batch needs beyond the loaded model, after a short text has made what is made once. It is done several times,
because what an allocator keeps or gives back moves a small peak.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch

from benchmarks.efficiency.peaks import ask_fresh_process, extra_bytes
from benchmarks.efficiency.serving import BATCH, Asked, Served, answering
from benchmarks.efficiency.stepping import Stepper
from gliner_core.examples import Example, Span, example_from_json
from gliner_core.pretrained import GLiNER
from gliner_core.spec import TrainSpec, spec_from_json

SHORT = 5  # words of the text that comes first
REPEATS = 5
Peaks = dict[str, list[int]]  # empty where nothing was asked


def peaks_in_fresh_process(
    model: Served, texts: Sequence[Asked], device: str, spec: TrainSpec | None = None, batch: Sequence[Example] = ()
) -> Peaks:
    """Bytes beyond the loaded model: of answering the longest texts, and of a step on `batch` where a spec is given."""
    longest = sorted(texts, key=lambda text: -len(text.words))[:BATCH]
    request = {
        "folder": str(model.folder),
        "max_width": model.max_width,
        "device": device,
        "threads": torch.get_num_threads(),
        "texts": [asdict(text) for text in longest],
        "spec": spec.to_json() if spec else None,
        "batch": [_record(example) for example in batch],
    }
    return ask_fresh_process("benchmarks.efficiency.point_memory", request, f"the memory of {model.name}")


def answer(request: dict[str, Any]) -> Peaks:
    """The peaks of this process."""
    torch.set_num_threads(request["threads"])
    device = torch.device(request["device"])
    training = _training_peaks(request, device) if request["spec"] else []
    return {"inference": _inference_peaks(request, device), "training": training}


def _inference_peaks(request: dict[str, Any], device: torch.device) -> list[int]:
    side = answering(GLiNER.from_pretrained(request["folder"], device=str(device)), request["max_width"])
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


def _record(example: Example) -> dict[str, Any]:
    spans = [[span.start, span.end, span.type] for span in example.spans]
    return {"id": example.id, "words": example.words, "spans": spans, "negatives": example.negatives}


def _mention_alone(example: Example) -> Example:
    """The narrowest mention as a text, so that the short step has a type to ask and makes the optimiser's state."""
    span = min(example.spans, key=lambda span: span.width)
    own = Span(0, span.width - 1, span.type)
    return Example(id=example.id, words=example.words[span.start : span.end + 1], spans=(own,))


if __name__ == "__main__":
    print(json.dumps(answer(json.load(sys.stdin))))
