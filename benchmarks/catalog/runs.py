"""The training of one variant and seed, and before it the training whose weights it starts from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.catalog.recipes import BACKBONE_KEY, START_KEY, flatten, resolve
from benchmarks.catalog.registry import Registry
from benchmarks.catalog.settings import Settings
from benchmarks.catalog.variants import BASELINE, plain
from gliner_core.errors import InputError
from gliner_core.spec import SHARED_WITH_START, TrainSpec

SLUG = 60  # letters of a run's name for what it varies; its digest tells runs apart, the slug is for people


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training: variant x seed."""

    id: str
    spec: TrainSpec


def baseline_spec(registry: Registry, settings: Settings, *, device: str, seed: int) -> TrainSpec:
    """The scale's baseline with what the configuration sets on all runs."""
    if START_KEY in settings.overrides:
        raise InputError(
            f"`overrides` sets `{START_KEY}` on the baseline, which cannot start from itself; set it in a study"
        )
    scale = registry.scales[settings.scale]
    return resolve(registry, scale, settings.overrides, device=device, seed=seed, where="baseline")


def trainings(
    registry: Registry, settings: Settings, base: TrainSpec, overrides: Mapping[str, Any], *, device: str, where: str
) -> tuple[Run, ...]:
    """The run of one variant at the seed of `base`, the scale's baseline, last, after the run that it starts from.

    That one is the baseline of the same seed without the study's overrides, but for the backbone and the knobs that
    decide what weights there are: those are the variant's own, or its weights could not be read.
    """
    scale, chosen = registry.scales[settings.scale], {**settings.overrides, **overrides}
    seed = base.seed
    start = chosen.pop(START_KEY, None)
    if start not in (None, BASELINE):
        raise InputError(
            f"{where}: `{START_KEY}` is {start!r}; give null (the pretrained backbone) or {BASELINE} (the scale's "
            "baseline of the same seed)"
        )
    parents: tuple[Run, ...] = ()
    if start == BASELINE:
        shared = {key: chosen[key] for key in (BACKBONE_KEY, *SHARED_WITH_START) if key in chosen}
        parent = {**settings.overrides, **shared}
        parents = (_run(resolve(registry, scale, parent, device=device, seed=seed, where=where), base),)
    own = parents[0].id if parents else None
    return (*parents, _run(resolve(registry, scale, chosen, device=device, seed=seed, where=where, start=own), base))


def _run(spec: TrainSpec, base: TrainSpec) -> Run:
    return Run(id=spec.run_id(run_slug(spec, base)), spec=spec)


def run_slug(spec: TrainSpec, base: TrainSpec) -> str:
    """Readable name of a run: what differs from the scale's baseline, and the seed; independent of any study."""
    ours, theirs = flatten(spec.to_json()), flatten(base.to_json())
    named = {START_KEY}
    parts = []
    if ours["model.backbone.name"] != theirs["model.backbone.name"]:
        named |= {"optim.lr_encoder", "optim.lr_others"}  # follow from the backbone card
        parts.append(ours["model.backbone.name"])
    if ours["data.name"] != theirs["data.name"]:
        parts.append(ours["data.name"])
    if spec.start is not None:
        parts.append(f"{START_KEY}-{BASELINE}")
    for key, value in ours.items():
        derived = key in named or key.startswith(("model.backbone.", "data."))
        if not derived and value != theirs[key]:
            parts.append(f"{key.rsplit('.', 1)[-1]}-{plain(value)}")
    shown = [part for number, part in enumerate(parts) if len("_".join(parts[: number + 1])) <= SLUG]
    if len(shown) < len(parts):
        shown.append(f"and-{len(parts) - len(shown)}-more")
    slug = "_".join([*(shown or [BASELINE]), f"s{spec.seed}"])
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", slug).lstrip(
        ".-"
    )  # the name of a folder: a value holds what its card says
