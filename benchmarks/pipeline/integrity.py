"""Files held against the digests that were written down when they were made: nothing that changed since is used."""

from pathlib import Path

from benchmarks.catalog.workspace import Workspace
from gliner_core.errors import InputError
from gliner_core.files import check_digest, read_json


def check_split(file: Path) -> None:
    """A prepared split (of a dataset, sample or mixture) against the card.json beside it."""
    card = read_json(file.with_name("card.json"))
    try:
        digest = card["splits"][file.stem]["sha256"] if "splits" in card else card[file.stem]["sha256"]
    except (KeyError, TypeError):
        raise InputError(f"{file.with_name('card.json')}: `sha256` of {file.stem} is missing; delete the folder "
                         f"{file.parent} and start again") from None  # fmt: skip
    check_digest(file, digest, f"delete the folder {file.parent} and start again to make it anew")


def check_weights(run: Path) -> None:
    """The weights of a trained run against its receipt."""
    receipt = run / "receipt.json"
    try:
        digest = read_json(receipt)["weights"]
    except (KeyError, TypeError):
        raise InputError(f"{receipt}: `weights` is missing; delete the folder {run} and train it again") from None
    check_digest(run / "model" / "model.safetensors", digest, f"delete the folder {run} and start again to train it")


def check_scores(space: Workspace, owner: str) -> None:
    """Every score file of a run or system against the manifests of `score`."""
    for suite in space.grid.owner_suites(owner):
        manifest = space.home / "cells" / owner / f"{suite}.scored.json"
        for name, digest in read_json(manifest).items():
            check_digest(space.home / name, digest, f"delete {manifest} and start again to score it anew")


def check_predictions(space: Workspace, owner: str) -> None:
    """Every prediction file of a run or system against the manifests of `predict`."""
    for suite in space.grid.owner_suites(owner):
        manifest = space.home / "cells" / owner / f"{suite}.predicted.json"
        for cell, digest in read_json(manifest).items():
            file = space.home / cell / "predictions.jsonl"
            check_digest(file, digest, f"delete {manifest} and start again to predict it anew")


def check_study(space: Workspace, study: str, *, predictions: bool = False) -> None:
    """Every score file that a study reads, and its prediction files where those are read too."""
    for owner in dict.fromkeys(row.owner for row in space.grid.study_rows(study)):
        check_scores(space, owner)
        if predictions:
            check_predictions(space, owner)
