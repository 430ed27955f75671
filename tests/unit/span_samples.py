"""A study of four span representations on two small datasets: untrained models of two seeds and made-up scores."""

import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
from catalog_support import change_card, write_card, write_repository
from tiny_model import CITIES, PEOPLE, tiny_network

from benchmarks.catalog.workspace import Workspace, open_workspace
from benchmarks.reporting.cells import score_path
from gliner_core.examples import Example, Span, write_jsonl
from gliner_core.files import write_json
from gliner_core.pretrained import GLiNER
from gliner_core.seeding import generator

STUDY = "spans"
LABELS = ["person", "city", "river"]
BASELINE = "span_mode=marker_v0"


def sentence(name: str, number: int) -> Example:
    """A person, a city and, in every third, a river of two words; sometimes nothing."""
    draw = generator(0, name, number)
    person, city = draw.choice(PEOPLE), draw.choice(CITIES)
    if number % 5 == 4:
        return Example(id=f"{name}-{number}", words=("the", "team", "left", "."))
    words = (person, "visited", "the", "river", "in", city, "and", "left", ".")
    spans = [Span(0, 0, "person"), Span(5, 5, "city"), Span(2, 3, "river")][: 2 + (number % 3 == 1)]
    return Example(id=f"{name}-{number}", words=words, spans=tuple(spans))


def span_space(folder: Path) -> Workspace:
    """Cards and gold; nothing is trained or scored yet."""
    root = write_repository(folder)
    for name in ("alpha", "beta"):
        labels = LABELS if name == "alpha" else LABELS[:2]
        change_card(root, f"benchmarks/datasets/{name}.yaml", labels=labels, else_label=None)
    study = {
        "name": STUDY, "title": "Spans", "question": "?", "claim": "!", "suite": "ood", "layout": "axes",
        "axes": {"model.span_mode": ["marker_v0", "endpoints", "max_pool", "query"]}, "baseline_variant": BASELINE,
        "figure": "bars", "scales": ["tiny"], "analyses": ["score_distributions", "similarity_map"],
    }  # fmt: skip
    write_card(root, f"benchmarks/studies/{STUDY}.yaml", study)
    config = {"scale": "tiny", "studies": [STUDY], "seeds": [2, 1], "device": "cpu", "resamples": 200}
    space = open_workspace(root, config | {"results": str(folder / "results")})
    for name in ("alpha", "beta"):
        examples = [sentence(name, number) for number in range(70)]
        if name == "beta":
            examples = [Example(id=one.id, words=one.words, spans=one.spans[:2]) for one in examples]
        space.data(name).mkdir(parents=True)
        write_jsonl(space.data(name) / "test.jsonl", examples)
        write_json(space.data(name) / "card.json", {"splits": {"test": {"unresolved_gold": []}}})
    return space


def fill(space: Workspace, backbone: Path) -> None:
    """Writes the models, and a score file for every cell."""
    for place, row in enumerate(space.grid.study_rows(STUDY)):
        mode = row.variant.removeprefix("span_mode=")
        GLiNER(tiny_network(backbone, model_span_mode=mode)).save_pretrained(space.run(row.owner) / "model")
        for name in ("alpha", "beta"):
            cell = space.grid.cell_of(row, space.registry.datasets[name])
            path = space.home / score_path(cell.folder, row.protocol)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, {"f1_pct": 10.0 * place + (name == "beta")})


def read_back(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as a page reads them from a file."""
    return pd.read_csv(io.StringIO(rows.to_csv(index=False)), keep_default_na=False, na_values=[""])


def unnamed_baseline(space: Workspace) -> Workspace:
    """The study without its `baseline_variant`: no variant is called `baseline`, so the first takes its place."""
    card = space.registry.studies[STUDY].model_copy(update={"baseline_variant": None})
    return replace(space, registry=replace(space.registry, studies={**space.registry.studies, STUDY: card}))
