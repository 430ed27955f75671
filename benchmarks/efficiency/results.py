"""The tidy rows of the suite: one case, one pair of sides (or one side), one measure."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from benchmarks.catalog.measurement import Shape, Work
from benchmarks.efficiency.serving import Latencies, percentiles
from benchmarks.efficiency.timing import Pass, Summary, ratios, summarise
from gliner_core.files import atomic_write

OK, VOID = "ok", "void"
DIGITS = 6  # significant, in the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`pair` is `a/b` (a over b) or one side; a void row has no figures but a reason."""

    work: Work
    case: str
    batch: int
    types: int
    text: str
    max_width: int
    pair: str
    measure: str
    median: float | None = None
    p10: float | None = None
    p90: float | None = None
    count: int = 0
    status: str = OK
    reason: str = ""


def row(work: Work, shape: Shape, pair: str, measure: str, values: Sequence[float]) -> Row:
    """The row of some values."""
    found: Summary = summarise(values)
    figures = {"median": found.median, "p10": found.p10, "p90": found.p90, "count": found.count}
    return Row(pair=pair, measure=measure, **_place(work, shape), **figures)


def void(work: Work, shape: Shape, pair: str, measure: str, reason: str) -> Row:
    """A row whose sides do not compute the same: nothing was timed."""
    return Row(pair=pair, measure=measure, status=VOID, reason=reason, **_place(work, shape))


def _place(work: Work, shape: Shape) -> dict[str, object]:
    facts = {"batch": shape.batch, "types": shape.types, "text": shape.text, "max_width": shape.max_width}
    return {"work": work, "case": shape.slug, **facts}


def timed_rows(work: Work, shape: Shape, passes: Sequence[Pass], pairs: Iterable[str]) -> list[Row]:
    """Ratios of the pairs and seconds of the sides, each on both clocks."""
    rows = []
    for clock in ("wall", "cpu"):
        for pair in pairs:
            above, below = pair.split("/")
            rows.append(row(work, shape, pair, f"ratio_{clock}", ratios(passes, above, below, clock)))
        for side in sorted(passes[0]):
            seconds = [getattr(item[side], clock) for item in passes]
            rows.append(row(work, shape, side, f"seconds_{clock}", seconds))
    metered = any(reading.joules is not None for reading in passes[0].values())
    return [*rows, *_energy_rows(work, shape, passes)] if metered else rows


def _energy_rows(work: Work, shape: Shape, passes: Sequence[Pass]) -> list[Row]:
    return [
        row(work, shape, side, "joules", [item[side].joules or 0.0 for item in passes]) for side in sorted(passes[0])
    ]


def latency_rows(work: Work, shape: Shape, passes: Sequence[Latencies], pairs: Iterable[str]) -> list[Row]:
    """p50 and p95 of one text alone: ratios of the pairs within each pass, and seconds of the sides."""
    rows = []
    for percent in (50, 95):
        found = percentiles(passes, percent)
        for pair in pairs:
            above, below = (found[side] for side in pair.split("/"))
            quotients = [one / other for one, other in zip(above, below, strict=True)]
            rows.append(row(work, shape, pair, f"ratio_p{percent}", quotients))
        rows += [row(work, shape, side, f"seconds_p{percent}", found[side]) for side in sorted(found)]
    return rows


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Writes the tidy CSV, atomically."""
    names = [item.name for item in fields(Row)]
    with atomic_write(path) as stream:
        writer = csv.DictWriter(stream, names, lineterminator="\n")
        writer.writeheader()
        for item in rows:
            values = {name: _text(value) for name, value in asdict(item).items()}
            writer.writerow(values)


def _text(value: object) -> object:
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else value
