"""GLiNER's network: encode the prompt, gather words and types, score every span against every type.

Letters: B batch, N sub-tokens, L words, K span width, C types, D width of the heads. Paper section 2.1; parts that the
paper does not mention (BiLSTM, separate start and end maps) follow the author's code and are knobs of `ModelSpec`.
"""

import torch
from torch import nn
from transformers import PreTrainedTokenizerBase

from gliner_core.attention import use_cheap_attention
from gliner_core.deberta import use_fast_deberta
from gliner_core.dropout import use_cheap_dropout
from gliner_core.encoder import load_backbone, token_limit
from gliner_core.errors import InputError
from gliner_core.heads import SPAN_HEADS
from gliner_core.lstm import WordLSTM
from gliner_core.prompt import EncodedBatch, PromptEncoder
from gliner_core.span_head import two_layer
from gliner_core.spec import ModelSpec


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
        use_cheap_dropout(encoder)
        use_cheap_attention(encoder)
        use_fast_deberta(encoder)
        width = encoder.config.hidden_size
        self.projection = nn.Linear(width, spec.hidden_size) if width != spec.hidden_size else None
        self.rnn = WordLSTM(spec.hidden_size) if spec.rnn else None
        self.span_head = SPAN_HEADS[spec.span_mode](spec.hidden_size, spec.dropout, spec.max_width)
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
        """Scores (logits) [B, L, K, C]; `max_width` overrides K.

        Raises `InputError` where K exceeds that of the training and the span head has weights for each width.
        """
        hidden = self.encoder(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
        if self.projection is not None:
            hidden = self.projection(hidden)  # [B, N, D]
        words = _gather(hidden, batch.word_position)  # [B, L, D]
        types = self.type_head(_gather(hidden, batch.type_position))  # [B, C, D]
        if self.rnn is not None:
            words = self.rnn(words, batch.num_words)
        scores = self.span_head(words, types, batch.num_words, max_width or self.spec.max_width)
        return scores if self.score_bias is None else scores + self.score_bias

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device


def _gather(hidden: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
    """[B, N, D] at positions [B, M] -> [B, M, D]; position -1 gives a zero vector."""
    index = position.clamp(min=0)[..., None].expand(-1, -1, hidden.shape[-1])
    return hidden.gather(1, index) * (position >= 0)[..., None]
