"""What the Markdown pages show is true: cards parse, code runs, commands and links exist, every key is explained."""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from pages import PAGES, ROOT, anchors, blocks, card_blocks, commands, links, section, text_of
from torch import nn

from benchmarks.__main__ import build_parser, workspace_from
from benchmarks.catalog import cards, measurement, wording
from benchmarks.catalog.decoding import Decoding
from benchmarks.catalog.grid import build_grid
from benchmarks.catalog.registry import Registry, load_registry
from benchmarks.catalog.settings import Settings
from benchmarks.catalog.workspace import Workspace
from benchmarks.commands.plan import estimate_of
from benchmarks.corpora.formats import READERS, SHARED_OPTIONS
from benchmarks.corpora.prepare import prepare_dataset
from benchmarks.corpora.readers.rows import RawFile
from benchmarks.corpora.sources import fetch
from benchmarks.reporting.compare import load_published
from gliner_core import heads, loss
from gliner_core.examples import read_jsonl
from gliner_core.files import read_json
from gliner_core.spans import valid_cells
from gliner_core.spec import ObjectiveSpec

CARDS = card_blocks("README.md")
KINDS = {"backbones", "datasets", "suites", "protocols", "systems", "studies"}
MODELS = [
    model
    for model in (vars(cards) | vars(measurement) | vars(wording)).values()
    if isinstance(model, type) and issubclass(model, cards.BaseModel) and model is not cards.BaseModel
]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """All cards of the project with those of the README dropped in."""
    root = tmp_path_factory.mktemp("cards")
    for path in [*ROOT.glob("benchmarks/*.yaml"), *ROOT.glob("benchmarks/*/*.yaml"), *ROOT.glob("workflow/*/*.yaml")]:
        target = root / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    for card in CARDS:
        target = root / card.path
        assert not target.exists(), f"README.md: {card.path} is a card of the project; choose another name"
        target.write_text(card.text, encoding="utf-8")
    return load_registry(root)


def test_the_readme_shows_a_card_of_every_kind() -> None:
    assert {card.path.split("/")[1] for card in CARDS} == KINDS


def test_the_cards_of_the_readme_fit_the_project(registry: Registry) -> None:
    for card in CARDS:
        kind, name = card.path.split("/")[1], Path(card.path).stem
        assert name in getattr(registry, kind)


def test_the_study_of_the_readme_makes_runs_at_every_scale(registry: Registry) -> None:
    study = next(Path(card.path).stem for card in CARDS if "/studies/" in card.path)
    for scale in registry.scales:
        grid = build_grid(registry, Settings(scale=scale, studies=(study,), seeds=(1,)), "cpu")
        assert len(grid.runs) == 3


def test_the_backbone_of_the_readme_can_be_set_on_every_run(registry: Registry) -> None:
    backbone = next(Path(card.path).stem for card in CARDS if "/backbones/" in card.path)
    grid = build_grid(registry, Settings(studies=("main_table",), overrides={"backbone": backbone}), "cpu")
    assert {run.spec.model.backbone.name for run in grid.runs.values()} == {backbone}


def test_the_own_data_of_the_readme_is_found_and_prepared(registry: Registry, tmp_path: Path) -> None:
    (script,) = blocks("README.md", "bash")
    subprocess.run(["bash", "-euc", script], cwd=tmp_path, check=True, env=os.environ)
    card = registry.datasets["gigs"]
    sources = {split: list(items) for split, items in card.sources.items()}
    written = hashlib.sha256((tmp_path / "my-data" / "gigs.jsonl").read_bytes()).hexdigest()
    assert sources["test"][0].sha256 == written
    files = {
        split: [fetch(item, tmp_path / "cache", tmp_path / "my-data", offline=True) for item in items]
        for split, items in sources.items()
    }
    prepare_dataset(card, files, tmp_path / "out")
    examples = read_jsonl(tmp_path / "out" / "test.jsonl")
    assert sorted(span.type for example in examples for span in example.spans) == sorted(card.labels)
    assert read_json(tmp_path / "out" / "card.json")["splits"]["test"]["unresolved"] == 0


