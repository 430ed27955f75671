"""The points of a study whose cost is measured, and the texts and batches that they are measured on.

What a seed trains changes no cost, so each variant is timed with the model of its first seed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.catalog.cards import StudyCard
from benchmarks.catalog.grid import Row
from benchmarks.catalog.variants import baseline_of
from benchmarks.catalog.workspace import Workspace
from benchmarks.efficiency.serving import Asked, Served
from benchmarks.scoring.asking import ask
from gliner_core.examples import Example, read_jsonl
from gliner_core.seeding import generator
from gliner_core.spec import TrainSpec

TEXTS = {True: 24, False: 48}  # of one pass, on synthetic and on real corpora
PASSES_FOR_MEMORY = 8
NUM_BATCHES = 25  # of a training, drawn from the mixture: more than the passes that are made


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One variant: its rows (one per seed) and what is timed of it."""

    variant: str
    label: str
    rows: tuple[Row, ...]
    spec: TrainSpec
    served: Served
    max_width: int

    @property
    def trained_width(self) -> int:
        """K of the training."""
        return self.spec.model.max_width


def study_points(space: Workspace, study: str) -> list[Point]:
    """Variants of a study under its first protocol, in the order of the card; systems are left out."""
    rows = [row for row in space.grid.study_rows(study) if row.seed is not None]
    protocol = rows[0].protocol
    names = list(dict.fromkeys(row.variant for row in rows))
    return [_point(space, [row for row in rows if (row.variant, row.protocol) == (name, protocol)]) for name in names]


def _point(space: Workspace, rows: list[Row]) -> Point:
    rows = sorted(rows, key=lambda row: row.seed or 0)
    spec, asked = space.grid.runs[rows[0].owner].spec, space.grid.decodings[rows[0].decoding].max_width
    return Point(
        variant=rows[0].variant,
        label=rows[0].label,
        rows=tuple(rows),
        spec=spec,
        served=Served(name=rows[0].variant, folder=_model(space, rows[0]), max_width=asked),
        max_width=asked or spec.model.max_width,
    )


def _model(space: Workspace, row: Row) -> Path:
    return space.run(row.owner) / "model"


def baseline_point(points: list[Point], card: StudyCard) -> Point:
    """The point that all others are held against."""
    name = baseline_of(card, [point.variant for point in points])
    return next(point for point in points if point.variant == name)


def texts_by_pass(space: Workspace, study: str) -> Callable[[int], list[Asked]]:
    """Pass -> texts of the study's test sets, as many of each, new in every pass until a test set is used up."""
    row = space.grid.study_rows(study)[0]
    decoding, names = space.grid.decodings[row.decoding], space.registry.suite_datasets(row.suite)
    each = max(1, round(TEXTS[space.scale.synthetic] / len(names)))
    pools = []
    for name in names:
        labels = ask(decoding, space.registry.datasets[name])
        texts = [Asked(words=item.words, labels=labels) for item in read_jsonl(space.test_file(name, row.suite))]
        texts = [text for text in texts if text.words]
        generator(0, "cost-texts", name).shuffle(texts)
        pools.append(texts)

    def draw(number: int) -> list[Asked]:
        first = number * each
        return [pool[place % len(pool)] for pool in pools for place in range(first, first + each)]

    return draw


def many_texts(space: Workspace, study: str) -> list[Asked]:
    """Texts of several passes, out of which the longest are chosen where memory is measured."""
    draw = texts_by_pass(space, study)
    return [text for number in range(PASSES_FOR_MEMORY) for text in draw(number)]


def training_sample(space: Workspace, spec: TrainSpec) -> list[Example]:
    """Examples for some batches of a run, drawn from its mixture."""
    examples = read_jsonl(space.mixture(spec.data.name) / "train.jsonl")
    wanted = min(len(examples), NUM_BATCHES * spec.optim.batch_size)
    return generator(0, "cost-batches", spec.data.name).sample(examples, wanted)
