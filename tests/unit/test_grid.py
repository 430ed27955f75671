"""Study to variants to runs to cells: shared baselines, ids that know no study, unique names."""

from pathlib import Path
from typing import Any

import pytest
from catalog_support import CARDS, ROOT, change_card, grid_of, write_card, write_repository

from benchmarks.catalog.decoding import Decoding
from benchmarks.catalog.grid import Grid, build_grid
from benchmarks.catalog.registry import Registry, load_registry
from benchmarks.catalog.settings import load_settings
from gliner_core.errors import InputError

MAIN, WIDTH = "benchmarks/studies/main.yaml", "benchmarks/studies/width.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_repository(tmp_path)


@pytest.fixture(scope="module")
def ours() -> Registry:
    return load_registry(ROOT)


def test_the_baseline_point_of_an_axis_is_the_baselines_run(root: Path) -> None:
    grid = grid_of(root)
    owners = {
        study: {row.owner for row in grid.study_rows(study) if row.variant == "baseline" and row.seed == 1}
        for study in ("main", "width")
    }
    assert owners["main"] == owners["width"] and len(owners["main"]) == 1
    assert owners["main"].pop().startswith("baseline_s1-")
    labels = {row.label for row in grid.study_rows("width") if row.variant == "baseline"}
    assert labels == {"model.max width 12, backbone small, max width None (baseline)"}


def test_run_ids_do_not_depend_on_the_study_or_its_neighbours(root: Path) -> None:
    whole = grid_of(root)
    alone = [grid_of(root, studies=[study]) for study in ("main", "width")]
    assert set(whole.runs) == set(alone[0].runs) | set(alone[1].runs)
    change_card(root, WIDTH, question="Other?", title="Other", axes={"model.max_width": [12, 4]})
    assert set(grid_of(root, studies="width").runs) < set(alone[1].runs)


def test_runs_are_variants_times_seeds(root: Path) -> None:
    grid = grid_of(root)
    slugs = {run.rsplit("-", 1)[0] for run in grid.runs}
    points = {"baseline", "steps-0", "max_width-4", "noise", "noise_max_width-4"}
    assert slugs == {f"{point}_s{seed}" for point in points for seed in (1, 2)}
    assert {run.spec.seed for run in grid.runs.values()} == {1, 2}
    assert all(name == run.id and run.spec.run_id(name.rsplit("-", 1)[0]) == name for name, run in grid.runs.items())


def test_cells_are_owners_times_datasets_times_what_is_asked(root: Path) -> None:
    grid = grid_of(root, seeds=[1])
    mine = [cell for cell in grid.cells if cell.owner.startswith("steps-0")]
    # beta has no `else` label: not asking for it is the same question, so the same cell.
    assert {(cell.dataset, cell.decoding) for cell in mine} == (
        {("alpha", "default"), ("alpha", "no_else"), ("beta", "default")}
    )
    protocols = {(cell.dataset, cell.decoding): grid.cells[cell] for cell in mine}
    assert protocols["beta", "default"] == ("plain", "without")
    assert protocols["alpha", "no_else"] == ("without",)
    baseline = next(owner for owner in grid.runs if owner.startswith("baseline"))
    assert {cell.decoding for cell in grid.cells if cell.owner == baseline} == {"default", "no_else", "k2"}
    names = {row.variant for row in grid.study_rows("width")}
    assert names >= {"baseline", "model.max_width=12+backbone=small+max_width=2"}
    assert grid.systems == ("chance",) and grid.owners()[-1] == "chance"


def test_every_row_reads_a_cell_that_is_computed_once(root: Path) -> None:
    registry, grid = load_registry(root), grid_of(root)
    for row in grid.rows:
        for dataset in registry.suite_datasets(row.suite):
            cell = grid.cell_of(row, registry.datasets[dataset])
            assert row.protocol in grid.cells[cell]
            assert cell.folder == f"cells/{row.owner}/{dataset}/{cell.decoding}"
    batched = [cell for cells in grid.batches.values() for cell in cells]
    assert len(batched) == len(set(batched)) == len(grid.cells)
    assert all(grid.owner_suites(owner) == ["tested"] for owner in grid.owners())


def test_overrides_move_every_run_and_the_baseline_with_them(root: Path) -> None:
    usual, moved = grid_of(root), grid_of(root, overrides={"optim.batch_size": 4})
    assert not set(usual.runs) & set(moved.runs)
    slugs = [{run.rsplit("-", 1)[0] for run in grid.runs} for grid in (usual, moved)]
    assert slugs[0] == slugs[1]


def test_the_device_chooses_the_steps(root: Path) -> None:
    for device, steps in (("cpu", {0, 10}), ("cuda", {0, 100})):
        assert {run.spec.optim.steps for run in grid_of(root, device).runs.values()} == steps


def _pretrained(root: Path, **axes: Any) -> Grid:
    """A study on another mixture, from the backbone and from the baseline."""
    given = {"start": [None, "baseline"], **axes}
    change_card(root, WIDTH, axes=given, decoding_axes={}, overrides={"mixture": "other", "optim.batch_size": 3})
    write_card(root, "benchmarks/mixtures/other.yaml", CARDS["benchmarks/mixtures/mix.yaml"] | {"name": "other"})
    return grid_of(root, studies=["width"], seeds=[1])


