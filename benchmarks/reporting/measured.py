"""Our side of one printed number: which cells answer for it, and their mean over seeds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.catalog.cards import Reference
from benchmarks.catalog.printed import (
    AVERAGE,
    COUNTS,
    GAIN,
    Printed,
    asked_protocol,
    averaged_datasets,
    mixed_name,
    protocols_by_dataset,
)

WAYS = ("variant", "system", "suite", "decoding", "protocol")  # of asking and scoring; two are never averaged
TRAINING = ["run", "system", "seed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Our side of one printed number: means over seeds, the protocol they were scored under, or why there is none."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    protocol: str = ""
    reason: str = ""


def measured(named: pd.DataFrame, printed: Printed, reference: Reference, rows: Sequence[Printed]) -> Measured:
    """The counterpart of one printed number among the tidy cells that `named_like` leaves.

    `rows` are all of its published file. The cells bear the paper's dataset names; values are in the metric's own unit.
    """
    if printed["metric"] == GAIN:
        return Measured(reason="a gain, not a score; differences.csv or the study's analysis holds ours")
    if named.empty:
        name = reference.variant or f"{printed['row']} or {printed['column']}"
        return Measured(reason=f"no variant or system here is named {name}")
    found = named[named["metric"] == printed["metric"]]
    what = printed["metric"] if printed["metric"] in COUNTS else f"{printed['metric']} of {printed['dataset']}"
    if printed["dataset"] == AVERAGE:
        lists = averaged_datasets(rows, printed)
        is_wanted = {suite: _datasets(named, suite) in lists for suite in set(found["suite"])}
        found = found[found["suite"].map(is_wanted).astype(bool)]
        what += " over the paper's datasets"
    if protocols := protocols_by_dataset(rows, printed):
        return _mixed_average(found, protocols, f"{what} was not measured here")
    return _plain(found[found["dataset"] == printed["dataset"]], asked_protocol(rows, printed), what)


def name_key(name: Any) -> str:
    """Letters and digits of a name in lower case, so that printed and card spellings meet."""
    return "" if pd.isna(name) else re.sub(r"[\W_]+", "", str(name).lower())


def named_like(ours: pd.DataFrame, printed: Printed, reference: Reference) -> pd.DataFrame:
    """The cells whose variant, label or system is named like a printed row or column, or as the reference says.

    `ours` carries the columns `variant_key`, `label_key` and `system_key` (see `name_key`).
    """
    if reference.variant is not None:
        return ours[(ours["variant"] == reference.variant) & (ours["system_key"] == "")]
    keys = [name_key(printed["row"]), name_key(printed["column"])]
    return ours[ours[["variant_key", "label_key", "system_key"]].isin(keys).any(axis=1)]


def _datasets(named: pd.DataFrame, suite: str) -> frozenset[str]:
    return frozenset(named.loc[named["suite"] == suite, "dataset"]) - {AVERAGE, ""}


def _plain(found: pd.DataFrame, protocol: str, what: str) -> Measured:
    if found.empty:
        return Measured(reason=f"{what} was not measured here")
    same = found[found["protocol"] == protocol]
    found = found if same.empty else same
    found = found.drop_duplicates(["run", "system", "seed", *WAYS])
    if ambiguity := _ambiguity(found, WAYS):
        return Measured(reason=ambiguity)
    return Measured(
        value=float(found["value"].mean()),
        low=_mean(found["low"]),
        high=_mean(found["high"]),
        protocol=found["protocol"].iloc[0],
    )


def _mixed_average(found: pd.DataFrame, protocols: Mapping[str, str], missing: str) -> Measured:
    """The mean over datasets, each under the protocol of its own printed row, and over seeds.

    The cells hold an interval per dataset and none of this mean; the datasets were resampled apart from each other, so
    the distances of their bounds add up in squares (MOVER: Zou and Donner 2008, Statistics in Medicine 27:1693). As
    everywhere, the bounds of several seeds are averaged.
    """
    found = found[found["protocol"] == found["dataset"].map(protocols)]
    found = found.drop_duplicates([*TRAINING, "dataset", *WAYS])
    if ambiguity := _ambiguity(found, tuple(name for name in WAYS if name != "protocol")):
        return Measured(reason=ambiguity)
    trainings = [rows for _, rows in found.groupby(TRAINING, dropna=False)]
    if not trainings or any(set(rows["dataset"]) != set(protocols) for rows in trainings):
        return Measured(reason=missing)
    values = [rows["value"].mean() for rows in trainings]
    steps = [(_combined(rows["value"] - rows["low"]), _combined(rows["high"] - rows["value"])) for rows in trainings]
    value = float(np.mean(values))
    below, above = (float(np.mean(side)) for side in zip(*steps, strict=True))
    return Measured(
        value=value,
        low=None if np.isnan(below) else value - below,
        high=None if np.isnan(above) else value + above,
        protocol=mixed_name(protocols),
    )


def _combined(distances: pd.Series) -> float:
    """Distance of a mean's bound from its value, from those of its independent members; NaN where one has none."""
    return float(np.sqrt(np.square(distances.astype(float)).sum(skipna=False)) / len(distances))


def _ambiguity(found: pd.DataFrame, ways: Sequence[str]) -> str:
    different = found[list(ways)].fillna("").drop_duplicates()
    if len(different) < 2:
        return ""
    which = [name for name in ways if different[name].nunique() > 1]
    return f"{len(different)} cells here answer for it; they differ in {', '.join(which)}"


def _mean(bounds: pd.Series) -> float | None:
    return None if bounds.isna().any() else float(bounds.mean())
