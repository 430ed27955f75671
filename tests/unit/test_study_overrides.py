"""`overrides` and `baseline_variant` of a study card."""

from pathlib import Path

import pytest
from catalog_support import change_card, grid_of, write_repository

from gliner_core.errors import InputError

WIDTH = "benchmarks/studies/width.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    change_card(write_repository(tmp_path), WIDTH, axes={"model.max_width": [4, 12]}, decoding_axes={})
    return tmp_path


def test_overrides_set_every_variant_and_win_over_the_configuration(root: Path) -> None:
    axes = {"model.max_width": [4, 12]}
    change_card(root, WIDTH, axes=axes, decoding_axes={}, overrides={"optim.batch_size": 3, "model.max_width": 9})
    grid = grid_of(root, studies=["width"], overrides={"optim.batch_size": 5, "optim.grad_clip": 2.0})
    specs = [run.spec for run in grid.runs.values()]
    assert {spec.optim.batch_size for spec in specs} == {3}
    assert {spec.optim.grad_clip for spec in specs} == {2.0}
    assert {spec.model.max_width for spec in specs} == {4, 12}  # an axis wins over the study's own setting
    assert {row.variant for row in grid.rows} == {"max_width=4", "max_width=12"}  # none is the scale's baseline now


def test_an_override_may_be_for_some_scales(root: Path) -> None:
    values = {"optim.batch_size": {"tiny": 3}, "optim.grad_clip": {"paper": 2.0}}
    change_card(root, WIDTH, axes={"model.max_width": [4, 12]}, decoding_axes={}, overrides=values)
    (found,) = {
        (run.spec.optim.batch_size, run.spec.optim.grad_clip) for run in grid_of(root, studies=["width"]).runs.values()
    }
    assert found == (3, None)


def test_overrides_touch_no_other_study(root: Path) -> None:
    before = grid_of(root, studies=["main", "width"])
    change_card(root, WIDTH, axes={"model.max_width": [4, 12]}, decoding_axes={}, overrides={"optim.batch_size": 3})
    after = grid_of(root, studies=["main", "width"])
    assert [row for row in before.rows if row.study == "main"] == [row for row in after.rows if row.study == "main"]


def test_an_unknown_override_names_the_card(root: Path) -> None:
    change_card(root, WIDTH, overrides={"optim.bach_size": 3})
    with pytest.raises(InputError, match=r"studies/width.yaml \(variant .*\): `optim.bach_size` is no knob"):
        grid_of(root, studies=["width"])


@pytest.mark.parametrize("name", ["baseline", "max_width=4"])
def test_a_baseline_variant_is_a_variant_of_the_study(root: Path, name: str) -> None:
    axes = {"model.max_width": [4, 12]}
    change_card(root, WIDTH, axes=axes, decoding_axes={}, baseline_variant=name)
    assert name in {row.variant for row in grid_of(root, studies=["width"]).rows}
    change_card(root, WIDTH, axes=axes, decoding_axes={}, baseline_variant="max_width=5")
    with pytest.raises(InputError, match=r"`baseline_variant` names 'max_width=5', .*use one of max_width=4, baseline"):
        grid_of(root, studies=["width"])