def test_the_published_number_of_the_readme_is_read(tmp_path: Path) -> None:
    (table,) = blocks("README.md", "csv")
    path = tmp_path / "example.csv"
    path.write_text(table, encoding="utf-8")
    frame = load_published(path)
    assert frame["value"].tolist() == [50.0]
    assert frame["protocol"][0].split(";")[0] in load_registry(ROOT).protocols


def python_block(start: str) -> str:
    return next(block for block in blocks("README.md", "python") if block.startswith(start))


def test_the_span_head_of_the_readme_scores_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "SPAN_HEADS", dict(heads.SPAN_HEADS))
    exec(python_block("class SharedMarker"), vars(heads) | {"SPAN_HEADS": heads.SPAN_HEADS})
    head: Any = heads.SPAN_HEADS["shared_marker"](8, 0.0, 4)
    assert isinstance(head, nn.Module)
    scores = head(torch.randn(2, 5, 8), torch.randn(2, 3, 8), torch.tensor([5, 5]), 4)
    assert scores.shape == (2, 5, 4, 3)


def test_the_objective_of_the_readme_counts_positives_and_negatives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "OBJECTIVES", dict(loss.OBJECTIVES))
    exec(python_block("def squared_hinge"), vars(loss) | {"OBJECTIVES": loss.OBJECTIVES, "torch": torch})
    scores = torch.zeros(1, 3, 2, 1)
    valid = valid_cells(torch.tensor([3]), torch.tensor([1]), 3, 2, 1)
    value = loss.OBJECTIVES["squared_hinge"](scores, torch.tensor([[0, 0, 0, 0]]), valid, ObjectiveSpec())
    assert value.item() == 4 + 2  # four negatives and one positive of weight 2, each at distance 1


def test_the_reader_of_the_readme_reads(tmp_path: Path) -> None:
    namespace: dict[str, Any] = {}
    exec(python_block('"""One sentence a line'), namespace)
    path = tmp_path / "x.txt"
    path.write_text("Ada|person wrote|_\n\nit|_\n", encoding="utf-8")
    rows = list(namespace["read_tagged"](RawFile(path=path, label="x"), {}))
    assert [row.words for row in rows] == [("Ada", "wrote"), ("it",)]
    assert [(span.start, span.end, span.type) for span in rows[0].spans] == [(0, 0, "person")]


@pytest.mark.parametrize("page", PAGES)
def test_python_blocks_compile(page: str) -> None:
    for block in blocks(page, "python"):
        compile(block, page, "exec")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_of_a_card_is_explained(model: type[cards.BaseModel]) -> None:
    place = {"SourceFile": "DatasetCard", "OwnCopy": "DatasetCard"}
    place |= {"MixturePart": "MixtureCard", "Reference": "StudyCard"}
    place |= dict.fromkeys(("Shape", "Change", "Size", "Target"), "MeasurementCard")
    text = section("benchmarks/README.md", place.get(model.__name__, model.__name__))
    own = set(model.model_fields) - (set(cards.Card.model_fields) if model is not cards.Card else set())
    assert model.__name__ in text
    assert sorted(key for key in own if f"`{key}`" not in text) == []


def test_every_key_of_the_configuration_is_explained() -> None:
    text = section("workflow/README.md", "config.yaml")
    assert sorted(key for key in Settings.model_fields if f"| `{key}` |" not in text) == []


def test_every_reader_is_named() -> None:
    text = section("benchmarks/README.md", "DatasetCard")
    names = {*READERS, *SHARED_OPTIONS, *(name for reader in READERS.values() for name in reader.options)}
    assert sorted(name for name in names if f"`{name}" not in text) == []


def test_every_decoding_axis_is_named() -> None:
    text = section("benchmarks/README.md", "StudyCard")
    assert [name for name in Decoding.__slots__ if f"`{name}`" not in text] == []


def test_no_key_is_explained_that_does_not_exist() -> None:
    known = {key for model in MODELS for key in model.model_fields}
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text_of("benchmarks/README.md"), flags=re.MULTILINE)
    named = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert named - known == set()


