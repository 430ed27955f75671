"""A study card -> its variants: the points of its axes and its named overrides, each with a unique name."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.decoding import check_changes
from benchmarks.catalog.recipes import BACKBONE_KEY, MIXTURE_KEY, START_KEY
from gliner_core.errors import InputError

BASELINE = "baseline"
MOST_VARIANTS = 10_000  # of one study; a few axes more and their product fits no memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One point of a study, without seed."""

    name: str
    label: str
    overrides: Mapping[str, Any]
    decoding: Mapping[str, Any]


def variants(study: StudyCard, scale: str) -> list[Variant]:
    """The points of a study: the product of its axes, then what it names one by one; without axes, the baseline."""
    axes = {key: _axis_values(study, key, values, scale) for key, values in study.axes.items()}
    sizes = [len(values) for values in [*axes.values(), *study.decoding_axes.values()]]
    if prod(sizes) > MOST_VARIANTS:
        raise InputError(
            f"benchmarks/studies/{study.name}.yaml: `axes` and `decoding_axes` make more than {MOST_VARIANTS} "
            "variants; remove values or ask them in several studies"
        )
    points = [_point(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    decodings = [
        dict(zip(study.decoding_axes, values, strict=True))
        for values in itertools.product(*study.decoding_axes.values())
    ]
    found = [_variant(point, decoding) for point in points for decoding in decodings]
    named = [
        Variant(name=name, label=name.replace("_", " "), overrides=overrides, decoding={})
        for name, overrides in study.variants.items()
    ]
    named += _named_decodings(study, scale)
    for variant in found + named:
        check_changes(f"benchmarks/studies/{study.name}.yaml", variant.decoding)
    points_by_name = [variant.name for variant in found + named]
    if repeated := [name for index, name in enumerate(points_by_name) if name in points_by_name[:index]]:
        raise InputError(f"benchmarks/studies/{study.name}.yaml: two variants are named {repeated[0]!r}; remove one")
    return found + named


def study_overrides(study: StudyCard, scale: str) -> dict[str, Any]:
    """What a study sets on all its variants; a mapping scale -> value sets the knob at the scales that it names."""
    return _at_scale(study.overrides, scale)


def _named_decodings(study: StudyCard, scale: str) -> list[Variant]:
    """The baseline's runs, asked in another way; one that sets nothing at this scale is left out."""
    points = {name: _at_scale(changes, scale) for name, changes in study.decodings.items()}
    return [
        Variant(name=name, label=name.replace("_", " "), overrides={}, decoding=changes)
        for name, changes in points.items()
        if changes
    ]


def _at_scale(values: Mapping[str, Any], scale: str) -> dict[str, Any]:
    return {
        key: value[scale] if isinstance(value, Mapping) else value
        for key, value in values.items()
        if not isinstance(value, Mapping) or scale in value
    }


def _point(knobs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """One point of the axes; a backbone or mixture `null` is the scale's own, so that a configuration can set it."""
    return {key: value for key, value in knobs if value is not None or key not in (BACKBONE_KEY, MIXTURE_KEY)}


def _axis_values(study: StudyCard, key: str, values: Any, scale: str) -> list[Any]:
    if isinstance(values, Mapping):
        if scale not in values:
            raise InputError(f"benchmarks/studies/{study.name}.yaml: axis `{key}` has no values for scale {scale!r}")
        values = values[scale]
    if not isinstance(values, list) or not values:
        raise InputError(f"benchmarks/studies/{study.name}.yaml: axis `{key}` needs a list of values")
    return values


def _variant(point: Mapping[str, Any], decoding: Mapping[str, Any]) -> Variant:
    knobs = [*point.items(), *decoding.items()]
    short = [key.rsplit(".", 1)[-1] for key, _ in knobs]
    # K in training and K at inference share their last name: then both keep the whole key.
    parts = {key if short.count(name) > 1 else name: value for (key, value), name in zip(knobs, short, strict=True)}
    name = "+".join(f"{key}={plain(value)}" for key, value in parts.items()) or BASELINE
    label = ", ".join(_label(key, value) for key, value in parts.items()) or BASELINE
    return Variant(name=name, label=label, overrides=point, decoding=decoding)


def _label(key: str, value: Any) -> str:
    if key == START_KEY:
        return f"from the {value or BACKBONE_KEY}"
    return f"{key.replace('_', ' ')} {plain(value)}"


def plain(value: Any) -> str:
    """A knob's value in names and labels."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def baseline_of(study: StudyCard, names: Sequence[str]) -> str:
    """Which of a study's trained variants, named in card order, all others and the systems are held against.

    The card's `baseline_variant`, else the scale's baseline, else the first: overrides may move all points from that.
    """
    return study.baseline_variant or (BASELINE if BASELINE in names else names[0])


def as_baseline(variant: Variant) -> Variant:
    """The point of a study that is the baseline itself carries that name in every study."""
    label = variant.label if variant.label == BASELINE else f"{variant.label} ({BASELINE})"
    return replace(variant, name=BASELINE, label=label)
