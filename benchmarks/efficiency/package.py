"""The published package's side: its collator, its model with its loss, its optimiser, its `inference`.

The training step is the one of `GLiNER.train_model` in version 0.2.29: loss arguments as `create_training_args` sets
them, AdamW as `optim="adamw_torch"` makes it, four groups of weights. That name is the package's own default and means
the kernel that is not fused, while transformers 5.16 alone would take the fused one; `fused=True` measures that too.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from benchmarks.efficiency.ours import Found, clear_gradients, lowered
from benchmarks.efficiency.texts import Load
from benchmarks.efficiency.timing import Job
from gliner_core.decode import Overlap
from gliner_core.errors import InputError
from gliner_core.spec import OptimSpec

LOSS = {"alpha": -1.0, "gamma": 0.0, "prob_margin": 0.0, "label_smoothing": 0.0, "reduction": "sum"}
LOSS |= {"negatives": 1.0, "masking": "none", "loss_type": "focal"}
ENCODER = "token_rep_layer"


def package_version() -> str:
    """Version of the installed package; `InputError` where there is none."""
    try:
        return metadata.version("gliner")
    except metadata.PackageNotFoundError:
        raise InputError(
            "the published package `gliner` is not installed; pip install 'gliner-bench[peers]' to measure beside it"
        ) from None


class Package:
    """`gliner` on the same checkpoint folder."""

    def __init__(self, folder: Path, optim: OptimSpec, device: torch.device, dtype: str, fused: bool = False) -> None:
        package_version()
        import gliner

        self.model = gliner.GLiNER.from_pretrained(str(folder), local_files_only=True, map_location=str(device))
        self.core: torch.nn.Module = self.model.model
        self.optimizer = _optimizer(self.core, optim, fused)
        self.clip, self.device, self.dtype = optim.grad_clip, device, dtype
        kind = self.model.data_collator_class
        self.collator = kind(self.model.config, data_processor=self.model.data_processor, prepare_labels=True)

    def collate(self, load: Load, asked: list[tuple[str, ...]]) -> Job:
        """Examples to the tensors of a training step; `asked` are the types of each."""
        rows = _rows(load, asked)
        return lambda: self.collator(rows)

    def training(self, load: Load, asked: list[tuple[str, ...]]) -> Job:
        """Examples to updated weights."""
        rows = _rows(load, asked)
        return lambda: self._step(rows)

    def _step(self, rows: list[dict[str, Any]]) -> None:
        self.core.train()
        with default_kernels():
            with lowered(self.device, self.dtype):
                loss = self._loss(self.collator(rows))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.core.parameters(), self.clip or float("inf"))
            self.optimizer.step()
            self.optimizer.zero_grad()

    def _loss(self, batch: dict[str, Any]) -> torch.Tensor:
        return self.core(**self._moved(batch), **LOSS).loss

    def _moved(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {key: value.to(self.device) if torch.is_tensor(value) else value for key, value in batch.items()}

    def gradients(self, load: Load, asked: list[tuple[str, ...]]) -> tuple[float, float]:
        """Loss and norm of all gradients with dropout off; leaves no gradient behind."""
        self.core.eval()
        loss = self._loss(self.collator(_rows(load, asked)))
        loss.backward()
        return loss.item(), clear_gradients(self.core)

    def inputs(self, load: Load) -> dict[str, Any]:
        """One inference batch of all texts with all types."""
        rows = self.model.prepare_base_input([list(example.words) for example in load.examples])
        return self.model.collate_batch(rows, list(load.types))

    def scores(self, load: Load) -> torch.Tensor:
        """Logits [B, L, K, C]; cells past the end of a text are meaningless."""
        self.core.eval()
        return self.model.run_batch(self.inputs(load))[0].float().cpu()

    def inference(self, load: Load, batch: int, threshold: float) -> Job:
        """Strings to entities."""
        texts, types = load.texts, list(load.types)

        def job() -> object:
            with default_kernels(), lowered(self.device, self.dtype):
                return self.model.inference(texts, types, threshold=threshold, batch_size=batch)

        return job

    def decoding(self, load: Load, threshold: float, overlap: Overlap, scores: torch.Tensor) -> Callable[[], Found]:
        """Given scores [B, L, K, C] of `load` to entities by the package's decoder; ranges are word indices."""
        batch = self.inputs(load)
        self.core.eval()
        output = self.model.run_batch(batch)
        output.logits = scores.to(self.device)  # the same numbers for both decoders, ties included

        def job() -> Found:
            decoded = self.model.decode_batch(output, batch, threshold=threshold, flat_ner=overlap == "flat")
            return [[(span.start, span.end, span.entity_type) for span in row] for row in decoded]

        return job


@contextmanager
def default_kernels() -> Iterator[None]:
    """The package never asks torch for deterministic kernels, which our trainer does for the whole process."""
    asked = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(asked, warn_only=True)


def _rows(load: Load, asked: list[tuple[str, ...]]) -> list[dict[str, Any]]:
    return [
        {
            "tokenized_text": list(example.words),
            "ner": [[span.start, span.end, span.type] for span in example.spans],
            "ner_labels": list(types),
        }
        for example, types in zip(load.examples, asked, strict=True)
    ]


def _optimizer(core: torch.nn.Module, optim: OptimSpec, fused: bool) -> torch.optim.AdamW:
    """Groups as the package's trainer makes them: encoder or not, decayed or not (biases and LayerNorms are not)."""
    norms = {
        f"{place}.{name}"
        for place, module in core.named_modules()
        if isinstance(module, torch.nn.LayerNorm)
        for name, _ in module.named_parameters(recurse=False)
    }
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, weight in core.named_parameters():
        key = (ENCODER in name, "bias" not in name and name not in norms)
        groups.setdefault(key, []).append(weight)
    return torch.optim.AdamW(
        [
            {
                "params": weights,
                "lr": optim.lr_encoder if encoder else optim.lr_others,
                "weight_decay": optim.weight_decay if decayed else 0.0,
            }
            for (encoder, decayed), weights in groups.items()
        ],
        fused=fused or None,
    )
