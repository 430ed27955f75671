"""DeBERTa's attention by diagonals equals transformers' own in fp64: values, gradients, dropout, saved weights."""

import contextlib
import copy
import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import deberta_config
from transformers import AutoModel, BertConfig, BertModel, DebertaV2Config, DebertaV2Model

from gliner_core import attention, deberta
from gliner_core.attention import use_cheap_attention
from gliner_core.deberta import SWITCH, FastSelfAttention, attention_kernel, flash_fits, use_fast_deberta
from gliner_core.triton_scorer import available, why_unavailable

HAS_GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if HAS_GPU else "cpu")
HAS_FLASH = importlib.util.find_spec("flashdeberta") is not None
needs_flash = pytest.mark.skipif(
    not HAS_FLASH or not available(DEVICE), reason=why_unavailable(DEVICE) or "flashdeberta is not installed"
)
# transformers rounds the root of (head width x number of terms) to fp32; with these head widths it is a whole number
HEAD_WIDTH = {0: 16, 1: 8, 2: 12}
LAYOUTS: dict[str, dict[str, Any]] = {
    "v3": {},
    "projections of their own": {"share_att_key": False},
    "query to position only": {"share_att_key": False, "pos_att_type": ["c2p"]},
    "key to position only": {"pos_att_type": ["p2c"]},
    "no buckets": {"position_buckets": -1, "max_relative_positions": 12},
    "content only": {"pos_att_type": []},
}


def _pair(dropout: float = 0.0, head_width: int | None = None, **changes: Any) -> tuple[DebertaV2Model, DebertaV2Model]:
    """transformers' model in fp64 and a copy with the other attention, in training mode."""
    config = DebertaV2Config(**deberta_config(50).to_dict() | changes)
    config.hidden_size = (head_width or HEAD_WIDTH[len(config.pos_att_type)]) * config.num_attention_heads
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = dropout
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = DebertaV2Model(config).double().train()
    ours = copy.deepcopy(theirs)
    use_fast_deberta(ours)
    return theirs, ours


def _batch(length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two texts, the second of half the length."""
    ids = torch.randint(5, 50, (2, length), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[1, (length + 1) // 2 :] = 0
    return ids, mask


def _run(model: DebertaV2Model, length: int) -> list[torch.Tensor]:
    """Hidden states of the real sub-tokens and the gradients of their weighted sum."""
    ids, mask = _batch(length)
    torch.manual_seed(2)
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    weight = torch.randn(hidden.shape, generator=torch.Generator().manual_seed(3), dtype=hidden.dtype)
    gradients = torch.autograd.grad((hidden * weight)[mask.bool()].sum(), list(model.parameters()), allow_unused=True)
    return [hidden[mask.bool()], *(found for found in gradients if found is not None)]


@pytest.mark.parametrize("length", [1, 2, 37])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_values_and_gradients_are_those_of_transformers(
    layout: dict[str, Any], length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deberta, "pays", lambda module, hidden: True)  # 16 buckets and 37 sub-tokens
    theirs, ours = (_run(model, length) for model in _pair(**layout))
    for expected, found in zip(theirs, ours, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


def test_training_draws_the_same_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deberta, "pays", lambda module, hidden: True)
    theirs, ours = (_run(model, 23) for model in _pair(dropout=0.3))
    for expected, found in zip(theirs, ours, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


def test_saved_weights_and_their_names_stay(deberta: Path, tmp_path: Path) -> None:
    model = AutoModel.from_pretrained(deberta)
    before = {name: value.data_ptr() for name, value in model.named_parameters()}
    use_fast_deberta(model)
    assert {name: value.data_ptr() for name, value in model.named_parameters()} == before
    model.save_pretrained(tmp_path)
    again = AutoModel.from_pretrained(tmp_path)
    assert type(again) is DebertaV2Model and all(
        torch.equal(value, again.state_dict()[name]) for name, value in model.state_dict().items()
    )


def test_long_texts_on_a_cpu_take_the_way_of_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FastSelfAttention, "_mix", None)
    theirs, ours = (_run(model, 17) for model in _pair())  # one more than the buckets
    assert all(torch.equal(found, expected) for found, expected in zip(ours, theirs, strict=True))
    with pytest.raises(TypeError):
        _run(_pair()[1], 16)


def test_attention_weights_are_still_to_be_had() -> None:
    theirs, ours = _pair()
    ids, mask = _batch(9)
    expected = theirs(input_ids=ids, attention_mask=mask, output_attentions=True)
    found = ours(input_ids=ids, attention_mask=mask, output_attentions=True)
    torch.testing.assert_close(found.attentions, expected.attentions, rtol=0, atol=0)


def test_the_kernel_is_named_and_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [attention_kernel(model) for model in _pair()] == ["eager", "diagonal"]
    bert = BertModel(BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=1))
    use_fast_deberta(bert)
    assert attention_kernel(bert) == "sdpa"
    use_cheap_attention(bert)
    assert attention_kernel(bert) == attention.NAME
    assert attention_kernel(bert.to("meta")) == "sdpa"  # on another device it is torch's own
    monkeypatch.setenv(SWITCH, "transformers")
    assert attention_kernel(_pair()[1]) == "eager"


def test_flash_is_taken_only_where_it_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deberta, "_has_flash", lambda: True)
    module = next(
        part for part in _pair(dropout=0.1, head_width=64)[1].modules() if isinstance(part, FastSelfAttention)
    )

    class OnGPU:
        device, dtype = torch.device("cuda"), torch.bfloat16

    hidden: Any = OnGPU()
    assert not flash_fits(module, hidden)  # training with attention dropout, which it would leave out
    module.eval()
    assert flash_fits(module, hidden)
    assert not flash_fits(module, torch.zeros(1, dtype=torch.bfloat16))  # on a CPU
    hidden.dtype = torch.float32
    assert not flash_fits(module, hidden)  # TF32
    hidden.dtype, module.attention_head_size = torch.float16, 48
    assert not flash_fits(module, hidden)


@needs_flash
@pytest.mark.parametrize("length", [37, 80])
def test_flashdeberta_gives_the_same_numbers(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU in bf16; on a CPU interpreted in fp32, which it can do although the model never asks for it."""
    theirs, ours = (model.float().eval().to(DEVICE) for model in _pair(head_width=16))
    if not HAS_GPU:
        monkeypatch.setattr(torch.cuda, "device", lambda index: contextlib.nullcontext())
    ids, mask = (tensor.to(DEVICE) for tensor in _batch(length))
    dtype = torch.bfloat16 if HAS_GPU else torch.float32
    expected = theirs(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()]
    monkeypatch.setattr(deberta, "pays", lambda module, hidden: True)
    monkeypatch.setattr(deberta, "flash_fits", lambda module, hidden: True)
    monkeypatch.setattr(FastSelfAttention, "_mix", None)  # its own way must not be taken
    found = ours.to(dtype)(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()]
    torch.testing.assert_close(found.float(), expected, rtol=0, atol=0.1 if HAS_GPU else 1e-5)
    parameters = [list(model.encoder.parameters()) for model in (theirs, ours)]
    weight = torch.randn_like(expected)
    wanted = torch.autograd.grad((expected * weight).sum(), parameters[0])
    largest = max(float(gradient.abs().max()) for gradient in wanted)
    for mine, other in zip(torch.autograd.grad((found * weight).sum(), parameters[1]), wanted, strict=True):
        torch.testing.assert_close(mine.float(), other, rtol=0, atol=largest * (0.05 if HAS_GPU else 1e-6))
