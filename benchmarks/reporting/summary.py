"""Reads `cells.csv` and averages its rows over seeds, keeping sentence and seed uncertainty apart.

Every table, figure and sentence of the scorecard takes its numbers from `CellIndex`, so they cannot disagree.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.variants import BASELINE, baseline_of
from gliner_core.errors import InputError

AVERAGE = "average"
# fmt: off
TEXT_COLUMNS = (
    "scale", "study", "variant", "label", "run", "seed", "system", "backbone", "suite", "dataset", "language", "script",
    "protocol", "decoding", "metric", "path",
)
# fmt: on
KEY = ["variant", "system", "protocol", "decoding", "dataset", "metric"]  # of an estimate; its rows are seeds
NUMBER_COLUMNS = ("value", "low", "high", "num_sentences")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One number of a table: the mean over seeds, with its two uncertainties in separate fields.

    `low` and `high` bound the 95 % interval over test sentences (the mean of the seeds' bounds);
    `seeds` holds the value of every seed. `paths` are the score files, one per seed.
    """

    value: float
    low: float | None
    high: float | None
    seeds: tuple[float, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowKey:
    """What one table row is about: a variant or a system, under a protocol and a decoding."""

    variant: str
    label: str
    system: str
    protocol: str
    decoding: str
    is_baseline: bool


def read_cells(path: str | Path) -> pd.DataFrame:
    """Reads a tidy `cells.csv`; text stays text and empty fields stay empty."""
    try:
        frame = pd.read_csv(path, dtype={name: str for name in TEXT_COLUMNS}, keep_default_na=False, na_values=[""])
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run the workflow up to `collect`") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{path}: not a CSV table ({error}); delete it and run `collect` again") from None
    return tidy(frame, str(path))


def tidy(cells: pd.DataFrame, origin: str) -> pd.DataFrame:
    """A copy with all contract columns, text as `str` without NaN, and numbers as float."""
    missing = [name for name in TEXT_COLUMNS + NUMBER_COLUMNS if name not in cells.columns]
    if missing:
        raise InputError(f"{origin}: column `{missing[0]}` is missing; write the cells with `collect`")
    if cells.empty:
        raise InputError(f"{origin}: no rows; train and score at least one run of the study")
    frame = cells.reset_index(drop=True).copy()
    for name in TEXT_COLUMNS:
        frame[name] = _texts(frame[name])
    for name in NUMBER_COLUMNS:
        frame[name] = pd.to_numeric(frame[name]).astype(float)
    _refuse_doubles(frame, origin)
    return frame


def _texts(column: pd.Series) -> pd.Series:
    """A column as text; its values repeat, so each is looked at once."""
    if isinstance(column.dtype, pd.StringDtype):
        return column.fillna("")
    codes, values = pd.factorize(column, use_na_sentinel=False)
    return pd.Series([_text(value) for value in values], dtype="str").take(codes).set_axis(column.index)


def _text(value: Any) -> str:
    if pd.isna(value):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _refuse_doubles(frame: pd.DataFrame, origin: str) -> None:
    key = ["variant", "system", "run", "seed", "suite", "dataset", "protocol", "decoding", "metric"]
    doubles = frame[frame.duplicated(key)]
    if len(doubles):
        row = doubles.iloc[0]
        raise InputError(
            f"{origin}: row {doubles.index[0] + 2} repeats {row.variant or row.system}, {row.dataset or 'run level'}, "
            f"{row.metric}; delete the file and run `collect` again"
        )


def axis_points(card: StudyCard, variants: Collection[str], scale: str) -> dict[str, float]:
    """Variant -> position on the study's single numeric axis; empty when the axis is not numeric.

    A variant named `baseline` does not tell its value, so it gets the one listed value that no other variant has.
    """
    axes = {**card.axes, **card.decoding_axes}
    if len(axes) != 1:
        return {}
    points: dict[str, float] = {}
    for variant in variants:
        value = _number(variant.rpartition("=")[2])
        if value is not None:
            points[variant] = value
        elif variant != BASELINE:
            return {}
    listed = next(iter(axes.values()))
    listed = listed.get(scale, ()) if isinstance(listed, Mapping) else listed
    left = [value for value in map(_number, listed) if value is not None and value not in points.values()]
    if len(left) == 1 and BASELINE in variants:
        points[BASELINE] = left[0]
    return points


