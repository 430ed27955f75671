"""Words -> sub-token ids, each distinct word tokenised once.

A fast tokenizer normalises, splits and encodes every word of a pre-split text by itself and puts its special tokens
around the result (the `tokenizers` library, `encode` with `is_pretokenized`), so a word has the same ids in every text.
A tokenizer is probed for this when it is wrapped; where it does not hold (BPE dropout, components written in Python)
nothing is cached, and whole texts go to the tokenizer in one call a batch.
"""

from collections.abc import Sequence
from itertools import chain

from transformers import PreTrainedTokenizerBase

from gliner_core.errors import InputError

Pieces = tuple[int, ...]  # the sub-token ids of one word; empty where the normaliser leaves nothing of it

CACHE_WORDS = 2**17  # about 30 MB; English has fewer in daily use, and a full cache is only dropped
PROBE = (
    "Anna",
    "visited",
    "S\u00e3o-Paulo",
    ",",
    "unbelievably",
    "\u65e5\u672c",
    "anna",
    "antidisestablishment",
    "42nd",
)


class SubTokens:
    """One tokenizer with a bounded cache; tokens added to the tokenizer afterwards are not seen in cached words."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        if not tokenizer.is_fast:
            raise InputError(
                f"the tokenizer {type(tokenizer).__name__} cannot tell which sub-token belongs to which word; give a "
                "backbone with a fast tokenizer (a folder with tokenizer.json)"
            )
        self.tokenizer = tokenizer
        self._known: dict[str, Pieces] = {}
        whole = tokenizer(list(PROBE), is_split_into_words=True, truncation=False, verbose=False)
        own = [word is not None for word in whole.word_ids()]
        first, after = own.index(True), len(own) - own[::-1].index(True)
        ids = whole["input_ids"]
        self.prefix, self.suffix = tuple(ids[:first]), tuple(ids[after:])
        alone = [pieces for (pieces,) in self._tokenised([[word] for word in PROBE])]
        self.cached = ids[first:after] == list(chain.from_iterable(alone))

    def split(self, texts: Sequence[Sequence[str]]) -> list[list[Pieces]]:
        """Sub-token ids of every word of every text, without the tokenizer's special tokens."""
        if not self.cached:
            return self._tokenised(texts)
        known, words = self._known, set(chain.from_iterable(texts))
        new = list(words.difference(known))
        if new and len(known) >= CACHE_WORDS:  # only then: texts asked for their length are encoded soon after
            # A full cache is replaced, never emptied in place: another thread may be reading it.
            self._known, known, new = (fresh := {}), fresh, list(words)
        if new:
            known.update(zip(new, self._tokenised([new])[0], strict=True))
        return [[known[word] for word in words] for words in texts]

    def _tokenised(self, texts: Sequence[Sequence[str]]) -> list[list[Pieces]]:
        encoded = self.tokenizer(
            [list(words) for words in texts],
            is_split_into_words=True,
            add_special_tokens=False,
            truncation=False,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,
        )
        rows = []
        for row, words in enumerate(texts):
            pieces: list[list[int]] = [[] for _ in words]
            for word, token in zip(encoded.word_ids(row), encoded["input_ids"][row], strict=True):
                pieces[word].append(token)
            rows.append([tuple(ids) for ids in pieces])
        return rows
