"""Which prepared folder holds a printed figure of a dataset (the paper's Table 6), and under which key.

`card.json` counts sentences, words and spans of every split that its card has sources for. Cards of training files
stand apart from those of test files, so one printed row may be answered by two folders.
"""

from collections.abc import Mapping

from benchmarks.catalog.cards import DatasetCard
from benchmarks.catalog.printed import AUTHOR_FILES
from benchmarks.catalog.registry import Registry
from benchmarks.catalog.workspace import Workspace

SPLITS = {"num_train": "train", "num_dev": "dev", "num_test": "test"}
RATIOS = {"mean_tokens": "words", "mean_entities": "spans"}
FACTS = (*SPLITS, "num_types", *RATIOS)
TRAINING_FILES = "_train"  # anatem_train holds the training file beside anatem


def prepared_datasets(space: Workspace) -> set[str]:
    """Datasets that the workflow of this plan prepares: test sets, parts of its mixtures, and what those keep out."""
    registry = space.registry
    suites = {row.suite for row in space.grid.rows}
    found: set[str] = set()
    for name in {run.spec.data.name for run in space.grid.runs.values()} | {space.baseline_mixture}:
        card = registry.mixtures[name]
        found |= {part.dataset for part in card.parts} | ({card.dev.dataset} if card.dev else set())
        suites |= set(card.disjoint_from)
    return found | {name for suite in suites for name in registry.suite_datasets(suite)}


def fact_place(space: Workspace, prepared: set[str], dataset: str, metric: str) -> dict[str, str]:
    """`kind`, `path`, `key` and `note` of one printed figure; kind `missing` says in the note why there is none."""
    split = SPLITS.get(metric, "test")
    holders = [card for card in _cards(space.registry, dataset) if split in card.sources]
    here = [card for card in holders if card.name in prepared]
    if not here:
        why = "scale {0} does not prepare it" if holders else f"no card has sources for its {split} split"
        return {"kind": "missing", "note": why.format(space.scale.name)}
    return {"kind": "facts", "path": f"data/{here[0].name}/card.json", **_key(here[0], split, metric)}


def _cards(registry: Registry, dataset: str) -> list[DatasetCard]:
    """The paper's own files first, then the set, then its training files."""
    names = (AUTHOR_FILES + dataset, dataset, dataset + TRAINING_FILES)
    return [registry.datasets[name] for name in names if name in registry.datasets]


def _key(card: DatasetCard, split: str, metric: str) -> Mapping[str, str]:
    place = f"splits.{split}"
    if metric in SPLITS:
        return {"key": f"{place}.sentences", "note": ""}
    if metric == "num_types":
        return {"key": "labels", "note": "their number" + (f" without `{card.else_label}`" if card.else_label else "")}
    note = "of the test split; the paper does not say of which"
    return {"key": f"{place}.{RATIOS[metric]} / {place}.sentences", "note": note}
