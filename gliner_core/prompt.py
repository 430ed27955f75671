"""Types and words -> token ids: `<<ENT>> type ... <<SEP>> words`, the word map, and a count of what did not fit.

Paper section 2.1; the token strings, their order in the vocabulary and the gathering rule (the k-th distinct word id
after the prompt is text word k) are the author's code.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from gliner_core.errors import InputError
from gliner_core.tokens import Pieces, SubTokens

ENT, SEP, FLERT = "<<ENT>>", "<<SEP>>", "[FLERT]"
EMPTY_WORD = "[PAD]"  # an empty text becomes this single word (author's code)
CACHE_PROMPTS = 1024  # label lists whose ids are kept


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
        return self._with(lambda tensor: tensor.to(device, non_blocking=True))

    def pinned(self) -> "EncodedBatch":
        """The same batch in page-locked memory, from which a GPU copies without stopping the host."""
        return self._with(torch.Tensor.pin_memory)

    def _with(self, change: Callable[[torch.Tensor], torch.Tensor]) -> "EncodedBatch":
        names = ("input_ids", "attention_mask", "word_position", "type_position", "num_words", "num_types")
        return replace(self, **{name: change(getattr(self, name)) for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptEncoder:
    """Encodes batches with one tokenizer and one window."""

    tokenizer: PreTrainedTokenizerBase
    max_words: int
    max_tokens: int | None  # the encoder's position limit; None = relative positions, no limit
    embed_ent_token: bool = True
    tokens: SubTokens = field(init=False, repr=False, compare=False)
    _prompts: dict[tuple[str, ...], "_Prompt"] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", SubTokens(self.tokenizer))

    def encode(self, texts: Sequence[Sequence[str]], types: Sequence[Sequence[str]]) -> EncodedBatch:
        """Encodes word lists with their types; both have length B. Words that do not fit are cut and counted."""
        kept = [list(words[: self.max_words]) or [EMPTY_WORD] for words in texts]
        rows = [self._row(*parts) for parts in self._parts(kept, types)]
        num_words = [len(row.word_position) for row in rows]
        sizes = [max(len(words), 1) for words in texts]
        input_ids, attention_mask = _padded([row.ids for row in rows], self.tokenizer.pad_token_id)
        return EncodedBatch(
            input_ids=input_ids,
            attention_mask=attention_mask,
            word_position=_padded([row.word_position for row in rows], -1)[0],
            type_position=_padded([row.type_position for row in rows], -1)[0],
            num_words=torch.tensor(num_words),
            num_types=torch.tensor([len(row.type_position) for row in rows]),
            lost_words=tuple(size - count for size, count in zip(sizes, num_words, strict=True)),
        )

    def lengths(self, texts: Sequence[Sequence[str]], types: Sequence[Sequence[str]]) -> list[int]:
        """Sub-tokens of each text with its prompt, before any cut by the encoder's positions.

        Where sub-tokens are not cached the words are counted instead, so that no text is tokenised for its length.
        """
        if not self.tokens.cached:
            return [2 * len(labels) + len(words[: self.max_words]) for words, labels in zip(texts, types, strict=True)]
        fixed = [len(self._prompt(labels).ids) + len(self.tokens.suffix) for labels in types]
        pieces = self.tokens.split([words[: self.max_words] for words in texts])  # last, so that they stay cached
        return [size + sum(map(len, row)) for size, row in zip(fixed, pieces, strict=True)]

    def room(self, labels: Sequence[str]) -> float:
        """Sub-tokens that the encoder's positions leave for the text; infinite where positions are relative."""
        if self.max_tokens is None:
            return math.inf
        return self.max_tokens - len(self._prompt(labels).ids) - len(self.tokens.suffix)

    def _parts(self, texts: list[list[str]], types: Sequence[Sequence[str]]) -> list[tuple["_Prompt", list[Pieces]]]:
        if self.tokens.cached:
            new = [_prompt_words(labels) for labels in dict.fromkeys(map(tuple, types)) if labels not in self._prompts]
            pieces = self.tokens.split([*new, *texts])[len(new) :]  # one call for all words that are new
            return list(zip(map(self._prompt, types), pieces, strict=True))
        prompts = [_prompt_words(labels) for labels in types]
        rows = self.tokens.split([prompt + words for prompt, words in zip(prompts, texts, strict=True)])
        return [
            (self._layout(row[: len(prompt)]), row[len(prompt) :]) for prompt, row in zip(prompts, rows, strict=True)
        ]

    def _prompt(self, labels: Sequence[str]) -> "_Prompt":
        key = tuple(labels)
        found = self._prompts.get(key)
        if found is None:
            if len(self._prompts) >= CACHE_PROMPTS:
                self._prompts.clear()
            self._prompts[key] = found = self._layout(self.tokens.split([_prompt_words(key)])[0])
        return found

    def _layout(self, pieces: list[Pieces]) -> "_Prompt":
        starts = list(accumulate(map(len, pieces), initial=len(self.tokens.prefix)))
        return _Prompt(
            ids=[*self.tokens.prefix, *chain.from_iterable(pieces)],
            type_position=[start + (not self.embed_ent_token) for start in starts[:-2:2]],
        )

    def _row(self, prompt: "_Prompt", pieces: list[Pieces]) -> "_Row":
        starts = list(accumulate(map(len, pieces), initial=len(prompt.ids)))
        kept, suffix = len(pieces), self.tokens.suffix
        if self.max_tokens is not None and starts[-1] + len(suffix) > self.max_tokens:
            kept = bisect_right(starts, self.max_tokens - len(suffix)) - 1
            if kept < 1:
                raise InputError(
                    f"{len(prompt.type_position)} types fill the encoder's window of {self.max_tokens} sub-tokens and "
                    "leave no room for the text; ask for fewer types at once"
                )
        # A word without sub-tokens has no position: later words move up and the last ones stay unmapped (-1).
        found = [start for start, own in zip(starts, pieces[:kept], strict=False) if own]
        return _Row(
            ids=[*prompt.ids, *chain.from_iterable(pieces[:kept]), *suffix],
            word_position=found + [-1] * (kept - len(found)),
            type_position=prompt.type_position,
        )


def _prompt_words(labels: Sequence[str]) -> list[str]:
    return [part for label in labels for part in (ENT, label)] + [SEP]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prompt:
    ids: list[int]  # with the tokenizer's prefix
    type_position: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    ids: list[int]
    word_position: list[int]
    type_position: list[int]


def _padded(rows: Sequence[Sequence[int]], fill: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of different length as one [B, N] tensor, and the mask [B, N] of 1 where a row has a value."""
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    mask = np.arange(lengths.max(initial=0)) < lengths[:, None]  # [B, N]
    out = np.full(mask.shape, fill, dtype=np.int64)
    out[mask] = np.fromiter(chain.from_iterable(rows), np.int64, int(lengths.sum()))
    return torch.from_numpy(out), torch.from_numpy(mask.astype(np.int64))
