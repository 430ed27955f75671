"""What the scorecard is told: one section per study, and the facts about protocol, data and provenance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from benchmarks.catalog.cards import ProtocolCard, StudyCard
from benchmarks.reporting.table_text import TextTable


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisFact:
    """What a study was asked beyond its table: sentences, tables and a figure."""

    name: str
    title: str
    findings: tuple[str, ...]
    tables: tuple[TextTable, ...]
    figure_svg: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySection:
    """One study: its card, its cells, what the paper printed, the verdicts, the figure and paired differences."""

    card: StudyCard
    cells: pd.DataFrame
    published: pd.DataFrame
    verdicts: pd.DataFrame
    dataset_titles: Mapping[str, str]
    figure_svg: Path
    differences: pd.DataFrame  # paired, from the study's baseline; no rows where there is nothing to compare
    analyses: tuple[AnalysisFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementFact:
    """What was timed rather than scored: the tables and the figure of one card."""

    name: str
    title: str
    notes: str
    tables: tuple[TextTable, ...]
    figure_svg: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakageFact:
    """How much of a test set the training data had seen: sentences shared, and types asked that were trained on."""

    dataset: str
    num_sentences: int
    num_shared_sentences: int
    num_types: int
    num_shared_types: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TruncationFact:
    """What a run or system never saw of a test set because a sentence was too long for its encoder."""

    system: str
    dataset: str
    num_words: int
    num_words_lost: int
    num_sentences_cut: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFact:
    """One training: its id, what it varies, and where its record lies (`path` relative to the results folder)."""

    run: str
    label: str
    seed: int
    params_digest: str
    mlflow_run: str
    seconds_train: float | None
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The code, packages and machine behind the numbers; `is_dirty` is None where git was not available."""

    commit: str
    is_dirty: bool | None
    versions: Mapping[str, str]
    hardware: str
    mlflow_experiment: str
    tracking_uri: str
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorecardFacts:
    """Everything on the page that is not a study."""

    scale: str
    is_synthetic: bool
    protocols: tuple[ProtocolCard, ...]
    leakage: tuple[LeakageFact, ...]
    truncation: tuple[TruncationFact, ...]
    provenance: Provenance
    runs: tuple[RunFact, ...]
    deviations: tuple[str, ...] = field(default=())
    measurements: tuple[MeasurementFact, ...] = field(default=())