def test_the_readme_shows_commands() -> None:
    assert {command.split()[3] for command in commands("README.md", "python -m benchmarks ")} == {
        "list", "plan", "evaluate", "headline", "efficiency", "release", "ui",
    }  # fmt: skip
    assert commands("README.md", "snakemake") and commands("README.md", "make ")


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_the_package_exist(page: str) -> None:
    for command in commands(page, "python -m benchmarks "):
        assert build_parser().parse_args(shlex.split(command)[3:])


@pytest.mark.parametrize("page", PAGES)
def test_configurations_of_snakemake_commands_are_valid(page: str) -> None:
    for command in commands(page, "snakemake"):
        words = shlex.split(command)
        given = [word for word in words if re.match(r"[a-z_]+=", word) and word != "mirror=DIR"]
        space = workspace_from(given)
        assert space.grid.rows or space.measurements


def hours_of(space: Workspace) -> float:
    return sum(estimate_of(space, run).hours or 0 for run in space.grid.runs.values())


@pytest.mark.parametrize("scale", ["pilot", "paper"])
def test_the_sizes_of_a_scale_in_the_readme_are_those_of_its_card(registry: Registry, scale: str) -> None:
    settings = Settings(scale=scale)
    cuda, cpu = (
        Workspace(
            root=ROOT, registry=registry, settings=settings, device=name, grid=build_grid(registry, settings, name)
        )
        for name in ("cuda", "cpu")
    )
    trained = sum(run.spec.optim.steps > 0 for run in cuda.grid.runs.values())
    (row,) = (line for line in text_of("README.md").splitlines() if line.startswith(f"| `{scale}` | {trained} "))
    assert f"{cuda.scale.steps['gpu']:,} steps" in row
    counts = Counter(run.spec.optim.steps for run in cuda.grid.runs.values())
    assert f"{counts.pop(0)} more models stay untrained" in row
    for steps, number in counts.items():
        assert f" {number} of {steps:,}" in row
    assert f" {hours_of(cuda):.0f} GPU hours" in row
    if "cpu" in cuda.scale.hours_per_run:
        assert f"{cuda.scale.steps['cpu']:,} on a CPU" in row
        assert f" {hours_of(cpu):.0f} CPU hours" in row


def test_the_seeds_of_the_pilot_in_the_readme_are_those_of_its_plan(registry: Registry) -> None:
    grid = build_grid(registry, Settings(scale="pilot"), "cpu")
    named: dict[str, set[str]] = {}
    text = " ".join(section("README.md", "Scales").split("- `pilot`:")[1].split("- `paper`:")[0].split())
    for number in ("Three", "two"):
        part = re.search(rf"{number} (?:seeds )?in ((?:`\w+`(?:, | and )?)+)", text)
        assert part is not None
        named[number.lower()] = set(re.findall(r"`(\w+)`", part[1]))
    for study in grid.studies:
        seeds = len({row.seed for row in grid.study_rows(study)} - {None})
        assert (study in named["three"], study in named["two"]) == (seeds == 3, seeds == 2), study


def test_the_note_on_steps_in_trainer_parity_holds(registry: Registry) -> None:
    study, pilot = registry.studies["trainer_parity"], registry.scales["pilot"]
    steps = study.overrides["optim.steps"]["pilot"]
    assert f"{steps} steps instead of the pilot's {pilot.steps['cpu']:,} on a CPU" in study.notes


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", text_of(page))) | {line.split()[1] for line in commands(page, "make ")}
    assert named - targets == set()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for target in links(page):
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), f"{page}: {target}"
        assert not anchor or anchor in anchors(path), f"{page}: {target}"


def test_the_headline_block_is_there() -> None:
    assert re.search(r"^<!-- headline:begin -->\n.+\n<!-- headline:end -->$", text_of("README.md"), re.MULTILINE | re.S)


def test_every_protocol_is_described_in_the_readme() -> None:
    text = section("README.md", "Evaluation protocols")
    assert sorted(name for name in load_registry(ROOT).protocols if f"`{name}`" not in text) == []


def test_the_pages_are_plain_ascii() -> None:
    assert [page for page in PAGES if not text_of(page).isascii()] == []


def test_deviations_are_sentences() -> None:
    listed = yaml.safe_load(text_of("benchmarks/deviations.yaml"))
    assert listed and all(isinstance(item, str) and item.endswith(".") for item in listed)