def _number(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


class CellIndex:
    """The cells of one study, looked up by row, dataset and metric; `rows` are in reading order."""

    def __init__(self, cells: pd.DataFrame, card: StudyCard) -> None:
        frame = tidy(cells, f"cells of study {card.name}")
        self.card = card
        self.frame = frame
        self._seeds, self._runs = frame["seed"].to_numpy(object), frame["run"].to_numpy(object)
        self._paths, self._numbers = frame["path"].to_numpy(object), frame[["value", "low", "high"]].to_numpy()
        self._places = frame.groupby(KEY, sort=False).indices  # key -> row numbers
        scored = frame[frame["protocol"] != ""]
        suites = sorted(set(scored["suite"]))
        if len(suites) != 1:
            raise InputError(f"cells of study {card.name}: `suite` holds {suites}; collect exactly one suite per study")
        self.scale = frame["scale"].iloc[0]
        self.suite = suites[0]
        ours = list(dict.fromkeys(scored.loc[scored["system"] == "", "variant"]))
        self.baseline_variant = baseline_of(card, ours)
        self.points = axis_points(card, ours, self.scale)
        self.rows = self._order(scored)
        seen = [(row.variant, row.system, row.protocol) for row in self.rows]
        self._several_decodings = len(set(seen)) < len(seen)
        self.protocols = self._in_order(card.protocols, scored["protocol"])
        self.datasets = tuple(name for name in dict.fromkeys(scored["dataset"]) if name not in ("", AVERAGE))

    def get(self, row: RowKey, dataset: str, metric: str) -> Estimate | None:
        """The estimate of one cell, or None where nothing was measured; `dataset` "" reads run-level costs."""
        for protocol, decoding in ((row.protocol, row.decoding), ("", row.decoding), ("", "")):
            found = self._places.get((row.variant, row.system, protocol, decoding, dataset, metric))
            if found is not None:
                return self._estimate(
                    sorted(found, key=lambda place: (self._seeds[place].zfill(12), self._runs[place]))
                )
        return None

    def score(self, row: RowKey, dataset: str = AVERAGE) -> Estimate | None:
        """Short for the F1 of a row."""
        return self.get(row, dataset, "f1_pct")

    def has_several_decodings(self) -> bool:
        """Whether a protocol and variant occur under more than one decoding."""
        return self._several_decodings

    def _estimate(self, places: Sequence[int]) -> Estimate:
        """The mean of the seeds in these rows."""
        values, lows, highs = self._numbers[places].T.tolist()
        complete = not any(isnan(bound) for bound in (*lows, *highs))
        return Estimate(
            value=sum(values) / len(values),
            low=sum(lows) / len(lows) if complete else None,
            high=sum(highs) / len(highs) if complete else None,
            seeds=tuple(values),
            paths=tuple(self._paths[places]),
        )

    @staticmethod
    def _in_order(first: Sequence[str], values: Iterable[str]) -> tuple[str, ...]:
        present = list(dict.fromkeys(values))
        return tuple([name for name in first if name in present] + [name for name in present if name not in first])

    def _order(self, scored: pd.DataFrame) -> tuple[RowKey, ...]:
        columns = ["variant", "label", "system", "protocol", "decoding"]
        found = [RowKey(**self._named(*values)) for values in scored[columns].drop_duplicates().itertuples(index=False)]
        protocols = self._in_order(self.card.protocols, scored["protocol"])
        systems = self._in_order(self.card.systems, scored["system"])

        def place(row: RowKey) -> tuple[Any, ...]:
            point = 0.0 if row.system else self.points.get(row.variant, 0.0)
            return (
                protocols.index(row.protocol),
                bool(row.system),
                not row.is_baseline,
                systems.index(row.system),
                point,
            )

        return tuple(sorted(found, key=place))

    def _named(self, variant: str, label: str, system: str, protocol: str, decoding: str) -> dict[str, Any]:
        """The fields of a row; the baseline says that it is one."""
        is_baseline = not system and variant == self.baseline_variant
        label = label or variant or system
        label = label if system else label[:1].upper() + label[1:]
        if is_baseline and BASELINE not in label.lower():
            label += " (baseline)"
        names = {"variant": variant, "label": label, "system": system, "protocol": protocol, "decoding": decoding}
        return names | {"is_baseline": is_baseline}
