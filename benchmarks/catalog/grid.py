"""Study -> variants -> runs -> cells. Pure: cards and settings in, the whole plan out, no file is touched."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TypeVar

from benchmarks.catalog.cards import DatasetCard, StudyCard
from benchmarks.catalog.decoding import Decoding, decoding_for, effective, with_own_width
from benchmarks.catalog.registry import Registry
from benchmarks.catalog.runs import Run, baseline_spec, trainings
from benchmarks.catalog.settings import Settings
from benchmarks.catalog.variants import Variant, as_baseline, study_overrides, variants
from gliner_core.errors import InputError
from gliner_core.spec import TrainSpec

DEFAULT_SPLIT = "test"
VERDICT_SCALE = "paper"  # whose numbers are held against printed ones

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cell:
    """Owner (run id or system name) x dataset x decoding: one prediction file."""

    owner: str
    dataset: str
    decoding: str
    split: str = DEFAULT_SPLIT

    @property
    def folder(self) -> str:
        """Path below results/<scale>/."""
        place = self.dataset if self.split == DEFAULT_SPLIT else f"{self.dataset}.{self.split}"
        return f"cells/{self.owner}/{place}/{self.decoding}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a study's results: a variant at a seed (or a system) on one suite under one protocol."""

    study: str
    variant: str
    label: str
    owner: str
    seed: int | None
    suite: str
    protocol: str
    decoding: str
    split: str = DEFAULT_SPLIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Everything one invocation computes. A run without cells is trained only because another starts from it.

    Every job asks what belongs to its owner or study, so these are looked up and never searched.
    """

    scale: str
    device: str
    studies: tuple[str, ...]
    runs: Mapping[str, Run]
    systems: tuple[str, ...]
    decodings: Mapping[str, Decoding]
    rows: tuple[Row, ...]
    cells: Mapping[Cell, tuple[str, ...]]  # cell -> protocols scored on it
    batches: Mapping[tuple[str, str], tuple[Cell, ...]]  # (owner, suite) -> cells; a cell of two suites is in the first
    _by_study: Mapping[str, list[Row]] = field(init=False, repr=False, compare=False)
    _by_owner: Mapping[str, list[Row]] = field(init=False, repr=False, compare=False)
    _cells: Mapping[str, list[Cell]] = field(init=False, repr=False, compare=False)
    _suites: Mapping[str, list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, index in (
            ("_by_study", _grouped(self.rows, lambda row: row.study)),
            ("_by_owner", _grouped(self.rows, lambda row: row.owner)),
            ("_cells", _grouped(self.cells, lambda cell: cell.owner)),
            ("_suites", _suites_of(self.batches)),
        ):
            object.__setattr__(self, name, index)

    def owners(self) -> tuple[str, ...]:
        """Who answers cells: runs first, then systems."""
        return (*(run for run in self.runs if run in self._cells), *self.systems)

    def owner_cells(self, owner: str) -> list[tuple[Cell, tuple[str, ...]]]:
        """Cells of one run or system with their protocols."""
        return [(cell, self.cells[cell]) for cell in self._cells.get(owner, ())]

    def batch(self, owner: str, suite: str) -> tuple[Cell, ...]:
        """Cells that one prediction job answers."""
        return self.batches[owner, suite]

    def owner_suites(self, owner: str) -> list[str]:
        """Suites for which an owner has cells of its own to answer."""
        return list(self._suites.get(owner, ()))

    def cell_of(self, row: Row, card: DatasetCard) -> Cell:
        """The cell that a row reads for one dataset of its suite."""
        decoding = effective(self.decodings[row.decoding], card).slug
        return Cell(owner=row.owner, dataset=card.name, decoding=decoding, split=row.split)

    def study_rows(self, study: str) -> list[Row]:
        """Rows of one study in card order."""
        return list(self._by_study.get(study, ()))

    def owner_rows(self, owner: str) -> list[Row]:
        """Rows that one run or system answers for."""
        return list(self._by_owner.get(owner, ()))

    def tags(self, owner: str) -> dict[str, str]:
        """Studies and variants a run or system serves, for tracking."""
        mine = self.owner_rows(owner)
        return {
            "studies": ",".join(sorted({row.study for row in mine})),
            "variant": ",".join(sorted({row.variant for row in mine})),
        }


def _grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    found: dict[Key, list[Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def _suites_of(batches: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found = _grouped(batches, lambda batch: batch[0])
    return {owner: [suite for _, suite in mine] for owner, mine in found.items()}


def build_grid(registry: Registry, settings: Settings, device: str) -> Grid:
    """Expands the chosen studies of a scale. `device` (cpu or cuda) chooses the number of steps."""
    scale = registry.scales[settings.scale]
    studies = [name for name in settings.studies or scale.studies if name in registry.studies]
    runs: dict[str, Run] = {}
    rows: list[Row] = []
    decodings: dict[str, Decoding] = {}
    cells: dict[Cell, tuple[str, ...]] = {}
    batches: dict[tuple[str, str], tuple[Cell, ...]] = {}

    @cache
    def base_of(seed: int) -> TrainSpec:
        return baseline_spec(registry, settings, device=device, seed=seed)

    @cache
    def asked_of(suite: str, decoding: Decoding) -> dict[str, tuple[str, Decoding]]:
        names = registry.suite_datasets(suite)
        asked = {name: effective(decoding, registry.datasets[name]) for name in names}
        return {name: (found.slug, found) for name, found in asked.items()}

    for name in studies:
        found = list(_study_rows(registry, settings, name, device, base_of))
        _check_baseline(registry.studies[name], [row.variant for row, _, _ in found])
        for row, chain, decoding in found:
            runs |= {run.id: run for run in chain}
            row = replace(row, split=registry.suites[row.suite].part)
            rows.append(row)
            decodings[row.decoding] = decoding
            for dataset, (slug, asked) in asked_of(row.suite, decoding).items():
                decodings[slug] = asked
                cell = Cell(owner=row.owner, dataset=dataset, decoding=slug, split=row.split)
                if cell not in cells:
                    batches[row.owner, row.suite] = (*batches.get((row.owner, row.suite), ()), cell)
                cells[cell] = tuple(dict.fromkeys((*cells.get(cell, ()), row.protocol)))
    systems = tuple(dict.fromkeys(row.owner for row in rows if row.seed is None))
    return Grid(
        scale=scale.name,
        device=device,
        studies=tuple(studies),
        runs=runs,
        systems=systems,
        decodings=decodings,
        rows=tuple(rows),
        cells=cells,
        batches=batches,
    )


def _study_rows(
    registry: Registry, settings: Settings, name: str, device: str, base_of: Callable[[int], TrainSpec]
) -> Iterator[tuple[Row, tuple[Run, ...], Decoding]]:
    study, scale = registry.studies[name], registry.scales[settings.scale]
    role = study.suite if isinstance(study.suite, str) else study.suite.get(scale.name, "none")
    suite = scale.suites.get(role, role)  # a role that each scale fills, or one suite at every scale
    if suite not in registry.suites or scale.name not in study.scales:
        raise InputError(
            f"benchmarks/studies/{name}.yaml: the study does not run at scale {scale.name!r} (suite {role!r}, "
            f"scales {', '.join(study.scales)}); leave it out of `studies`, or correct its `suite` or `scales`"
        )
    if registry.suites[suite].max_sentences and scale.name == VERDICT_SCALE:
        raise InputError(
            f"benchmarks/suites/{suite}.yaml: `max_sentences` makes a sample, and scale {scale.name!r} holds its "
            f"numbers against printed ones; name a suite without it in workflow/scales/{scale.name}.yaml"
        )
    protocols = study.protocols or (registry.suites[suite].protocol,)
    for variant in variants(study, scale.name):
        where = f"benchmarks/studies/{name}.yaml (variant {variant.name})"
        for seed in settings.seeds or study.seeds.get(scale.name, scale.seeds):
            overrides = {**study_overrides(study, scale.name), **variant.overrides}
            chain = trainings(registry, settings, base_of(seed), overrides, device=device, where=where)
            for protocol in protocols:
                usual = decoding_for(registry.protocols[protocol], {})
                decoding = decoding_for(registry.protocols[protocol], variant.decoding)
                decoding = with_own_width(decoding, chain[-1].spec.model.max_width)
                is_usual = (chain[-1].spec, decoding) == (base_of(seed), usual)
                is_baseline = is_usual and variant.name != study.baseline_variant
                named = as_baseline(variant) if is_baseline else variant  # a point that the card names keeps its name
                yield _row(study, named, chain[-1].id, seed, suite, protocol, decoding), chain, decoding
    for system in study.systems:
        variant = Variant(name=system, label=registry.systems[system].title, overrides={}, decoding={})
        for protocol in protocols:
            decoding = decoding_for(registry.protocols[protocol], {})
            yield _row(study, variant, system, None, suite, protocol, decoding), (), decoding


def _check_baseline(study: StudyCard, names: Sequence[str]) -> None:
    if study.baseline_variant is not None and study.baseline_variant not in names:
        raise InputError(
            f"benchmarks/studies/{study.name}.yaml: `baseline_variant` names {study.baseline_variant!r}, which is no "
            f"variant of the study; use one of {', '.join(dict.fromkeys(names))}"
        )


def _row(
    study: StudyCard, variant: Variant, owner: str, seed: int | None, suite: str, protocol: str, decoding: Decoding
) -> Row:
    return Row(
        study=study.name,
        variant=variant.name,
        label=variant.label,
        owner=owner,
        seed=seed,
        suite=suite,
        protocol=protocol,
        decoding=decoding.slug,
    )
