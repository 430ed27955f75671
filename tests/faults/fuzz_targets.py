"""What is fuzzed: for each reader of untrusted input, how an input is made and what is done with it."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

from benchmarks.catalog.cards import DatasetCard
from benchmarks.catalog.registry import KINDS, Registry, check_references, load_registry, parse, read_yaml
from benchmarks.catalog.settings import load_settings
from benchmarks.catalog.variants import variants
from benchmarks.corpora.formats import READERS, read
from benchmarks.scoring.predictions import read_predictions
from benchmarks.scoring.protocol import decoded_spans
from benchmarks.scoring.scores import read_score
from gliner_core.errors import InputError
from gliner_core.examples import read_jsonl, write_jsonl
from gliner_core.spec import read_spec
from tests.faults.fuzz_input import Input, write
from tests.faults.fuzz_mirrors import MANIFEST, PUBLISHED, read_archive, read_manifest, read_published
from tests.faults.fuzz_mutations import mutate_bytes, mutate_tree
from tests.faults.fuzz_seeds import PREDICTIONS, ROOT, card_files, own_seeds, packed, real_seeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`share` of all inputs goes here; `run` gets an input and a folder to write files in."""

    share: int
    make: Callable[[random.Random], Input]
    run: Callable[[Input, Path], None]


def targets(with_models: bool = True) -> dict[str, Target]:
    """All targets by name; those of models import torch and transformers, which takes seconds."""
    found = {f"reader {name}": _reader(name) for name in READERS if name != "parquet"}
    found["reader parquet"] = Target(share=1, make=_parquet_input, run=partial(read_raw, "parquet"))
    found["examples"] = _lines(14, own_seeds()["jsonl"][0], _read_examples)
    found["predictions"] = _lines(14, PREDICTIONS.encode(), _read_predictions)
    found["scores"] = _tree(6, _SCORE, _read_scores)
    for kind, paths in card_files().items():
        found[f"card {kind}"] = _cards(kind, [path.read_bytes() for path in paths])
    found["settings"] = _yaml_tree(4, [(ROOT / "workflow" / "config.yaml").read_bytes()], _read_settings)
    found["spec.json"] = _tree(8, spec_tree(), _read_spec)
    found["manifest.tsv"] = _bytes(5, [MANIFEST], read_manifest)
    found["archive"] = _bytes(3, [packed(b"word\tO\n" * 50)], read_archive)
    if with_models:
        found["model folder"] = _model_target()
    found["published"] = _bytes(2, [PUBLISHED], read_published)
    return found


# ---- makers


def _bytes(share: int, seeds: list[bytes], run: Callable[[Input, Path], None]) -> Target:
    return Target(share=share, make=lambda draw: Input(data=mutate_bytes(draw, draw.choice(seeds), seeds)), run=run)


def _tree(share: int, seed: Any, run: Callable[[Input, Path], None]) -> Target:
    text = json.dumps(seed).encode()

    def make(draw: random.Random) -> Input:
        if draw.random() < 0.3:
            return Input(data=mutate_bytes(draw, text, [text]))
        return Input(data=json.dumps(mutate_tree(draw, seed)).encode())

    return Target(share=share, make=make, run=run)


def _lines(share: int, seed: bytes, run: Callable[[Input, Path], None]) -> Target:
    """JSON lines: one line changed as a value, or the bytes of the whole file."""
    lines = seed.decode().splitlines()

    def make(draw: random.Random) -> Input:
        if draw.random() < 0.4:
            return Input(data=mutate_bytes(draw, seed, [seed]))
        place = draw.randrange(len(lines))
        changed = [*lines[:place], json.dumps(mutate_tree(draw, json.loads(lines[place]))), *lines[place + 1 :]]
        return Input(data="\n".join(changed).encode())

    return Target(share=share, make=make, run=run)


def _yaml_tree(share: int, seeds: list[bytes], run: Callable[[Input, Path], None]) -> Target:
    trees = [yaml.safe_load(seed) for seed in seeds]

    def make(draw: random.Random) -> Input:
        if draw.random() < 0.4:
            return Input(data=mutate_bytes(draw, draw.choice(seeds), seeds))
        changed = mutate_tree(draw, draw.choice(trees))
        return Input(data=json.dumps(changed).encode())  # JSON is YAML, and quicker to write

    return Target(share=share, make=make, run=run)


# ---- readers


@cache
def _real() -> dict[str, list[tuple[DatasetCard, bytes]]]:
    return real_seeds()


def _reader(name: str) -> Target:
    own = [(_card(name, {}), data) for data in own_seeds()[name]]
    seeds = own + _real().get(name, [])
    others = [data for _, data in seeds]

    def make(draw: random.Random) -> Input:
        card, data = draw.choice(seeds)
        options = {key: value for key, value in card.options.items() if key not in ("known_unresolved", "hold_out")}
        if draw.random() < 0.15:
            options = _changed_options(draw, name, options)
        return Input(data=_changed_record(draw, data, others), options=options)

    return Target(share=12, make=make, run=partial(read_raw, name))


