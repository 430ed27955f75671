"""Types and words -> token ids: `<<ENT>> type ... <<SEP>> words`, the word map, and a count of what did not fit.

Paper section 2.1; the token strings, their order in the vocabulary and the gathering rule (the k-th distinct word id
after the prompt is text word k) are the author's code.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerBase

from gliner_core.errors import InputError

ENT, SEP, FLERT = "<<ENT>>", "<<SEP>>", "[FLERT]"
EMPTY_WORD = "[PAD]"  # an empty text becomes this single word (author's code)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedBatch:
    """Token ids and maps of one batch. B examples, N sub-tokens, L words, C types; -1 marks padding in the maps."""

    input_ids: torch.Tensor  # [B, N]
    attention_mask: torch.Tensor  # [B, N]
    word_position: torch.Tensor  # [B, L] position of the first sub-token of each text word
    type_position: torch.Tensor  # [B, C] position of each type's vector: its <<ENT>> token or the one after it
    num_words: torch.Tensor  # [B]
    num_types: torch.Tensor  # [B]
    lost_words: tuple[int, ...]  # text words beyond the window, per example

    def to(self, device: torch.device | str) -> "EncodedBatch":
        """The same batch on another device."""
        names = ("input_ids", "attention_mask", "word_position", "type_position", "num_words", "num_types")
        moved = {name: getattr(self, name).to(device, non_blocking=True) for name in names}
        return EncodedBatch(lost_words=self.lost_words, **moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptEncoder:
    """Encodes batches with one tokenizer and one window."""

    tokenizer: PreTrainedTokenizerBase
    max_words: int
    max_tokens: int | None  # the encoder's position limit; None = relative positions, no limit
    embed_ent_token: bool = True

    def encode(self, texts: Sequence[Sequence[str]], types: Sequence[Sequence[str]]) -> EncodedBatch:
        """Encodes word lists with their types; both have length B. Words that do not fit are cut and counted."""
        rows = [self._row(list(words), list(labels)) for words, labels in zip(texts, types, strict=True)]
        width = max(len(row.ids) for row in rows)
        num_words = [len(row.word_position) for row in rows]
        num_types = [len(row.type_position) for row in rows]
        return EncodedBatch(
            input_ids=_padded([row.ids for row in rows], width, self.tokenizer.pad_token_id),
            attention_mask=_padded([[1] * len(row.ids) for row in rows], width, 0),
            word_position=_padded([row.word_position for row in rows], max(num_words), -1),
            type_position=_padded([row.type_position for row in rows], max(num_types), -1),
            num_words=torch.tensor(num_words),
            num_types=torch.tensor(num_types),
            lost_words=tuple(row.lost_words for row in rows),
        )

    def _row(self, words: list[str], types: list[str]) -> "_Row":
        words = words or [EMPTY_WORD]
        kept = words[: self.max_words]
        prompt = [part for label in types for part in (ENT, label)] + [SEP]
        encoding = self.tokenizer(prompt + kept, is_split_into_words=True, truncation=False, verbose=False)
        ids, word_ids = list(encoding["input_ids"]), encoding.word_ids()
        if self.max_tokens is not None and len(ids) > self.max_tokens:
            kept = kept[: self._fitting_words(word_ids, len(prompt), len(types))]
            encoding = self.tokenizer(prompt + kept, is_split_into_words=True, truncation=False, verbose=False)
            ids, word_ids = list(encoding["input_ids"]), encoding.word_ids()
        first: dict[int, int] = {}
        for position, word in enumerate(word_ids):
            if word is not None:
                first.setdefault(word, position)
        # A word without sub-tokens has no position: later words move up and the last ones stay unmapped (-1).
        found = [position for word, position in first.items() if word >= len(prompt)]
        return _Row(
            ids=ids,
            word_position=found + [-1] * (len(kept) - len(found)),
            type_position=[first[2 * index] + (not self.embed_ent_token) for index in range(len(types))],
            lost_words=len(words) - len(kept),
        )

    def _fitting_words(self, word_ids: list[int | None], prompt_length: int, num_types: int) -> int:
        specials_after = sum(1 for word in reversed(word_ids[-2:]) if word is None)
        room = self.max_tokens - specials_after
        cut = next((word for word in word_ids[room:] if word is not None), None)
        kept = 0 if cut is None else cut - prompt_length
        if kept < 1:
            raise InputError(
                f"{num_types} types fill the encoder's window of {self.max_tokens} sub-tokens and leave no room for "
                "the text; ask for fewer types at once"
            )
        return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    ids: list[int]
    word_position: list[int]
    type_position: list[int]
    lost_words: int


def _padded(rows: Sequence[Sequence[int]], width: int, fill: int) -> torch.Tensor:
    out = torch.full((len(rows), width), fill, dtype=torch.long)
    for index, row in enumerate(rows):
        out[index, : len(row)] = torch.as_tensor(row, dtype=torch.long)
    return out