def test_a_run_that_others_start_from_is_trained_and_not_evaluated(root: Path) -> None:
    baseline = next(run for run in grid_of(root, studies=["main"]).runs if run.startswith("baseline_s1"))
    grid = _pretrained(root)
    slugs = {run.rsplit("-", 1)[0]: run for run in grid.runs}
    assert set(slugs) == {"baseline_s1", "other_batch_size-3_s1", "other_start-baseline_batch_size-3_s1"}
    assert slugs["baseline_s1"] == baseline  # the run that the other studies share
    starts = {run.spec.start for run in grid.runs.values()}
    assert starts == {None, baseline}
    assert baseline not in grid.owners() and not grid.owner_suites(baseline)
    assert len(grid.owners()) == 2 and {row.variant for row in grid.rows} == {"start=None", "start=baseline"}
    assert [row.label for row in grid.rows] == ["from the backbone", "from the baseline"]


def test_what_a_run_starts_from_is_part_of_its_identity(root: Path) -> None:
    grid = _pretrained(root)
    change_card(root, "benchmarks/mixtures/mix.yaml", min_words=5)  # of the parent alone
    moved = _pretrained(root)
    assert len(set(grid.runs) & set(moved.runs)) == 1
    (same,) = set(grid.runs) & set(moved.runs)
    assert grid.runs[same].spec.start is None and grid.runs[same].spec.data.name == "other"


def test_the_start_has_the_backbone_and_the_shape_of_its_child_and_nothing_else_of_the_study(root: Path) -> None:
    axes = {"backbone": ["small", "noise"], "model.hidden_size": [64, 32], "model.max_width": [4]}
    grid = _pretrained(root, **axes)
    children = [run.spec for run in grid.runs.values() if run.spec.start]
    assert len(children) == 4
    for child in children:
        parent = grid.runs[child.start].spec
        assert parent.model.backbone == child.model.backbone and parent.model.hidden_size == child.model.hidden_size
        assert (parent.model.max_width, parent.optim.batch_size, parent.data.name) == (12, 8, "mix")
    assert len({child.start for child in children}) == 4


def test_a_configuration_moves_a_start_with_its_children(root: Path) -> None:
    _pretrained(root)
    grid = grid_of(root, studies=["width"], seeds=[1], overrides={"optim.grad_clip": 2.0})
    assert {run.spec.optim.grad_clip for run in grid.runs.values()} == {2.0}


@pytest.mark.parametrize(
    ("value", "overrides", "words"),
    [
        ("mix", {}, f"{WIDTH} (variant start=mix): `start` is 'mix'; give null (the pretrained backbone) or baseline"),
        ("baseline", {"start": "baseline"}, "`overrides` sets `start` on the baseline, which cannot start from itself"),
    ],
)
def test_an_unknown_start_and_a_circle_are_refused(
    root: Path, value: str, overrides: dict[str, Any], words: str
) -> None:
    change_card(root, WIDTH, axes={"start": [value]}, decoding_axes={})
    with pytest.raises(InputError) as caught:
        grid_of(root, studies=["width"], overrides=overrides)
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"axes": {"model.max_widht": [1]}}, "`model.max_widht` is no knob"),
        ({"axes": {"model.max_width": []}}, "axis `model.max_width` needs a list"),
        ({"axes": {"model.max_width": 4}}, "axis `model.max_width` needs a list"),
        ({"axes": {"model.max_width": {"demo": [4]}}}, "axis `model.max_width` has no values for scale 'tiny'"),
        ({"axes": {"model.max_width": ["4"]}}, "`model.max_width` is '4'; it must be int"),
        ({"axes": {"backbone": ["large"]}}, "backbone 'large' has no card"),
        ({"decoding_axes": {"threshold": [0.5]}}, "unknown decoding axis `threshold`; known: ask_else"),
        ({"variants": {"baseline": {}}, "axes": {}, "decoding_axes": {}}, "two variants are named 'baseline'"),
        ({"suite": "other"}, "the study does not run at scale 'tiny' (suite 'other'"),
    ],
)
def test_a_faulty_study_is_named(root: Path, keys: dict[str, Any], words: str) -> None:
    change_card(root, WIDTH, **keys)
    with pytest.raises(InputError) as caught:
        grid_of(root)
    message = str(caught.value)
    assert words in message and "\n" not in message and WIDTH in message


def test_decoding_names_are_one_to_one() -> None:
    decodings = [
        Decoding(ask_else=ask, label_case=case, label_order=order, max_width=width)
        for ask in (True, False)
        for case in ("as_is", "lower", "title")
        for order in ("card", "sorted", "reversed")
        for width in (None, 2, 12)
    ]
    assert len({decoding.slug for decoding in decodings}) == len(decodings)
    assert Decoding().slug == "default"


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("scale", ["demo", "pilot", "paper"])
def test_every_study_of_every_scale_expands(ours: Registry, scale: str, device: str) -> None:
    studies = [name for name, card in ours.studies.items() if scale in card.scales]
    assert set(ours.scales[scale].studies) <= set(studies)
    grid = build_grid(ours, load_settings({"scale": scale, "studies": studies}, ours), device)
    for study in grid.studies:
        rows = grid.study_rows(study)
        points = [(row.variant, row.seed, row.protocol, row.decoding) for row in rows]
        assert len(points) == len(set(points)), study
        for reference in ours.studies[study].references:
            known = {row.variant for row in rows}  # verdicts are given at scale paper only
            assert scale != "paper" or reference.variant is None or reference.variant in known, study
    baselines = {row.owner for row in grid.rows if row.variant == "baseline" and row.decoding == "default"}
    assert len(baselines) == len(ours.scales[scale].seeds)
    specs = [run.spec.canonical() for run in grid.runs.values()]
    assert len(specs) == len(set(specs))
