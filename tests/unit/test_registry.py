"""Every faulty card is one sentence with file and key, found before any work starts."""

from pathlib import Path
from typing import Any

import pytest
from catalog_support import CARDS, change_card, write_repository

from benchmarks.catalog.registry import load_registry, read_yaml
from gliner_core.errors import InputError

ALPHA, MIX, TESTED = "benchmarks/datasets/alpha.yaml", "benchmarks/mixtures/mix.yaml", "benchmarks/suites/tested.yaml"
SMALL, MAIN, TINY = "benchmarks/backbones/small.yaml", "benchmarks/studies/main.yaml", "workflow/scales/tiny.yaml"
NOISE, TAGGED, PLAIN = (
    "benchmarks/backbones/noise.yaml",
    "benchmarks/suites/tagged.yaml",
    "benchmarks/protocols/plain.yaml",
)
CHANCE = "benchmarks/systems/chance.yaml"
SOURCE = {"repo": "a/b", "path": "x"}


def _fault(root: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_registry(root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_smallest_repository_is_valid(tmp_path: Path) -> None:
    registry = load_registry(write_repository(tmp_path))
    assert list(registry.datasets) == ["alpha", "beta", "gamma"]
    assert registry.suite_datasets("tested") == ("beta", "alpha")  # a paper's order
    assert registry.suite_datasets("tagged") == ("alpha", "beta")  # by name
    assert registry.baseline["model"]["max_width"] == 12


@pytest.mark.parametrize(
    ("path", "keys", "words"),
    [
        (ALPHA, {"lables": ["x"]}, ["unknown key `lables`", "labels"]),
        (ALPHA, {"licence": "-"}, ["key `licence` is missing"]),
        (ALPHA, {"labels": ["x", "x"]}, ["`labels` holds a duplicate"]),
        (ALPHA, {"else_label": "misc"}, ["`else_label` 'misc' is not one of `labels`"]),
        (ALPHA, {"generator": "demo"}, ["give either `generator` or `reader`"]),
        (ALPHA, {"sources": "-"}, ["`sources` is empty"]),
        (ALPHA, {"sources": {"test": [SOURCE]}}, ["`sources.test.0`", "needs `commit`"]),
        (ALPHA, {"sources": {"test": [{"hub": "a/b", "path": "x"}]}}, ["needs `revision`"]),
        (ALPHA, {"sources": {"test": [SOURCE | {"hub": "a/b"}]}}, ["give either `repo` and `commit`, or `hub`"]),
        (ALPHA, {"sources": {"test": [SOURCE | {"commit": "0" * 40, "sha256": "12"}]}}, ["`sources.test.0.sha256`"]),
        (ALPHA, {"language": "English"}, ["`language`", "English"]),
        (ALPHA, {"name": "Alpha"}, ["`name`", "Alpha"]),
        (ALPHA, {"name": "other"}, ["`name` is 'other'", "'alpha'"]),
        (MIX, {"parts": [{"dataset": "delta"}]}, ["`parts` names 'delta'", "alpha, beta, gamma"]),
        (MIX, {"parts": []}, ["`parts`"]),
        (MIX, {"parts": [{"dataset": "gamma", "weight": 0}]}, ["`parts.0.weight`"]),
        (MIX, {"dev": {"dataset": "delta"}}, ["`parts` names 'delta'"]),
        (MIX, {"disjoint_from": ["nowhere"]}, ["`disjoint_from` names 'nowhere'", "tagged, tested"]),
        (TESTED, {"datasets": ["alpha", "alpha"]}, ["`datasets` holds a duplicate"]),
        (TESTED, {"datasets": ["delta"]}, ["`datasets` names 'delta'"]),
        (TESTED, {"protocol": "loose"}, ["`protocol` names 'loose'", "plain, without"]),
        (TESTED, {"tag": "news"}, ["a closed suite"]),
        (TAGGED, {"tag": "-"}, ["an open suite has a `tag`"]),
        (TAGGED, {"tag": "novels"}, ["`tag` 'novels' stands on no dataset card"]),
        (ALPHA, {"labels": "-", "else_label": "-"}, ["holds 'alpha', whose card has no `labels`"]),
        (PLAIN, {"threshold": 1.0}, ["`threshold`", "1.0"]),
        (PLAIN, {"overlap": "any"}, ["`overlap`", "any"]),
        (SMALL, {"sha256": "-"}, ["kind `package` needs the `sha256`"]),
        (SMALL, {"package": "-"}, ["kind `package` needs the key `package`"]),
        (SMALL, {"kind": "converted", "package": "-"}, ["kind `converted` needs the key `package`"]),
        (SMALL, {"kind": "converted", "sha256": "-"}, ["kind `converted` needs the `sha256`"]),
        (SMALL, {"languages": ["English"]}, ["`languages.0`"]),
        (SMALL, {"kind": "hub", "hub": "a/b"}, ["kind `hub` needs the key `revision`"]),
        (SMALL, {"parameters": 0}, ["`parameters`"]),
        (NOISE, {"like": "large"}, ["`like` names 'large'", "known: small)"]),
        (NOISE, {"like": "noise"}, ["`like` names 'noise'", "among the backbones with weights"]),
        (CHANCE, {"kind": "checkpoint"}, ["kind `checkpoint` needs either"]),
        (CHANCE, {"hub": "a/b"}, ["needs the key `revision`"]),
        (MAIN, {"protocols": ["loose"]}, ["`protocols` names 'loose'"]),
        (MAIN, {"systems": ["magic"]}, ["`systems` names 'magic'"]),
        (MAIN, {"scales": ["huge"]}, ["`scales` names 'huge'"]),
        (MAIN, {"references": [{"file": "p", "table": "T", "variant": "a"}]}, ["`variant` needs the `row`"]),
        (MAIN, {"layout": "rows"}, ["`layout`", "rows"]),
        (TINY, {"backbone": "large"}, ["`backbone` names 'large'"]),
        (TINY, {"mixture": "mash"}, ["`mixture` names 'mash'"]),
        (TINY, {"suites": {"ood": "nowhere"}}, ["`suites` names 'nowhere'"]),
        (TINY, {"studies": ["width", "depth"]}, ["`studies` names 'depth'"]),
        (TINY, {"seeds": []}, ["`seeds`"]),
    ],
)
def test_a_faulty_card_is_named(tmp_path: Path, path: str, keys: dict[str, Any], words: list[str]) -> None:
    change_card(write_repository(tmp_path), path, **keys)
    message = _fault(tmp_path)
    assert (path in message or Path(path).stem in words[0]) and all(word in message for word in words)


def test_a_name_that_two_files_carry_is_named(tmp_path: Path) -> None:
    write_repository(tmp_path)
    (tmp_path / "benchmarks/datasets/alpha2.yaml").write_text((tmp_path / ALPHA).read_text())
    message = _fault(tmp_path)
    assert "alpha2.yaml: duplicate name 'alpha'" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: alpha\ntitle: A\nname: beta\n", [":1: key `name` is given twice"]),
        ("name: alpha\noptions:\n  a: 1\n  a: 2\n", [":3: key `a` is given twice"]),
        ("name: [alpha\n", [": ", "correct the YAML"]),
        ("- alpha\n", ["expected `key: value` lines"]),
        ("", ["expected `key: value` lines"]),
        ("name: \x00", ["not readable as YAML"]),
    ],
)
def test_a_faulty_yaml_file_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    write_repository(tmp_path)
    (tmp_path / ALPHA).write_text(text)
    message = _fault(tmp_path)
    assert ALPHA in message and all(word in message for word in words)


@pytest.mark.parametrize("path", [path for path in CARDS if path not in (TAGGED, NOISE, TINY)])
def test_a_missing_card_is_missed_by_one_that_names_it(tmp_path: Path, path: str) -> None:
    (write_repository(tmp_path) / path).unlink()
    assert f"names '{Path(path).stem}', which is not among the {Path(path).parent.name}" in _fault(tmp_path)


def test_a_missing_baseline_is_named(tmp_path: Path) -> None:
    (write_repository(tmp_path) / "benchmarks" / "baseline.yaml").unlink()
    assert "baseline.yaml: no such file" in _fault(tmp_path)


def test_merge_keys_and_anchors_still_work(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("base: &b {x: 1, y: 2}\nmore: {<<: *b, y: 3}\n")
    assert read_yaml(tmp_path / "a.yaml")["more"] == {"x": 1, "y": 3}
