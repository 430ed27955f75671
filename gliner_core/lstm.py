"""The bidirectional LSTM over words, on a CPU without packed sequences.

A packed sequence keeps torch from its fused kernels on a CPU: training takes 2 to 6 times as long. Padding on the right
cannot reach a forward direction; for the backward direction each text is turned round within its own length. On a GPU
cuDNN takes packed sequences, and the weights of both directions as the one block of memory that nn.LSTM keeps.
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class WordLSTM(nn.Module):
    """One layer, D/2 per direction; the parameters have the names of the author's code."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(hidden_size, hidden_size // 2, batch_first=True, bidirectional=True)

    def forward(self, words: torch.Tensor, num_words: torch.Tensor) -> torch.Tensor:
        """[B, L, D] and true lengths [B] -> [B, L, D]; rows past the length are zero."""
        if words.is_cuda:
            return self.packed(words, num_words)
        position = torch.arange(words.shape[1], device=words.device)[None, :]
        inside = position < num_words[:, None]  # [B, L]
        turned = torch.where(inside, num_words[:, None] - 1 - position, position)[..., None]
        forward = self._direction(words, "l0")
        backward = self._direction(words.gather(1, turned.expand_as(words)), "l0_reverse")
        backward = backward.gather(1, turned.expand_as(backward))  # [B, L, D / 2]
        return torch.cat([forward, backward], dim=-1) * inside[..., None]

    def packed(self, words: torch.Tensor, num_words: torch.Tensor) -> torch.Tensor:
        """The same through torch's packed sequences."""
        sequence = pack_padded_sequence(words, num_words.cpu(), batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.lstm(sequence)[0], batch_first=True, total_length=words.shape[1])[0]

    def _direction(self, words: torch.Tensor, suffix: str) -> torch.Tensor:
        weights = [getattr(self.lstm, f"{name}_{suffix}") for name in WEIGHTS]
        state = words.new_zeros(1, len(words), self.lstm.hidden_size)
        return torch.lstm(words, (state, state), weights, True, 1, 0.0, self.training, False, True)[0]
