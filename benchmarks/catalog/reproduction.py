"""Which cell reproduces which printed number: published CSV + plan -> one line per number, none left out.

A number of the paper's own models is answered by the study whose card refers to its row, under the protocol that it was
printed under; an average only by a suite of the same datasets. Dataset statistics are answered by the facts of the
prepared dataset. Numbers that the paper quotes from other systems cannot come out of a training of GLiNER; they are
listed as quoted, with their source. What nothing here will hold is `missing`, with the reason.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.catalog.cards import Reference
from benchmarks.catalog.grid import Row
from benchmarks.catalog.prepared import FACTS, fact_place, prepared_datasets
from benchmarks.catalog.printed import (
    AUTHOR_FILES,
    AVERAGE,
    COUNTS,
    GAIN,
    asked_protocol,
    averaged_datasets,
    protocol_of,
    protocols_by_dataset,
)
from benchmarks.catalog.workspace import Workspace
from gliner_core.files import read_text

Kind = Literal["cell", "facts", "quoted", "missing"]
CELL, MISSING = "cell", "missing"
UNSTATED = "unstated"
OWN_MODELS = "GLiNER"  # how the paper names all of its own rows and columns
Place = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """One printed number and where its counterpart is written.

    `path` is relative to the results folder, `key` says where in the file.
    """

    table: str
    row: str
    column: str
    dataset: str
    metric: str
    published: str
    kind: Kind
    study: str = ""
    variant: str = ""
    protocol: str = ""
    path: str = ""
    key: str = ""
    note: str = ""


def reproductions(space: Workspace, file: str) -> list[Reproduction]:
    """Every row of a published file, in its order; `file` is a card name such as `gliner_2311.08526`."""
    text = read_text(space.root / "benchmarks" / "published" / f"{file}.csv")
    rows, prepared = list(csv.DictReader(text.splitlines())), prepared_datasets(space)
    found = []
    for row in rows:
        shared = {name: row[name] for name in ("table", "row", "column", "dataset", "metric")}
        place = (
            fact_place(space, prepared, row["dataset"], row["metric"])
            if row["metric"] in FACTS
            else _answer(space, file, row, rows) or _quoted(row)
        )
        given = place or {"kind": MISSING, "note": "no study of this plan has a variant for it"}
        found.append(Reproduction(**shared, published=row["value"], **given))
    return found


def _answer(
    space: Workspace, file: str, printed: Mapping[str, str], every: Sequence[Mapping[str, str]]
) -> Place | None:
    """The first study that holds the counterpart, else why the first that refers to the number does not."""
    missing = None
    for study in space.grid.studies:
        for reference in space.registry.studies[study].references:
            rows = [row for row in space.grid.study_rows(study) if row.variant == reference.variant]
            if reference.file == file and rows and _is_meant(reference, printed):
                place = _place(space, rows, printed, every)
                if place["kind"] == CELL:
                    return place
                missing = missing or place
    return missing


def _is_meant(reference: Reference, printed: Mapping[str, str]) -> bool:
    named = reference.row in (printed["row"], printed["column"])
    return reference.table == printed["table"] and reference.variant is not None and named


def _place(
    space: Workspace, rows: Sequence[Row], printed: Mapping[str, str], every: Sequence[Mapping[str, str]]
) -> Place:
    """Where the counterpart is written: of one dataset by the first seed, of an average over all seeds."""
    row = rows[0]
    folder = f"{space.scale.name}/studies/{row.study}"
    shared = {"kind": CELL, "study": row.study, "variant": row.variant}
    if printed["metric"] in COUNTS:
        return shared | {"path": f"{folder}/cells.csv", "key": f"metric {printed['metric']}"}
    if printed["metric"] == GAIN:
        return shared | _gain(space, row.study, folder)
    scored = {row.protocol: row for row in reversed(rows)}
    wanted = set(protocols_by_dataset(every, printed).values()) or {protocol_of(printed)} - {UNSTATED}
    if unscored := sorted(wanted - set(scored)):
        return {"kind": MISSING, "note": f"printed under {unscored[0]}, which study {row.study} does not score"}
    chosen = scored[min(wanted)] if len(wanted) == 1 else row
    note = "" if wanted else "printed without a protocol, so without a verdict; "
    if printed["dataset"] == AVERAGE:
        return shared | _average(space, chosen, printed, every, folder, note)
    return shared | _single(space, chosen, printed["dataset"], note)


def _average(
    space: Workspace,
    row: Row,
    printed: Mapping[str, str],
    every: Sequence[Mapping[str, str]],
    folder: str,
    note: str,
) -> Place:
    names = frozenset(name.removeprefix(AUTHOR_FILES) for name in space.registry.suite_datasets(row.suite))
    if names not in averaged_datasets(every, printed):
        return {"kind": MISSING, "note": f"suite {row.suite} averages other datasets"}
    if protocols_by_dataset(every, printed):
        note += "mean over the suite and the seeds, each dataset under the protocol of its printed row"
        place = {"path": f"{folder}/verdicts.csv", "key": "column ours"}
        return place | {"protocol": asked_protocol(every, printed), "note": note}
    place = {"path": f"{folder}/table.csv", "key": "column Average or its metric", "protocol": row.protocol}
    return place | {"note": note + "mean over the suite and the seeds"}


def _single(space: Workspace, row: Row, dataset: str, note: str) -> Place:
    names = {name.removeprefix(AUTHOR_FILES): name for name in space.registry.suite_datasets(row.suite)}
    if dataset not in names:
        return {"kind": MISSING, "note": f"suite {row.suite} does not hold the dataset"}
    folder = space.grid.cell_of(row, space.registry.datasets[names[dataset]]).folder
    number = space.registry.suites[row.suite].max_sentences
    note += "first seed" + (f", on a sample of at most {number} sentences" if number else "")
    path = f"{space.scale.name}/{folder}/scores.{row.protocol}.json"
    return {"path": path, "key": "f1_pct", "protocol": row.protocol, "note": note}


def _gain(space: Workspace, study: str, folder: str) -> Place:
    """A gain is a difference of two variants: in the curves of an analysis, else in the study's differences."""
    if "scaling" in space.registry.studies[study].analyses:
        return {"path": f"{folder}/scaling/rows.csv", "key": "topic gap", "note": "with minus without, by size"}
    note = "the other variant minus the baseline: its sign is turned"
    return {"path": f"{folder}/differences.csv", "key": "difference_points of the average", "note": note}


def _quoted(printed: Mapping[str, str]) -> Place | None:
    model = printed["row"] if printed["table"] == "Table 1" else printed["column"]
    if model.startswith(OWN_MODELS) or printed["table"] not in ("Table 1", "Table 2", "Table 3", "Table 4"):
        return None
    return {"kind": "quoted", "note": f"{model} is no GLiNER; the paper quotes it ({printed['protocol']})"}
