"""Span x type scores without span vectors.

score(i, j, c) = out2(relu(s_i + e_j)) . t_c = relu(s_i + e_j) . (W2^T t_c) + b2 . t_c: the second linear map is folded
into the types, so a span costs one add, one ReLU and C dot products of width 4D, and no [L, K, D] tensor exists.
"""

import torch
from torch import nn

from gliner_core.heads import PairwiseHead


def span_type_scores(head: PairwiseHead, words: torch.Tensor, types: torch.Tensor, max_width: int) -> torch.Tensor:
    """Scores [B, L, K, C] from words [B, L, D] and types [B, C, D].

    Cell (i, k) is the span of words i .. i + k; cells past the last word hold zeros and must be masked by the caller.
    """
    start_part, end_part = head.word_parts(words)  # [B, L, 4D] each
    _, _, dropout, second = head.out_project
    type_map = (types @ second.weight).transpose(1, 2)  # [B, 4D, C]
    type_bias = (types @ second.bias).unsqueeze(1)  # [B, 1, C]
    length = words.shape[1]
    columns = []
    for width in range(max_width):
        rows = max(length - width, 0)
        hidden = dropout((start_part[:, :rows] + end_part[:, width:]).relu())  # [B, L - k, 4D]
        scores = torch.baddbmm(type_bias, hidden, type_map)  # [B, L - k, C]
        columns.append(nn.functional.pad(scores, (0, 0, 0, length - rows)))  # [B, L, C]
    return torch.stack(columns, dim=2)  # [B, L, K, C]
