"""Attention with dropout equals attention written out with the same mask; without dropout it is torch's own."""

from pathlib import Path

import pytest
import torch
from tiny_model import LABELS, TEXTS, tiny_network
from torch.nn.functional import scaled_dot_product_attention

from gliner_core import attention as module
from gliner_core.attention import NAME, attention
from gliner_core.dropout import MaskStream

SHAPE = (2, 3, 7, 4)  # B, A, N, W


def _inputs() -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [torch.randn(*SHAPE, dtype=torch.float64, requires_grad=True) for _ in range(3)]


def _mask() -> torch.Tensor:
    mask = torch.ones(2, 1, 7, 7, dtype=torch.bool)
    mask[1, :, :, 5:] = False
    return mask


@pytest.fixture(params=[1, 1 << 18], ids=["a block a head", "a block a text"])
def block_values(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """The same distribution whether heads are computed one by one or together."""
    monkeypatch.setattr(module, "BLOCK_VALUES", request.param)
    return request.param


@pytest.mark.usefixtures("block_values")
@pytest.mark.parametrize("masked", [True, False])
def test_gradients_are_the_numerical_ones(masked: bool) -> None:
    def mixed(*inputs: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(1)
        return attention(
            torch.nn.Identity(), *inputs, _mask() if masked else None, dropout=0.3, scaling=0.3, is_causal=False
        )[0]

    assert torch.autograd.gradcheck(mixed, _inputs(), eps=1e-6, atol=1e-7)


@pytest.mark.parametrize("scaling", [0.3, None])
@pytest.mark.parametrize("masked", [True, False])
def test_values_are_those_of_the_dropped_weights(
    masked: bool, scaling: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, key, value = _inputs()
    mask = _mask() if masked else None
    monkeypatch.setattr(module, "fresh_seed", lambda: 5)
    stream, rows = MaskStream(0.25, 5), []
    for text in range(2):
        scores = (0.5 if scaling is None else scaling) * query[text] @ key[text].transpose(1, 2)  # 0.5 = 1 / sqrt(W)
        if mask is not None:
            scores = scores.masked_fill(~mask[text], -torch.inf)
        rows.append(stream.drop_(scores.softmax(dim=-1).detach()) / 0.75 @ value[text])
    options = {"dropout": 0.25, "scaling": scaling, "is_causal": False}
    found, weights = attention(torch.nn.Identity(), query, key, value, mask, **options)
    torch.testing.assert_close(found, torch.stack(rows).transpose(1, 2), rtol=0, atol=1e-12)
    assert weights is None


def test_without_dropout_it_is_torchs_own() -> None:
    query, key, value = _inputs()
    found, _ = attention(torch.nn.Identity(), query, key, value, _mask(), scaling=0.5, is_causal=False)
    expected = scaled_dot_product_attention(query, key, value, attn_mask=_mask(), scale=0.5).transpose(1, 2)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize("case", ["causal", "fewer key heads"])
def test_what_it_does_not_compute_goes_to_transformers(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    query, key, value = _inputs()
    options = {"dropout": 0.25, "scaling": 0.5, "is_causal": case == "causal"}
    if case == "fewer key heads":
        key, value = key[:, :1], value[:, :1]
    asked = []
    monkeypatch.setattr(module, "sdpa_attention_forward", lambda *given, **_: asked.append(given) or (query, None))
    attention(torch.nn.Identity(), query, key, value, None, **options)
    assert len(asked) == 1


def test_a_padding_mask_is_kept_once_for_all_queries() -> None:
    mask = _mask()[:, :, :1].expand(-1, -1, 7, -1)
    assert module._bias(mask, torch.zeros(())).shape == (2, 1, 1, 7)
    assert module._bias(_mask(), torch.zeros(())).shape == (2, 1, 7, 7)


def test_a_bert_encoder_uses_it_in_training_and_a_deberta_does_not(backbone: Path, deberta: Path) -> None:
    network = tiny_network(backbone)
    assert network.encoder.config._attn_implementation == NAME
    assert NAME not in str(network.encoder.config.to_dict())  # nothing of it reaches a checkpoint
    assert tiny_network(deberta).encoder.config._attn_implementation != NAME
    batch = network.prompts.encode(TEXTS, [LABELS] * len(TEXTS))
    network.encoder.train()
    torch.manual_seed(0)
    first = network(batch)
    torch.manual_seed(1)
    assert not torch.equal(first, network(batch))
    torch.manual_seed(0)
    assert torch.equal(first, network(batch))
