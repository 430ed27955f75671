"""Gathers from the files of a finished scale what the scorecard shows, and writes the page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.analyses.pages import page_of
from benchmarks.catalog.analyses import ANALYSES
from benchmarks.catalog.registry import read_yaml
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.efficiency import FIGURE, efficiency_tables, read_cases
from benchmarks.reporting.inputs import published_of, read_cells_with_costs, read_verdicts
from benchmarks.reporting.paired import read_differences
from benchmarks.reporting.scorecard import build_scorecard
from benchmarks.reporting.scorecard_facts import (
    AnalysisFact,
    LeakageFact,
    MeasurementFact,
    Provenance,
    RunFact,
    ScorecardFacts,
    StudySection,
    TruncationFact,
)
from benchmarks.reporting.tracking import experiment_name
from gliner_core.files import read_json


def publish(space: Workspace, md: Path, html: Path) -> None:
    """Writes scorecard.md and scorecard.html of the scale."""
    studies = [_section(space, name) for name in space.grid.studies]
    facts = ScorecardFacts(
        scale=space.settings.scale,
        is_synthetic=space.scale.synthetic,
        protocols=tuple(space.registry.protocols[name] for name in sorted({row.protocol for row in space.grid.rows})),
        leakage=tuple(_leakage(space)),
        truncation=tuple(_truncation(space)),
        provenance=_provenance(space),
        runs=tuple(_runs(space)),
        deviations=tuple(read_yaml(space.root / "benchmarks" / "deviations.yaml")),
        measurements=tuple(_measurement(space, name) for name in space.measurements),
    )
    build_scorecard(space.home, studies, facts, md, html)


def _section(space: Workspace, study: str) -> StudySection:
    folder, card = space.study(study), space.registry.studies[study]
    verdicts = read_verdicts(folder / "verdicts.csv")
    return StudySection(
        card=card,
        cells=read_cells_with_costs(folder / "cells.csv", folder / "costs.csv"),
        published=published_of(card),
        verdicts=verdicts,
        dataset_titles=space.dataset_titles(),
        figure_svg=folder / "figure.svg",
        analyses=tuple(_analysis(space, study, name) for name in card.analyses),
        differences=read_differences(folder / "differences.csv"),
    )


def _analysis(space: Workspace, study: str, name: str) -> AnalysisFact:
    page = page_of(space, study, name)
    figure = (space.study(study) / name / "figure.svg").absolute()
    title = ANALYSES[name].title
    return AnalysisFact(name=name, title=title, findings=page.findings, tables=page.tables, figure_svg=figure)


def _measurement(space: Workspace, name: str) -> MeasurementFact:
    folder, card = space.study(name), space.registry.measurements[name]
    tables = efficiency_tables(read_cases(folder), card)
    figure = (folder / f"{FIGURE}.svg").absolute()
    return MeasurementFact(name=name, title=card.title, notes=card.notes, tables=tables, figure_svg=figure)


def _leakage(space: Workspace) -> Iterator[LeakageFact]:
    for suite in sorted({row.suite for row in space.grid.rows}):
        for name, overlap in read_json(space.home / "leakage" / f"{suite}.json")["datasets"].items():
            yield LeakageFact(
                dataset=space.registry.datasets[name].title,
                num_sentences=overlap["sentences"],
                num_shared_sentences=overlap["exact_sentences"],
                num_types=overlap["types_asked"],
                num_shared_types=overlap["types_seen"],
            )


def _truncation(space: Workspace) -> Iterator[TruncationFact]:
    for cell in space.grid.cells:
        receipt = read_json(space.home / cell.folder / "receipt.json")
        yield TruncationFact(
            system=cell.owner,
            dataset=space.registry.datasets[cell.dataset].title,
            num_words=receipt["words"],
            num_words_lost=receipt["lost_words"],
            num_sentences_cut=receipt["sentences_cut"],
        )


def _runs(space: Workspace) -> Iterator[RunFact]:
    for run in space.grid.runs.values():
        folder = space.run(run.id)
        report = read_json(folder / "training.json")
        labels = dict.fromkeys(row.label for row in space.grid.owner_rows(run.id))
        yield RunFact(
            run=run.id,
            label="; ".join(labels) or "not evaluated; others start from it",
            seed=run.spec.seed,
            params_digest=run.id.rsplit("-", 1)[-1],
            mlflow_run=_tracked(space, run.id) if labels else "-",
            seconds_train=report["seconds"] or None,
            path=f"runs/{run.id}/receipt.json",
        )


def _tracked(space: Workspace, run: str) -> str:
    return read_json(space.tracking_folder / space.settings.scale / f"{run}.json")["mlflow_run"]


def _provenance(space: Workspace) -> Provenance:
    receipts: list[dict[str, Any]] = [read_json(space.run(run) / "receipt.json") for run in space.grid.runs]
    return Provenance(
        commit=", ".join(sorted({receipt["commit"] for receipt in receipts})),
        is_dirty=any(receipt["dirty"] for receipt in receipts),
        versions=receipts[0]["versions"],
        hardware=", ".join(sorted({receipt["hardware"] for receipt in receipts})),
        mlflow_experiment=experiment_name(space.settings.scale),
        # Pages travel: the default store is named from the project's folder, not from this machine's root.
        tracking_uri=space.tracking_uri.replace(f"{Path.cwd()}/", ""),
        seeds=tuple(sorted({run.spec.seed for run in space.grid.runs.values()})),
    )
