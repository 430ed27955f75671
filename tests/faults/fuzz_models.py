"""Damaged checkpoint folders: the configuration, the weights or a file of the tokenizer of a tiny model."""

import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from gliner_core.opening import open_network
from gliner_core.pretrained import GLiNER
from tests.faults.fuzz_input import Input
from tests.faults.fuzz_mutations import mutate_bytes, mutate_tree

FILES = ("gliner_config.json", "gliner_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
_FOLDER = Path(tempfile.gettempdir()) / "gliner-bench-fuzz-model"


def model_inputs() -> Callable[[random.Random], Input]:
    """Makes the tiny model once; an input replaces one of its files."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tiny_model import make_backbone, tiny_network

    shutil.rmtree(_FOLDER, ignore_errors=True)
    GLiNER(tiny_network(make_backbone(_FOLDER / "backbone"))).save_pretrained(_FOLDER / "model")

    def make(draw: random.Random) -> Input:
        name = draw.choice(FILES)
        data = (_FOLDER / "model" / name).read_bytes()
        if name == "gliner_config.json" and draw.random() < 0.8:
            return Input(data=json.dumps(mutate_tree(draw, json.loads(data))).encode(), options={"file": name})
        return Input(data=mutate_bytes(draw, data, [data[:2000]]), options={"file": name})

    return make


def open_model(item: Input, folder: Path) -> None:
    """Opens the tiny model with the one file replaced."""
    model = folder / "model"
    if not model.is_dir():
        shutil.copytree(_FOLDER / "model", model)
    place = model / item.options["file"]
    place.write_bytes(item.data)
    try:
        open_network(model)
    finally:
        shutil.copyfile(_FOLDER / "model" / place.name, place)
