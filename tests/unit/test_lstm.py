"""The word LSTM equals torch's own on packed sequences, values and gradients."""

import pytest
import torch

from gliner_core.lstm import WordLSTM


@pytest.mark.parametrize("lengths", [(5, 2, 1, 4), (3, 3), (1,)])
def test_equals_packed_sequences(lengths: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer, num_words = WordLSTM(8).double(), torch.tensor(lengths)
    words = torch.randn(len(lengths), max(lengths) + 1, 8, dtype=torch.float64, requires_grad=True)
    expected = layer.packed(words, num_words)
    rows = [layer.lstm(words[row : row + 1, :length])[0][0] for row, length in enumerate(lengths)]
    for row, alone in enumerate(rows):  # what a text gives alone, without any padding
        torch.testing.assert_close(expected[row, : len(alone)], alone, rtol=0, atol=1e-12)
        assert not expected[row, len(alone) :].any()
    found = layer(words, num_words)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    weight, leaves = torch.randn_like(found), [words, *layer.parameters()]
    ours = torch.autograd.grad((found * weight).sum(), leaves)
    theirs = torch.autograd.grad((expected * weight).sum(), leaves)
    for mine, reference in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, reference, rtol=0, atol=1e-12)


def test_padding_has_no_influence() -> None:
    torch.manual_seed(0)
    layer, num_words = WordLSTM(8), torch.tensor([4, 2])
    words = torch.randn(2, 4, 8)
    noisy = words.clone()
    noisy[1, 2:] = 100.0
    assert torch.equal(layer(words, num_words), layer(noisy, num_words))
