"""The span grid for width K: which cells are valid, and which cells the gold spans are."""

from collections.abc import Sequence

import torch

from gliner_core.examples import Example


def valid_spans(num_words: torch.Tensor, length: int, max_width: int) -> torch.Tensor:
    """Boolean mask [B, L, K] of spans that end inside the text."""
    starts = torch.arange(length, device=num_words.device)[:, None]
    widths = torch.arange(max_width, device=num_words.device)[None, :]
    return (starts + widths)[None] < num_words[:, None, None]


def valid_cells(
    num_words: torch.Tensor, num_types: torch.Tensor, length: int, max_width: int, types: int
) -> torch.Tensor:
    """Boolean mask [B, L, K, C] of cells whose span ends inside the text and whose type exists."""
    existing = torch.arange(types, device=num_types.device)[None, :] < num_types[:, None]  # [B, C]
    return valid_spans(num_words, length, max_width)[..., None] & existing[:, None, None, :]


def gold_cells(
    example: Example, types: Sequence[str], num_words: int, max_width: int
) -> tuple[list[tuple[int, int, int]], int, int]:
    """Positive cells (start, width - 1, type index) of one example, without repeats, and the two kinds of loss.

    Returns (cells, too_wide, outside): gold spans of asked types wider than K, and gold beyond the window.
    """
    column = {label: index for index, label in enumerate(types)}
    asked = [span for span in example.spans if span.type in column]
    outside = [span for span in asked if span.end >= num_words]
    inside = [span for span in asked if span.end < num_words]
    cells = {(span.start, span.width - 1, column[span.type]) for span in inside if span.width <= max_width}
    too_wide = sum(1 for span in inside if span.width > max_width)
    return sorted(cells), too_wide, len(outside)
