"""Attention with dropout for training on a CPU: exact, without keeping any [N, N] matrix for the backward pass.

torch's fused CPU kernel does not know dropout; its fallback keeps three matrices a head and draws every mask element
alone, which doubles the cost of a BERT encoder at 500 sub-tokens. Here some heads at a time are computed, and computed
again in the backward pass with the same mask (`dropout.MaskStream`). Everywhere else (evaluation, another device, no
dropout) transformers' own function for `scaled_dot_product_attention` is called. B texts, A heads, N sub-tokens, W
width of a head.
"""

from typing import Any

import torch
from torch import nn
from torch.autograd.function import FunctionCtx, once_differentiable
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from gliner_core.dropout import MaskStream, fresh_seed, scale_of

NAME = "sdpa_cpu_dropout"
BLOCK_VALUES = 1 << 18  # attention weights of one block: 1 MiB in fp32


def use_cheap_attention(encoder: PreTrainedModel) -> None:
    """Lets an encoder that uses SDPA call `attention` below instead; any other encoder is left as it is."""
    if encoder.config._attn_implementation == "sdpa":
        AttentionInterface.register(NAME, attention)
        AttentionMaskInterface.register(NAME, sdpa_mask)
        encoder.set_attn_implementation(NAME)


def attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """transformers' attention interface: [B, A, N, W] three times -> [B, N, A, W] and no weights."""
    plain = not dropout or query.device.type != "cpu" or others.get("position_bias") is not None
    causal = attention_mask is None and others.get("is_causal", getattr(module, "is_causal", True))
    if (
        plain
        or causal
        or key.shape != query.shape
        or (attention_mask is not None and attention_mask.dtype != torch.bool)
    ):
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **others
        )
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    mixed = _DropoutAttention.apply(query, key, value, _bias(attention_mask, query), scale, dropout, fresh_seed())
    return mixed.transpose(1, 2).contiguous(), None


def _bias(mask: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor:
    """Additive form of a boolean mask [B or 1, 1, N or 1, N] (True = attend), or zeros."""
    if mask is None:
        return like.new_zeros(1, 1, 1, 1)
    if mask.stride(2) == 0:  # one row for all queries, expanded: a padding mask
        mask = mask[:, :, :1]
    return torch.zeros(mask.shape, dtype=like.dtype).masked_fill(~mask, torch.finfo(like.dtype).min)


def _blocks(shape: torch.Size) -> list[tuple[int, slice]]:
    """(text, heads) of each block."""
    texts, heads, length, _ = shape
    step = max(1, BLOCK_VALUES // (length * length))
    return [(text, slice(first, first + step)) for text in range(texts) for first in range(0, heads, step)]


def _weights(query: torch.Tensor, key: torch.Tensor, bias: torch.Tensor, scale: float) -> torch.Tensor:
    """Attention weights [heads, N, N] of one text."""
    shape = (*query.shape[:2], key.shape[1])
    return torch.baddbmm(bias.expand(shape), query, key.transpose(1, 2), alpha=scale).softmax(dim=-1)


class _DropoutAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: FunctionCtx,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        bias: torch.Tensor,
        scale: float,
        dropout: float,
        seed: int,
    ) -> torch.Tensor:
        bias = bias.expand(query.shape[0], -1, -1, -1)
        masks = MaskStream(dropout, seed)
        mixed = torch.empty_like(query)
        for text, heads in _blocks(query.shape):
            weights = _weights(query[text, heads], key[text, heads], bias[text], scale)
            mixed[text, heads] = masks.drop_(weights) @ value[text, heads]
        mixed.mul_(scale_of(dropout))
        ctx.save_for_backward(query, key, value, bias, mixed)
        ctx.settings = scale, dropout, seed
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: torch.Tensor) -> tuple[Any, ...]:
        query, key, value, bias, mixed = ctx.saved_tensors
        scale, dropout, seed = ctx.settings
        masks = MaskStream(dropout, seed)
        to_query, to_key, to_value = torch.empty_like(query), torch.empty_like(key), torch.empty_like(value)
        # sum_j dP_ij P_ij of the softmax's backward equals dO_i . O_i, dropout included (Dao et al. 2022, appendix B).
        mean = (gradient * mixed).sum(dim=-1, keepdim=True)  # [B, A, N, 1]
        gradient = gradient * scale_of(dropout)
        for text, heads in _blocks(query.shape):
            weights = _weights(query[text, heads], key[text, heads], bias[text], scale)
            kept = masks.drop_(weights.clone())
            to_value[text, heads] = kept.transpose(1, 2) @ gradient[text, heads]
            inner = gradient[text, heads] @ value[text, heads].transpose(1, 2)  # [heads, N, N]
            inner.mul_(kept).sub_(weights.mul_(mean[text, heads])).mul_(scale)
            to_query[text, heads] = inner @ key[text, heads]
            to_key[text, heads] = inner.transpose(1, 2) @ query[text, heads]
        return to_query, to_key, to_value, None, None, None, None
