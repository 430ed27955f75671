"""The sides of a study's comparisons: what each variant and system answered, seed by seed, on the same sentences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.catalog.cards import DatasetCard
from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.reporting.cells import score_path
from benchmarks.reporting.summary import AVERAGE
from benchmarks.scoring.scores import read_score
from benchmarks.scoring.shared_resamples import resampled_rates
from gliner_core.errors import InputError
from gliner_core.seeding import derive_seed

BYTES_AT_ONCE = 128 * 2**20  # of sides that are resampled together: their counts and what is drawn of them

Counts = Mapping[str, np.ndarray]  # dataset -> [R, S, 3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A variant or system under a protocol: its rows, one per seed, and the counts [R, S, 3] of each dataset.

    `resampled` holds, per dataset, the mean of the seeds' F1 in every resample [B] of its sentences.
    """

    rows: tuple[Row, ...]
    counts: Counts
    resampled: Mapping[str, np.ndarray]

    @property
    def is_system(self) -> bool:
        return self.rows[0].seed is None

    def chosen(self, dataset: str) -> list[np.ndarray]:
        """The counts of one dataset, or of all of them for the average."""
        return list(self.counts.values()) if dataset == AVERAGE else [self.counts[dataset]]


def read_sides(space: Workspace, groups: Sequence[tuple[Row, ...]], base: Side | None = None) -> Iterator[Side]:
    """The sides of some groups of rows, in order; many are resampled at once, and few are held.

    Raises `InputError` where one answered another number of sentences than `base`, or than its own first seed.
    """
    waiting: list[tuple[tuple[Row, ...], Counts]] = []
    num_bytes, resamples = 0, space.settings.resamples
    for group in groups:
        names = space.registry.suite_datasets(group[0].suite)
        sizes = {name: base.counts[name].shape[1] for name in names} if base else {}
        counts = {name: _counts(space, group, space.registry.datasets[name], sizes.get(name)) for name in names}
        waiting.append((group, counts))
        num_bytes += sum(part.nbytes for part in counts.values()) + 8 * resamples * (len(names) + 4 * len(group))
        if group is groups[-1] or num_bytes >= BYTES_AT_ONCE:
            yield from resampled_sides(waiting, resamples)
            waiting, num_bytes = [], 0


def resampled_sides(answered: Sequence[tuple[tuple[Row, ...], Counts]], resamples: int) -> Iterator[Side]:
    """Sides from the rows and counts of each, all of one suite."""
    drawn = resampled_f1(answered[0][0][0].suite, [counts for _, counts in answered], resamples)
    for (rows, counts), resampled in zip(answered, drawn, strict=True):
        yield Side(rows=rows, counts=counts, resampled=resampled)


def resampled_f1(suite: str, sides: Sequence[Counts], resamples: int) -> list[dict[str, np.ndarray]]:
    """Per side, dataset -> mean of its seeds' F1 in every resample [B] of the sentences. All have the same datasets.

    All sides see the same resamples, so a pair has the same interval wherever it is shown.
    """
    found: list[dict[str, np.ndarray]] = [{} for _ in sides]
    for name in sides[0]:
        seed = derive_seed(0, "paired", suite, name)
        rates = resampled_rates(np.concatenate([counts[name] for counts in sides]), seed, resamples)[0]  # [B, all R]
        start = 0
        for counts, mine in zip(sides, found, strict=True):
            end = start + len(counts[name])
            mine[name] = np.ascontiguousarray(rates[:, start:end]).mean(axis=1)
            start = end
    return found


def resampled_difference(
    first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray], dataset: str = AVERAGE
) -> np.ndarray:
    """First minus second side in every resample [B], on one dataset or as the mean over all of them."""
    names = list(first) if dataset == AVERAGE else [dataset]
    return np.mean([first[name] - second[name] for name in names], axis=0)


def _counts(space: Workspace, rows: Sequence[Row], card: DatasetCard, size: int | None) -> np.ndarray:
    """Counts [R, S, 3] of a dataset; S must be `size`, or that of the first row where nothing is given."""
    found = []
    for row in rows:
        path = space.home / score_path(space.grid.cell_of(row, card).folder, row.protocol)
        sentences = read_score(path)["sentences"]
        size = size or len(sentences)
        if len(sentences) != size:
            raise InputError(
                f"{path}: scores {len(sentences)} sentences of {card.name} where the study's baseline has {size}; "
                f"delete the folder {path.parent} and run the workflow again"
            )
        found.append(sentences)
    return np.stack(found)
