"""Gold and answers of a study's runs as a protocol counts them, read back from prepared data and prediction files.

The functions of `benchmarks/scoring` decide what counts, so sums over the items here equal the counts of score files.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.catalog.cards import DatasetCard, ProtocolCard
from benchmarks.catalog.grid import Row
from benchmarks.catalog.workspace import Workspace
from benchmarks.scoring.predictions import read_predictions
from benchmarks.scoring.protocol import Item, gold_spans, predicted_spans, unresolved_gold, with_decoding
from gliner_core.errors import InputError
from gliner_core.examples import Example, Span, read_jsonl
from gliner_core.files import read_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """The test sentences of one dataset; `items` are their gold spans and what no word span can equal, as scored."""

    card: DatasetCard
    examples: tuple[Example, ...]
    items: tuple[frozenset[Item], ...]

    @property
    def spans(self) -> list[frozenset[Span]]:
        """Gold without the entities that no word span can equal."""
        return [frozenset(item for item in items if isinstance(item, Span)) for items in self.items]


def trained_rows(space: Workspace, study: str, protocol: str) -> dict[str, list[Row]]:
    """Variant -> its rows under a protocol, one per seed in the order of the seeds; systems are left out."""
    found: dict[str, list[Row]] = {}
    for row in space.grid.study_rows(study):
        if row.seed is not None and row.protocol == protocol:
            found.setdefault(row.variant, []).append(row)
    return {variant: sorted(rows, key=lambda row: row.seed or 0) for variant, rows in found.items()}


def read_gold(space: Workspace, protocol: ProtocolCard, suite: str) -> list[Gold]:
    """Gold of every dataset of a suite, in its order; raises `InputError` for a protocol that compares strings."""
    if protocol.unit != "span":
        raise InputError(
            f"benchmarks/protocols/{protocol.name}.yaml: `unit` {protocol.unit} has no word positions to analyse; "
            f"name a protocol with `unit: span` first in the study"
        )
    return [_gold(space, protocol, dataset, suite) for dataset in space.registry.suite_datasets(suite)]


def _gold(space: Workspace, protocol: ProtocolCard, dataset: str, suite: str) -> Gold:
    card, path = space.registry.datasets[dataset], space.test_file(dataset, suite)
    examples = read_jsonl(path)
    listed = read_json(path.with_name("card.json"))["splits"][path.stem]["unresolved_gold"]
    spans = gold_spans(protocol, card, examples)
    lost = unresolved_gold(protocol, card, examples, listed)
    items = tuple(frozenset(found) | more for found, more in zip(spans, lost, strict=True))
    return Gold(card=card, examples=tuple(examples), items=items)


def read_answers(space: Workspace, row: Row, gold: Sequence[Gold]) -> list[list[frozenset[Span]]]:
    """What one run answers under its row's protocol: for every dataset the accepted spans of every sentence."""
    return [_answer(space, row, data) for data in gold]


def _answer(space: Workspace, row: Row, gold: Gold) -> list[frozenset[Span]]:
    cell = space.grid.cell_of(row, gold.card)
    path = space.home / cell.folder / "predictions.jsonl"
    asked = with_decoding(space.registry.protocols[row.protocol], asdict(space.grid.decodings[cell.decoding]))
    predictions = read_predictions(path)
    if [sentence.id for sentence in predictions.sentences] != [example.id for example in gold.examples]:
        raise InputError(f"{path}: its sentences are not those of {gold.card.name}; predict again")
    return [frozenset(spans) for spans in predicted_spans(asked, gold.card, predictions)]
