"""Results of a study made up from a generator: prepared data, a mixture, prediction files and their score files."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.reporting.cells import score_path
from benchmarks.scoring.asking import ask
from benchmarks.scoring.cell import score_cell
from benchmarks.scoring.predictions import Candidates, write_predictions
from benchmarks.scoring.protocol import with_decoding
from gliner_core.examples import Example, Span, write_jsonl

ROOT = Path(__file__).resolve().parents[2]
WORDS = ("Ada", "went", "to", "the", "old", "Mill", "NASA", "with", "iPod", "12", ".", "river", "in", "May", "rain")
OTHER_TYPE = "spelt otherwise"  # gold that no label asks for, and never a type of the training data
RESAMPLES = 100


def made_space(tmp_path: Path, study: str, seeds: tuple[int, ...] = (1, 2), is_nested: bool = True) -> Workspace:
    """A workspace at scale demo in which all that an analysis of the study may read is there."""
    config = {
        "scale": "demo", "studies": [study], "seeds": list(seeds), "device": "cpu", "results": str(tmp_path),
        "resamples": RESAMPLES,
    }  # fmt: skip
    space = open_workspace(ROOT, config)
    draw = np.random.default_rng(5)
    suite = space.grid.study_rows(study)[0].suite
    gold = {name: _write_data(space, name, suite, draw, is_nested) for name in space.registry.suite_datasets(suite)}
    _write_mixture(space, [example for examples in gold.values() for example in examples], draw)
    for row in space.grid.study_rows(study):
        for name, examples in gold.items():
            _write_cell(space, row, name, examples, suite, np.random.default_rng([row.seed or 0, len(name)]))
    return space


def sentence(draw: np.random.Generator, name: str, types: tuple[str, ...], is_nested: bool) -> Example:
    """A sentence of 4 to 11 words with up to 5 spans of up to 3 words."""
    words = tuple(draw.choice(WORDS, draw.integers(4, 12)).tolist())
    spans: set[Span] = set()
    for _ in range(draw.integers(0, 6)):
        start = int(draw.integers(0, len(words)))
        end = min(start + int(draw.integers(0, 3)), len(words) - 1)
        if is_nested or all(end < span.start or span.end < start for span in spans):
            spans.add(Span(start, end, str(draw.choice(types))))
    return Example(id=name, words=words, spans=tuple(sorted(spans)))


def _write_data(space: Workspace, name: str, suite: str, draw: np.random.Generator, is_nested: bool) -> list[Example]:
    types = (*space.registry.datasets[name].labels, OTHER_TYPE)
    examples = [sentence(draw, f"{name}-{number}", types, is_nested) for number in range(40)]
    path = space.test_file(name, suite)
    write_jsonl(path, examples)
    lost = [[examples[3].id, types[0], 0, 1]]
    path.with_name("card.json").write_text(json.dumps({"splits": {path.stem: {"unresolved_gold": lost}}}))
    return examples


def _write_mixture(space: Workspace, test: list[Example], draw: np.random.Generator) -> None:
    """Two parts whose types are half those of the test data, and five test sentences, one of them in a longer row."""
    types = tuple(sorted({span.type for example in test for span in example.spans} - {OTHER_TYPE}))[::2]
    rows = [sentence(draw, f"part{number % 2}/train/{number}", ("Novel", *types), False) for number in range(60)]
    copied = [Example(id=f"part0/train/copy{number}", words=test[7 * number].words) for number in range(4)]
    held = Example(id="part1/train/held", words=("so", *test[5].words, "then"))
    folder = space.mixture(next(iter(space.grid.runs.values())).spec.data.name)
    write_jsonl(folder / "train.jsonl", [*rows, *copied, held])


def _write_cell(
    space: Workspace, row: object, name: str, examples: list[Example], suite: str, draw: np.random.Generator
) -> None:
    card = space.registry.datasets[name]
    cell = space.grid.cell_of(row, card)
    decoding = space.grid.decodings[cell.decoding]
    labels = ask(decoding, card)
    path = space.home / cell.folder / "predictions.jsonl"
    if not path.exists():
        header = {"dataset": name, "labels": list(labels), "floor": 0.05, "decoding": asdict(decoding)}
        write_predictions(path, header, [_candidates(example, labels, draw) for example in examples])
    protocol = with_decoding(space.registry.protocols[row.protocol], asdict(decoding))
    out = space.home / score_path(cell.folder, row.protocol)
    score_cell(path, space.test_file(name, suite), card, protocol, 8, out, RESAMPLES)


def _candidates(example: Example, labels: tuple[str, ...], draw: np.random.Generator) -> Candidates:
    """Most gold spans that are asked for, and some spans of chance; scores on both sides of the threshold."""
    chosen = {(span.start, span.end, labels.index(span.type)) for span in example.spans if span.type in labels}
    chosen = {span for span in sorted(chosen) if draw.random() < 0.7}
    for _ in range(draw.integers(0, 4)):
        start = int(draw.integers(0, len(example.words)))
        chosen.add((start, min(start + 1, len(example.words) - 1), int(draw.integers(0, len(labels)))))
    rows = np.array(sorted(chosen), dtype=np.int64).reshape(-1, 3)
    return Candidates(
        id=example.id, num_words=len(example.words), lost_words=0, start=rows[:, 0], end=rows[:, 1], label=rows[:, 2],
        score=draw.uniform(0.3, 0.95, len(rows)).astype(np.float32),
    )  # fmt: skip
