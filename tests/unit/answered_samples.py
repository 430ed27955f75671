"""A study whose cells are answered and scored without a model: gold and candidates are drawn here."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from catalog_support import change_card, write_card, write_repository

from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.reporting.cells import score_path
from benchmarks.scoring.asking import ask, wording_for
from benchmarks.scoring.cell import score_cell
from benchmarks.scoring.predictions import Candidates, write_predictions
from benchmarks.scoring.protocol import with_decoding
from gliner_core.examples import Example, Span, read_jsonl, write_jsonl
from gliner_core.files import read_json, write_json
from gliner_core.seeding import derive_seed

STUDY = "robust"
SENTENCES = 30
WORDING = {"person": "human being"}
DECODINGS = {
    "order_reversed": {"label_order": "reversed"},
    "case_lower": {"label_case": "lower"},
    "wording_other": {"label_wording": "other"},
    "window_5": {"max_words": 5},
}


def robust_space(folder: Path, decodings: dict[str, dict[str, Any]] = DECODINGS, **config: Any) -> Workspace:
    """A repository of tiny cards with the study `robust`; nothing is answered yet."""
    root = write_repository(folder)
    change_card(root, "benchmarks/datasets/alpha.yaml", labels=["person", "Town", "else"])
    write_card(
        root, "benchmarks/wordings/other.yaml", {"name": "other", "title": "Other", "licence": "MIT", "texts": WORDING}
    )
    study = {"name": STUDY, "title": "Robust", "question": "?", "claim": "!", "suite": "ood", "decodings": decodings}
    study |= {"baseline_variant": "baseline", "layout": "axes", "figure": "bars", "scales": ["tiny"]}
    write_card(root, f"benchmarks/studies/{STUDY}.yaml", study)
    given = {"scale": "tiny", "studies": [STUDY], "device": "cpu", "results": str(folder / "results"), "resamples": 200}
    return open_workspace(root, given | config)


def answer_and_score(space: Workspace, shift: float = 0.0) -> None:
    """Writes gold, and predictions, receipts and scores of every cell; `shift` moves all scores away from the truth."""
    for name in ("alpha", "beta"):
        gold = _gold(space.registry.datasets[name].labels, name)
        path = space.data(name) / "test.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_jsonl(path, gold)
        write_json(path.with_name("card.json"), {"splits": {"test": {"unresolved_gold": []}}})
    for cell, protocols in space.grid.cells.items():
        _answer(space, cell, shift)
        for protocol in protocols:
            folder, path = space.home / cell.folder, space.data(cell.dataset) / "test.jsonl"
            asked = with_decoding(space.registry.protocols[protocol], asdict(space.grid.decodings[cell.decoding]))
            out, card = space.home / score_path(cell.folder, protocol), space.registry.datasets[cell.dataset]
            score_cell(folder / "predictions.jsonl", path, card, asked, 12, out, 100)


def _gold(labels: tuple[str, ...], name: str) -> list[Example]:
    draw = np.random.default_rng(derive_seed(0, name))
    examples = []
    for number in range(SENTENCES):
        places = sorted(draw.choice(9, int(draw.integers(0, 4)), replace=False).tolist())
        spans = tuple(Span(place, place, str(draw.choice(labels))) for place in places)
        examples.append(Example(id=f"{name}-{number}", words=tuple("abcdefghi"), spans=spans))
    return examples


def _answer(space: Workspace, cell: Any, shift: float) -> None:
    """Every single word under every label, scored high where gold holds it, with noise of the cell's own."""
    card, decoding = space.registry.datasets[cell.dataset], space.grid.decodings[cell.decoding]
    wording = wording_for(card, WORDING) if decoding.label_wording == "other" else {}
    labels = ask(decoding, card, wording)
    ours = [card.labels[[text.lower() for text in _texts(card, wording)].index(label.lower())] for label in labels]
    draw = np.random.default_rng(derive_seed(1, cell.owner, cell.dataset, ",".join(labels)))
    sentences, lost = [], 0
    for example in read_jsonl(space.data(cell.dataset) / "test.jsonl"):
        seen = len(example.words[: decoding.max_words])
        lost += len(example.words) - seen
        start, label = (values.ravel() for values in np.indices((seen, len(labels))))
        truth = np.array([(place, ours[kind]) in _found(example) for place, kind in zip(start, label, strict=True)])
        score = np.clip(draw.normal(0.75 * truth + 0.1 + shift, 0.15), 0, 0.999).astype(np.float32)
        kept = score > 0.05
        columns = {"start": start[kept], "end": start[kept], "label": label[kept], "score": score[kept]}
        sentences.append(Candidates(id=example.id, num_words=9, lost_words=len(example.words) - seen, **columns))
    folder = space.home / cell.folder
    header = {"dataset": card.name, "labels": list(labels), "floor": 0.05, "decoding": asdict(decoding)}
    write_predictions(folder / "predictions.jsonl", header | ({"wording": wording} if wording else {}), sentences)
    receipt = {"labels": list(labels), "words": 9 * SENTENCES, "lost_words": lost, "max_width": 12}
    write_json(folder / "receipt.json", receipt | {"sentences_cut": SENTENCES if lost else 0})


def _texts(card: Any, wording: dict[str, str]) -> list[str]:
    return [wording.get(label, label) for label in card.labels]


def _found(example: Example) -> set[tuple[int, str]]:
    return {(span.start, span.type) for span in example.spans}


def score_of(space: Workspace, variant: str, seed: int, dataset: str) -> dict[str, Any]:
    """The score file behind one cell of the study."""
    row = next(row for row in space.grid.study_rows(STUDY) if (row.variant, row.seed) == (variant, seed))
    cell = space.grid.cell_of(row, space.registry.datasets[dataset])
    return json.loads(json.dumps(read_json(space.home / score_path(cell.folder, row.protocol))))
