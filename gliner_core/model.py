"""GLiNER's network: encode the prompt, gather words and types, score every span against every type.

Letters: B batch, N sub-tokens, L words, K span width, C types, D width of the heads. Paper section 2.1; parts that the
paper does not mention (BiLSTM, separate start and end maps) follow the author's code and are knobs of `ModelSpec`.
"""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers import PreTrainedTokenizerBase

from gliner_core.encoder import load_backbone, token_limit
from gliner_core.errors import InputError
from gliner_core.heads import SPAN_HEADS, two_layer
from gliner_core.prompt import EncodedBatch, PromptEncoder
from gliner_core.scorer import span_type_scores
from gliner_core.spec import ModelSpec


class WordLSTM(nn.Module):
    """One bidirectional layer over the words, D/2 per direction, packed by true length."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(hidden_size, hidden_size // 2, batch_first=True, bidirectional=True)

    def forward(self, words: torch.Tensor, num_words: torch.Tensor) -> torch.Tensor:
        """[B, L, D] -> [B, L, D]; rows past `num_words` are zero."""
        packed = pack_padded_sequence(words, num_words.cpu(), batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=words.shape[1])[0]


class SpanScoringModel(nn.Module):
    """Maps an EncodedBatch to scores [B, L, K, C]."""

    def __init__(self, spec: ModelSpec, encoder: nn.Module, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__()
        if spec.span_mode not in SPAN_HEADS:
            known = ", ".join(SPAN_HEADS)
            raise InputError(f"`model.span_mode` {spec.span_mode!r} is unknown; registered in heads.py: {known}")
        if spec.rnn and spec.hidden_size % 2:
            raise InputError(f"`model.hidden_size` is {spec.hidden_size}; the BiLSTM needs an even number")
        self.spec = spec
        self.tokenizer = tokenizer
        self.encoder = encoder
        width = encoder.config.hidden_size
        self.projection = nn.Linear(width, spec.hidden_size) if width != spec.hidden_size else None
        self.rnn = WordLSTM(spec.hidden_size) if spec.rnn else None
        self.span_head = SPAN_HEADS[spec.span_mode](spec.hidden_size, spec.dropout)
        self.type_head = two_layer(spec.hidden_size, spec.hidden_size, spec.dropout)
        self.score_bias = None if spec.score_bias is None else nn.Parameter(torch.tensor(float(spec.score_bias)))
        self.prompts = PromptEncoder(
            tokenizer=tokenizer,
            max_words=spec.max_words,
            max_tokens=token_limit(encoder.config),
            embed_ent_token=spec.embed_ent_token,
        )

    @classmethod
    def from_spec(cls, spec: ModelSpec) -> "SpanScoringModel":
        """A fresh model on a pretrained (or random) backbone; draws from torch's global generator."""
        encoder, tokenizer = load_backbone(spec.backbone)
        return cls(spec, encoder, tokenizer)

    def forward(self, batch: EncodedBatch, max_width: int | None = None) -> torch.Tensor:
        """Scores (logits) [B, L, K, C]; `max_width` overrides K, which the heads do not depend on."""
        hidden = self.encoder(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
        if self.projection is not None:
            hidden = self.projection(hidden)  # [B, N, D]
        words = _gather(hidden, batch.word_position)  # [B, L, D]
        types = self.type_head(_gather(hidden, batch.type_position))  # [B, C, D]
        if self.rnn is not None:
            words = self.rnn(words, batch.num_words)
        scores = span_type_scores(self.span_head, words, types, max_width or self.spec.max_width)
        return scores if self.score_bias is None else scores + self.score_bias

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device


def _gather(hidden: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
    """[B, N, D] at positions [B, M] -> [B, M, D]; position -1 gives a zero vector."""
    index = position.clamp(min=0)[..., None].expand(-1, -1, hidden.shape[-1])
    return hidden.gather(1, index) * (position >= 0)[..., None]