def _changed_record(draw: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """JSON is changed as a value in half of the cases; anything else, and the other half, as bytes."""
    if draw.random() < 0.5:
        try:
            return json.dumps(mutate_tree(draw, json.loads(data))).encode()
        except ValueError:
            pass
    return mutate_bytes(draw, data, others)


def _changed_options(draw: random.Random, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    known = sorted(
        set(READERS[name].options) | {"encoding", "encodings", "hold_out", "repeated_ids", "known_unresolved"}
    )
    value = mutate_tree(draw, draw.choice(["bio", 1, ["a"], {"a": 1}, {"split": "test", "every": 2}, "utf-16", None]))
    return {**options, draw.choice(known): value}


def _parquet_input(draw: random.Random) -> Input:
    return Input(data=mutate_bytes(draw, parquet_bytes(), [parquet_bytes()]))


@cache
def parquet_bytes() -> bytes:
    """A small file in order."""
    import io

    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"tokens": [["Anna", "left"]], "ner_tags": [["B-PER", "O"]]})
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out)
    return out.getvalue()


def _card(reader: str, options: Mapping[str, Any]) -> DatasetCard:
    source = {"path": "a.txt", "repo": "a/b", "commit": "0" * 40}
    tree = {"name": "tiny", "title": "Tiny", "domain": "d", "licence": "none", "labels": ["person", "city"]}
    return parse(
        DatasetCard, {**tree, "reader": reader, "options": dict(options), "sources": {"test": [source]}}, "tiny"
    )


def read_raw(reader: str, item: Input, folder: Path) -> None:
    """Reads a raw file through its card; what was read must survive writing and reading."""
    reading = read(_card(reader, item.options), "test", [write(item, folder, "a.txt")])
    _same_after_writing(list(reading.examples), folder)


def _read_examples(item: Input, folder: Path) -> None:
    _same_after_writing(read_jsonl(write(item, folder, "a.jsonl")), folder)


def _same_after_writing(examples: list[Any], folder: Path) -> None:
    write_jsonl(folder / "again.jsonl", examples)
    if read_jsonl(folder / "again.jsonl") != examples:
        raise AssertionError("what was read differs after writing and reading it again")


# ---- models


def _model_target() -> Target:
    from tests.faults.fuzz_models import model_inputs, open_model

    return Target(share=1, make=model_inputs(), run=open_model)


# ---- results


_SCORE = {
    "dataset": "tiny",
    "protocol": "gliner-official",
    "unit": "span",
    "threshold": 0.5,
    "num_sentences": 2,
    "counts": {"true_positive": 1, "predicted": 2, "gold": 3},
    "precision_pct": 50.0,
    "recall_pct": 33.3,
    "f1_pct": 40.0,
    "interval": {"low_pct": 1.0, "high_pct": 80.0},
    "sentences": [[1, 1, 2], [0, 1, 1]],
    "reachable_recall_pct": 100.0,
}


def _read_scores(item: Input, folder: Path) -> None:
    read_score(write(item, folder, "scores.json"))


def _read_predictions(item: Input, folder: Path) -> None:
    answered = read_predictions(write(item, folder, "predictions.jsonl"))
    protocol, card = _registry().protocols["gliner-official"], _card("conll", {})
    decoded_spans(protocol, card, answered)


# ---- cards, settings, spec


@cache
def _registry() -> Registry:
    return load_registry(ROOT)


def _cards(kind: str, seeds: list[bytes]) -> Target:
    share = {"datasets": 10, "studies": 10}.get(kind, 3)
    return _yaml_tree(share, seeds, partial(_read_card, kind))


def _read_card(kind: str, item: Input, folder: Path) -> None:
    card = parse(KINDS[kind], read_yaml(write(item, folder, "card.yaml")), "card.yaml")
    json.dumps(card.model_dump(mode="json"), sort_keys=True)
    registry = replace(_registry(), **{kind: {**getattr(_registry(), kind), card.name: card}})
    check_references(registry)
    if kind == "studies":
        variants(card, "demo")


def _read_settings(item: Input, folder: Path) -> None:
    config = read_yaml(write(item, folder, "config.yaml"))
    if not isinstance(config, dict):
        raise InputError("snakemake itself refuses a configuration that is no mapping; write a mapping")
    load_settings(config, _registry())


def spec_tree() -> dict[str, Any]:
    """A training spec as plain data."""
    tree = dict(yaml.safe_load((ROOT / "benchmarks" / "baseline.yaml").read_text(encoding="utf-8")))
    backbone = {"name": "tiny", "kind": "folder", "base": "folder", "location": "x"}
    chosen = {"model": {**tree["model"], "backbone": backbone}, "optim": {**tree["optim"], "steps": 100}}
    return tree | chosen | {"data": {"name": "toy"}}


def _read_spec(item: Input, folder: Path) -> None:
    spec = read_spec(write(item, folder, "spec.json"))
    (folder / "spec.json").write_text(spec.canonical(), encoding="utf-8")
    if read_spec(folder / "spec.json").run_id("x") != spec.run_id("x"):
        raise AssertionError("the run id differs after writing and reading the spec")
