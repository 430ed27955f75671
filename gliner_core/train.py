"""The training loop: `python -m gliner_core.train SPEC.json --data TRAIN.jsonl --out DIR [--start DIR] [--resume]`.

Writes OUT/model (a checkpoint that `GLiNER.from_pretrained` opens), OUT/history.jsonl and OUT/training.json (what was
seen, what was lost, what it cost). Stops on a loss, gradient or weight that is not finite; never skips a batch.
With `torchrun --standalone --nproc-per-node N -m gliner_core.train ...` N processes share every batch (processes.py).
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch

from gliner_core.checkpoint import find_state, identity_of, save_state
from gliner_core.errors import InputError
from gliner_core.examples import read_jsonl
from gliner_core.files import file_digest
from gliner_core.measure import Stopwatch
from gliner_core.orphans import die_with_parent
from gliner_core.prefetch import prepared
from gliner_core.processes import any_of, check_equal, leave, process_rank, started_with_others
from gliner_core.progress import progress
from gliner_core.spec import TrainSpec, read_spec
from gliner_core.starting import start_digest
from gliner_core.stopping import until_sigterm
from gliner_core.trainer import Trainer
from gliner_core.training_files import training_report, write_training

SAVE_EVERY_SECONDS = 120.0


def train(
    spec: TrainSpec,
    data: Path,
    out: Path,
    *,
    start: Path | None = None,
    resume: bool = False,
    scratch: Path | None = None,
    device: str | None = None,
    code: str = "",
) -> dict[str, Any]:
    """Trains and writes model/, history.jsonl and training.json under `out`; returns the content of training.json.

    `start` is the model folder of the run that `spec.start` names; optimiser and schedule begin anew all the same.
    `code` is a digest of the sources; with it, a state that other code left behind is not continued. A state may be
    continued by another number of processes. Of several processes, the first writes.
    """
    begin = start_digest(spec, start)
    trainer = Trainer(spec, read_jsonl(data), device, start)
    state_file = (scratch or out / "scratch") / "state.pt"
    identity = identity_of(spec.canonical(), file_digest(data), begin, code)
    seconds = 0.0
    if resume and (state := find_state(state_file, identity)):
        trainer.restore(state)
        seconds = state.seconds
    _check_together(trainer, "the steps that are done and the weights")
    seconds = run_steps(trainer, state_file, identity, seconds)
    _check_together(trainer, "the trained weights")
    if process_rank():
        return training_report(trainer, seconds)
    report = write_training(trainer, seconds, out)
    state_file.unlink(missing_ok=True)
    return report


def _check_together(trainer: Trainer, what: str) -> None:
    """Several processes that do not stand at the same place would train something that no single one does."""
    step = torch.tensor(trainer.step)
    check_equal([step, *trainer.network.parameters()], trainer.accelerator.device, what)


def run_steps(trainer: Trainer, state_file: Path, identity: str, seconds: float) -> float:
    """Runs the remaining steps with a checkpoint every SAVE_EVERY_SECONDS; returns the seconds spent in all."""
    trainer.model.train()
    device = trainer.accelerator.device
    batches = prepared(trainer.examples, trainer.spec, trainer.network.prompts, trainer.step, device)
    watch = Stopwatch(device)
    saved = 0.0

    def save() -> None:
        if process_rank() == 0:
            trainer.check_weights()
            save_state(state_file, trainer.state(seconds + watch.seconds, identity))

    def save_and_wait() -> None:
        save()
        any_of(False, device)  # torchrun ends the others once one has left

    steps = _shown(range(trainer.step, trainer.spec.optim.steps), trainer)
    for _ in until_sigterm(steps, save_and_wait, lambda asked: any_of(asked, device)):
        with watch:
            trainer.history.append(trainer.train_step(*next(batches)))
        if watch.seconds - saved > SAVE_EVERY_SECONDS:
            saved = watch.seconds
            save()
    return seconds + watch.seconds


def _shown(steps: range, trainer: Trainer) -> Iterable[int]:
    """The steps, with progress in the first process."""
    return steps if process_rank() else progress(steps, "train", lambda: _status(trainer))


def _status(trainer: Trainer) -> str:
    recent = [row["loss"] for row in trainer.history[-20:]]
    return f"loss {sum(recent) / max(len(recent), 1):.1f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gliner_core.train", description="Trains one GLiNER.")
    parser.add_argument("spec", type=Path, help="spec.json, see gliner_core/spec.py")
    parser.add_argument("--data", type=Path, required=True, help="training examples, JSONL")
    parser.add_argument("--out", type=Path, required=True, help="folder for model/, history.jsonl, training.json")
    parser.add_argument("--start", type=Path, help="model folder of the run that the spec's `start` names")
    parser.add_argument("--resume", action="store_true", help="continue from state.pt in the scratch folder, if any")
    parser.add_argument("--scratch", type=Path, help="folder of state.pt; default: OUT/scratch")
    parser.add_argument("--code", default="", help="digest of the sources; a state of others is not continued")
    parser.add_argument("--device", help="cpu, cuda, cuda:1; default: a GPU if there is one")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; prints one sentence and returns 2 on wrong input."""
    options = vars(_parser().parse_args(arguments))
    spec, data, out = (options.pop(name) for name in ("spec", "data", "out"))
    if started_with_others():
        die_with_parent()
    try:
        report = train(read_spec(spec), data, out, **options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 2
    if process_rank() == 0:
        print(json.dumps(report, indent=1))
    leave()
    return 0


if __name__ == "__main__":
    sys.exit(main())
