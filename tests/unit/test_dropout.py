"""The cheap dropout drops the right share, keeps the mean, repeats itself for a seed and passes the same mask back."""

import pytest
import torch
from torch import nn

from gliner_core.dropout import Dropout, MaskStream, scale_of, use_cheap_dropout


@pytest.mark.parametrize("probability", [0.1, 0.4, 0.75])
def test_share_mean_and_gradient(probability: float) -> None:
    torch.manual_seed(0)
    values = torch.full((200, 501), 3.0, requires_grad=True)
    layer = Dropout(probability)
    found = layer(values)
    dropped = found == 0
    spread = (probability * (1 - probability) / values.numel()) ** 0.5
    assert abs(float(dropped.float().mean()) - probability) < 4 * spread
    assert abs(float(found.detach().mean()) - 3.0) < 4 * 3.0 * spread / (1 - probability)
    found.sum().backward()
    torch.testing.assert_close(values.grad * 3.0, found.detach(), rtol=1e-6, atol=0)


def test_the_share_is_exact_to_a_sixteen_bit_step() -> None:
    """One step of 1/65536: one of the 16-bit draws drops, not none and not two."""
    dropped = int((MaskStream(1 / 65536, 11).drop_(torch.ones(1 << 24)) == 0).sum())
    assert abs(dropped - 256) < 5 * 16  # 2^24 / 2^16, Poisson


def test_sixteen_bit_values_drop_the_same_places() -> None:
    full, half = torch.ones(4096), torch.ones(4096, dtype=torch.bfloat16)
    assert torch.equal(MaskStream(0.1, 5).drop_(full), MaskStream(0.1, 5).drop_(half).float())


def test_neighbours_are_independent() -> None:
    """Four values share one 64-bit draw; each pair of positions must still agree as often as chance has it."""
    kept = MaskStream(0.5, 3).drop_(torch.ones(100_000, 4)) > 0
    spread = 0.5 / 100_000**0.5
    for first in range(4):
        for second in range(first):
            assert abs(float((kept[:, first] == kept[:, second]).float().mean()) - 0.5) < 4 * spread


def test_seed_decides_and_calls_differ() -> None:
    layer, values = Dropout(0.5), torch.ones(64)
    torch.manual_seed(1)
    first, second = layer(values), layer(values)
    torch.manual_seed(1)
    assert torch.equal(layer(values), first) and not torch.equal(first, second)
    stream = MaskStream(0.5, 7)
    assert not torch.equal(stream.drop_(torch.ones(64)), stream.drop_(torch.ones(64)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extremes(dtype: torch.dtype) -> None:
    values = torch.tensor([-2.0, 0.5, float("inf")], dtype=dtype)
    assert torch.equal(Dropout(0.0)(values), values)
    assert torch.equal(Dropout(0.9).eval()(values), values)
    assert not Dropout(1.0)(values[:2]).any() and scale_of(1.0) == 0
    assert torch.equal(MaskStream(0.0, 1).drop_(values.clone()), values)


def test_every_dropout_of_an_encoder_is_replaced() -> None:
    encoder = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.3), nn.ReLU()), nn.Dropout(0.2))
    names = list(encoder.state_dict())
    encoder[2].eval()
    use_cheap_dropout(encoder)
    assert [encoder[1][0].training, encoder[2].training] == [True, False]
    assert [type(module) for module in encoder.modules() if isinstance(module, nn.Dropout)] == [Dropout, Dropout]
    assert [encoder[1][0].p, encoder[2].p] == [0.3, 0.2] and list(encoder.state_dict()) == names
