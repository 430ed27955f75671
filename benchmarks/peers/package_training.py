"""Training by the published package's own trainer (gliner 0.2.29), for the study `trainer_parity`.

Both trainers start from the same weights (ours, saved and opened by the package) and follow the same plan of batches
and prompt types. Everything else is the package's: collation, dense labels, loss, dropout stream, parameter groups,
AdamW, clipping, schedule. What then still differs from `gliner_core.train`: the package decays neither biases nor
LayerNorms, counts the projection to the encoder's learning rate, and clamps probabilities at 1e-6 in its loss.

An interrupted training begins again: the package's checkpoints hold one running generator, not our seeds by step.
"""

from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.peers.plan import PlannedStep, planned_steps
from gliner_core.collate import BatchCounts
from gliner_core.errors import InputError
from gliner_core.examples import read_jsonl
from gliner_core.measure import Stopwatch
from gliner_core.optim import precision_for
from gliner_core.pretrained import GLiNER
from gliner_core.saving import OFFICIAL_SPAN_MODES, save_network
from gliner_core.spec import ObjectiveSpec, TrainSpec
from gliner_core.trainer import Trainer
from gliner_core.training_files import write_training

VERSION = "0.2.29"
FLOOR = 1e-6  # of a probability in its loss


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
    """Trains and writes model/, history.jsonl and training.json under `out`, as `gliner_core.train.train` does.

    `resume` and `code` are part of the shared signature and change nothing here. Raises `InputError` where the package
    is missing or of another version, or where the spec asks for what it does not have.
    """
    _check_installed()
    settings = _objective(spec.objective)
    _check_shared(spec)
    if spec.start is not None or start is not None:
        raise InputError(
            f"`start` is {spec.start!r}, but the trainer gliner-{VERSION} begins with the backbone here; set it to null"
        )
    trainer = Trainer(spec, read_jsonl(data), device)  # our start and our record; its loop is not run
    steps = planned_steps(trainer.examples, spec, trainer.network.prompts)
    watch = Stopwatch(trainer.accelerator.device)
    place = scratch or out
    place.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place, prefix=".package-") as work:
        _run(trainer, steps, settings, Path(work), watch)
    trainer.step, trainer.counts = len(steps), sum((step.counts for step in steps), BatchCounts())
    return write_training(trainer, watch.seconds, out)


def _check_installed() -> None:
    try:
        found = metadata.version("gliner")
    except metadata.PackageNotFoundError:
        raise InputError(
            f"`optim.trainer` is 'gliner-{VERSION}' but the package gliner is not installed; install the extra `peers` "
            "(pip install 'gliner-bench[peers]')"
        ) from None
    if found != VERSION:
        raise InputError(
            f"`optim.trainer` is 'gliner-{VERSION}' but gliner {found} is installed; install the extra `peers`"
        )


def _objective(objective: ObjectiveSpec) -> dict[str, Any]:
    """The package's loss settings; its alpha -1 stands for no weights, and it always has a floor of 1e-6."""
    known = objective.name in ("bce", "focal") and objective.positive_weight == 1
    if not known or objective.probability_floor not in (None, FLOOR):
        raise InputError(
            f"gliner {VERSION} has no loss {objective.name!r} with `objective.positive_weight` "
            f"{objective.positive_weight:g} and `objective.probability_floor` {objective.probability_floor}; "
            f"use bce or focal with weight 1 and floor null or {FLOOR:g}"
        )
    alpha = -1.0 if objective.focal_alpha is None else objective.focal_alpha
    return {"focal_loss_alpha": alpha, "focal_loss_gamma": objective.focal_gamma, "loss_reduction": "sum"}


def _check_shared(spec: TrainSpec) -> None:
    known = OFFICIAL_SPAN_MODES.values()
    if spec.model.score_bias is not None or spec.model.span_mode not in known:
        raise InputError(
            f"`model.score_bias` {spec.model.score_bias} or `model.span_mode` {spec.model.span_mode!r} is not known to "
            f"gliner {VERSION}; for this trainer leave the first null and take a span mode of {', '.join(known)}"
        )


def _run(trainer: Trainer, steps: list[PlannedStep], settings: dict[str, Any], work: Path, watch: Stopwatch) -> None:
    """Lets the package train a copy of the network and takes the trained weights and the history back."""
    if not steps:
        return  # the package reads `max_steps` 0 as no limit
    import gliner  # a peer, installed with the extra `peers` only

    from benchmarks.peers.recording import RecordingTrainer

    save_network(trainer.network, work / "initial")
    theirs = gliner.GLiNER.from_pretrained(str(work / "initial"), local_files_only=True, map_location="cpu")
    if trainer.spec.optim.freeze_embeddings:
        theirs.model.token_rep_layer.bert_layer.model.get_input_embeddings().weight.requires_grad_(False)
    collate = theirs.data_collator_class(theirs.config, data_processor=theirs.data_processor, prepare_labels=True)
    arguments = _arguments(trainer.spec, trainer.accelerator.device, settings, work / "package")
    runner = RecordingTrainer(theirs, arguments, steps, collate)
    with watch:
        runner.train()
    theirs.save_pretrained(work / "trained", safe_serialization=True)
    trained = GLiNER.from_pretrained(work / "trained", device="cpu").network
    trainer.network.load_state_dict(trained.state_dict())
    trainer.history = runner.rows


def _arguments(spec: TrainSpec, device: torch.device, settings: dict[str, Any], folder: Path) -> Any:
    """Our optimiser settings as the package's; names it does not override are those of transformers."""
    from gliner.training import TrainingArguments

    optim = spec.optim
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=optim.steps,
        per_device_train_batch_size=1,  # an item of the data set is a whole batch
        train_sampling_strategy="sequential",
        learning_rate=optim.lr_encoder,
        others_lr=optim.lr_others,
        weight_decay=optim.weight_decay,
        others_weight_decay=optim.weight_decay,
        lr_scheduler_type="cosine",
        warmup_steps=int(optim.steps * optim.warmup_ratio),
        max_grad_norm=optim.grad_clip or 0.0,  # 0 = no clipping
        seed=spec.seed,
        use_cpu=device.type == "cpu",
        bf16=precision_for(optim, device) == "bf16",
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        **settings,
    )
