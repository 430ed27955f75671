"""DeBERTa's attention without its gathers, or through the package `flashdeberta` where that is exact.

DeBERTa adds to the score of query i and key j a query x position and a key x position product that depend on i - j
(He et al. 2021, equation 4). transformers computes them for every position bucket of every text and gathers; here the
2N - 1 distances are the columns of one product whose diagonals are read as a view, and torch's fused attention adds
them. Parameters keep their names. B texts, A heads, N sub-tokens, W width of a head.
"""

import importlib.util
import math
import os
from functools import cache
from importlib.metadata import version

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.models.deberta_v2.modeling_deberta_v2 import DisentangledSelfAttention

from gliner_core import attention

CPU_ATTENTION = attention.NAME  # elsewhere it calls torch's own
SWITCH = "GLINER_ATTENTION"  # `transformers` leaves every encoder as the library made it
FLASH = "flashdeberta"
FLASH_HEADS = (16, 32, 64, 128)  # its kernels need a power of two


def use_fast_deberta(encoder: PreTrainedModel) -> None:
    """Gives the attention modules of a DeBERTa-v2 another `forward`; any other encoder is left as it is."""
    if os.environ.get(SWITCH) == "transformers":
        return
    for module in encoder.modules():
        if type(module) is DisentangledSelfAttention and module.relative_attention:
            module.__class__ = FastSelfAttention  # parameters, mode and hooks stay


def attention_kernel(encoder: PreTrainedModel) -> str:
    """What computes the attention of `encoder`, for receipts: a change of it changes the last digits."""
    if not any(isinstance(module, FastSelfAttention) for module in encoder.modules()):
        name = encoder.config._attn_implementation
        return "sdpa" if name == CPU_ATTENTION and encoder.device.type != "cpu" else name
    flash = encoder.device.type == "cuda" and _has_flash()
    return f"diagonal, {FLASH} {version(FLASH)} without dropout at 16 bits" if flash else "diagonal"


class FastSelfAttention(DisentangledSelfAttention):
    """transformers' module with another way to the same numbers."""

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor,
        output_attentions: bool = False,
        query_states: torch.Tensor | None = None,
        relative_pos: torch.Tensor | None = None,
        rel_embeddings: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """[B, N, A * W] and a mask [B, 1, N, N] -> [B, N, A * W]; who asks for the weights gets transformers' way."""
        unusual = output_attentions or query_states is not None or relative_pos is None or rel_embeddings is None
        if unusual or not pays(self, hidden_states):
            return super().forward(
                hidden_states, attention_mask, output_attentions, query_states, relative_pos, rel_embeddings
            )
        if flash_fits(self, hidden_states):
            from flashdeberta import FlashDisentangledSelfAttention

            return FlashDisentangledSelfAttention.forward(
                self, hidden_states, attention_mask, relative_pos=relative_pos, rel_embeddings=rel_embeddings
            )
        query, key, value = (
            _heads(project(hidden_states), self.num_attention_heads)
            for project in (self.query_proj, self.key_proj, self.value_proj)
        )  # [B, A, N, W] each
        terms = 1 + ("c2p" in self.pos_att_type) + ("p2c" in self.pos_att_type)
        scale = 1 / math.sqrt(self.attention_head_size * terms)
        bias = self._position_scores(query * scale, key * scale, relative_pos, self.pos_dropout(rel_embeddings))
        bias = bias.masked_fill(~attention_mask.bool(), torch.finfo(query.dtype).min)  # [B, A, N, N]
        return self._mix(query, key, value, bias, scale).transpose(1, 2).flatten(2), None

    def _position_scores(
        self, query: torch.Tensor, key: torch.Tensor, relative_pos: torch.Tensor, embeddings: torch.Tensor
    ) -> torch.Tensor:
        """The two position terms [B, A, N, N] of scaled queries and keys."""
        backward, ahead = relative_pos[0, :, 0], relative_pos[0, 0, :]  # buckets of the distances 0..N-1 and 0..1-N
        falling = torch.cat([backward.flip(0), ahead[1:], ahead[-1:]])  # N-1..1-N and one column that is not read
        columns = (falling + self.pos_ebd_size).clamp(0, 2 * self.pos_ebd_size - 1)
        scores = query.new_zeros(())
        if "c2p" in self.pos_att_type:
            project = self.key_proj if self.share_att_key else self.pos_key_proj
            positions = _heads(project(embeddings), self.num_attention_heads)[:, columns]  # [A, 2N, W]
            scores = scores + _diagonals(query @ positions.transpose(1, 2))
        if "p2c" in self.pos_att_type:
            project = self.query_proj if self.share_att_key else self.pos_query_proj
            rising = columns[:-1].flip(0)
            positions = _heads(project(embeddings), self.num_attention_heads)[:, torch.cat([rising, rising[-1:]])]
            scores = scores + _diagonals(key @ positions.transpose(1, 2)).transpose(2, 3)
        return scores

    def _mix(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """softmax(scale * query . key + bias) with dropout, times the values; [B, A, N, W]."""
        dropout = self.dropout.p if self.training else 0.0
        if dropout and query.device.type == "cpu":  # torch's fused kernel for the CPU knows no dropout
            scores = torch.matmul(query * scale, key.transpose(2, 3)) + bias
            return self.dropout(scores.softmax(dim=-1)) @ value
        return nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=bias, dropout_p=dropout, scale=scale
        )


def pays(module: DisentangledSelfAttention, hidden: torch.Tensor) -> bool:
    """On a CPU 2N columns are cheaper than buckets and gathers up to as many sub-tokens as there are buckets."""
    return hidden.device.type != "cpu" or hidden.shape[1] <= module.pos_ebd_size


def flash_fits(module: DisentangledSelfAttention, hidden: torch.Tensor) -> bool:
    """flashdeberta leaves the attention dropout out and multiplies fp32 at TF32 precision: only where neither shows."""
    narrow = hidden.dtype.itemsize == 2 or torch.is_autocast_enabled("cuda")
    exact = narrow and not (module.training and module.dropout.p) and module.attention_head_size in FLASH_HEADS
    return hidden.device.type == "cuda" and exact and _has_flash()


@cache  # asked by each layer
def _has_flash() -> bool:
    return importlib.util.find_spec(FLASH) is not None


def _heads(values: torch.Tensor, num_heads: int) -> torch.Tensor:
    """[..., N, A * W] -> [..., A, N, W]."""
    return values.unflatten(-1, (num_heads, -1)).transpose(-2, -3)


def _diagonals(scores: torch.Tensor) -> torch.Tensor:
    """[B, A, N, 2N] -> view [B, A, N, N] whose cell (i, j) is the column j - i + N - 1 of row i.

    Rows read one column shorter than they are shift by one against each other.
    """
    length = scores.shape[2]
    flat = scores.flatten(2)[..., length - 1 : length - 1 + length * (2 * length - 1)]
    return flat.unflatten(2, (length, 2 * length - 1))[..., :length]
