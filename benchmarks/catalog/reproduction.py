"""Which cell reproduces which printed number: published CSV + plan -> one line per number, none left out.

A number of the paper's own models is answered by the study whose card refers to its row, under the protocol that it was
printed under. Dataset statistics are answered by the facts of the prepared dataset. Numbers that the paper quotes from
other systems cannot come out of a training of GLiNER; they are listed as quoted, with their source.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from benchmarks.catalog.cards import Reference
from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from gliner_core.files import read_text

Kind = Literal["cell", "facts", "quoted", "missing"]
AVERAGE = "average"
AUTHOR_FILES = "author_"
FACTS = ("num_train", "num_dev", "num_test", "num_types", "mean_tokens", "mean_entities")
OWN_MODELS = "GLiNER"  # how the paper names all of its own rows and columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """One printed number and where its counterpart is written; `path` is relative to the results folder."""

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
    note: str = ""


def reproductions(space: Workspace, file: str) -> list[Reproduction]:
    """Every row of a published file, in its order; `file` is a card name such as `gliner_2311.08526`."""
    text = read_text(space.root / "benchmarks" / "published" / f"{file}.csv")
    return [_reproduction(space, file, row) for row in csv.DictReader(text.splitlines())]


def _reproduction(space: Workspace, file: str, printed: Mapping[str, str]) -> Reproduction:
    shared = {name: printed[name] for name in ("table", "row", "column", "dataset", "metric")}
    found = _facts(space, printed) or _answer(space, file, printed) or _quoted(printed)
    given = found or {"kind": "missing", "note": "no study refers to it; add a reference to a study card"}
    return Reproduction(**shared, published=printed["value"], **given)


def _facts(space: Workspace, printed: Mapping[str, str]) -> dict[str, str] | None:
    if printed["metric"] not in FACTS:
        return None
    card = _card_name(space, printed["dataset"])
    note = "" if card else "no dataset card has this name"
    kind = "facts" if card else "missing"
    return {"kind": kind, "path": f"data/{card}/card.json" if card else "", "note": note}


def _answer(space: Workspace, file: str, printed: Mapping[str, str]) -> dict[str, str] | None:
    for study in space.grid.studies:
        for reference in space.registry.studies[study].references:
            if reference.file == file and _is_meant(reference, printed):
                rows = [row for row in space.grid.study_rows(study) if row.variant == reference.variant]
                place = next(_places(space, rows, printed), None)
                if place:
                    return place
    return None


def _is_meant(reference: Reference, printed: Mapping[str, str]) -> bool:
    named = reference.row in (printed["row"], printed["column"])
    return reference.table == printed["table"] and reference.variant is not None and named


def _places(space: Workspace, rows: list[Row], printed: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Where the first seed's counterpart is written, under the printed protocol if the study has it."""
    wanted = printed["protocol"].split(";")[0].strip()
    for row in sorted(rows, key=lambda row: row.protocol != wanted):
        names = {name.removeprefix(AUTHOR_FILES): name for name in space.registry.suite_datasets(row.suite)}
        shared = {"kind": "cell", "study": row.study, "variant": row.variant, "protocol": row.protocol}
        study = f"{space.scale.name}/studies/{row.study}/table.csv"
        if printed["metric"] == "parameters":
            yield shared | {"path": f"{space.scale.name}/runs/{row.owner}/training.json"}
        elif printed["dataset"] == AVERAGE:
            yield shared | {"path": study, "note": "mean over the suite and the seeds"}
        elif printed["dataset"] in names:
            folder = space.grid.cell_of(row, space.registry.datasets[names[printed["dataset"]]]).folder
            yield shared | {"path": f"{space.scale.name}/{folder}/scores.{row.protocol}.json", "note": "first seed"}


def _quoted(printed: Mapping[str, str]) -> dict[str, str] | None:
    model = printed["row"] if printed["table"] == "Table 1" else printed["column"]
    if model.startswith(OWN_MODELS) or printed["table"] not in ("Table 1", "Table 2", "Table 3", "Table 4"):
        return None
    return {"kind": "quoted", "note": f"{model} is no GLiNER; the paper quotes it ({printed['protocol']})"}


def _card_name(space: Workspace, dataset: str) -> str | None:
    names = (dataset, AUTHOR_FILES + dataset)
    return next((name for name in names if name in space.registry.datasets), None)
