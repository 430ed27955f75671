"""Cached sub-tokens against one call of the tokenizer per row, for each family of tokenizers."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers_by_family import FAMILIES, TEXT, roberta
from transformers import PreTrainedTokenizerBase

from gliner_core import tokens
from gliner_core.errors import InputError
from gliner_core.prompt import EMPTY_WORD, ENT, SEP, PromptEncoder
from gliner_core.tokens import SubTokens

# Whole words of the corpus, any unicode, and what tokenizers treat apart: spaces inside, markers, nothing at all.
known = st.sampled_from([word for text in TEXT for word in text.split()])
odd = st.sampled_from(
    [ENT, SEP, "[MASK]", "a [MASK] b", "\x01", "", " ", " a", "a\u0301", "big  city", "\u2581x", "<s>"]
)
word = known | odd | st.text(max_size=6)
quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=FAMILIES)
def tokenizer(request: pytest.FixtureRequest) -> PreTrainedTokenizerBase:
    return FAMILIES[request.param]()


@pytest.fixture(scope="module")
def prompts(tokenizer: PreTrainedTokenizerBase) -> PromptEncoder:
    """One encoder for all examples, so that its caches are warm for most of them."""
    return PromptEncoder(tokenizer=tokenizer, max_words=7, max_tokens=None)


def _by_one_call(tokenizer: PreTrainedTokenizerBase, words: Sequence[str], types: Sequence[str]) -> tuple[list, ...]:
    """Ids, positions of <<ENT>>, positions of text words: from the tokenizer's own word ids over the whole row."""
    prompt = [part for label in types for part in (ENT, label)] + [SEP]
    encoding = tokenizer(prompt + (list(words) or [EMPTY_WORD]), is_split_into_words=True)
    owners = encoding.word_ids()
    first = {owner: owners.index(owner) for owner in owners if owner is not None}
    return (
        encoding["input_ids"],
        [first[2 * index] for index in range(len(types))],
        [position for owner, position in first.items() if owner >= len(prompt)],
    )


def _rows(prompts: PromptEncoder, texts: list[list[str]], types: list[list[str]]) -> list[tuple[list, ...]]:
    batch = prompts.encode(texts, types)
    ids = [row[mask.bool()].tolist() for row, mask in zip(batch.input_ids, batch.attention_mask, strict=True)]
    maps = (batch.type_position.tolist(), batch.word_position.tolist())
    return [(one, *([at for at in row if at >= 0] for row in rest)) for one, *rest in zip(ids, *maps, strict=True)]


@quick
@given(rows=st.lists(st.tuples(st.lists(word, max_size=7), st.lists(word, max_size=3)), min_size=1, max_size=3))
def test_cached_ids_are_those_of_one_call(prompts: PromptEncoder, rows: list[tuple[list, list]]) -> None:
    texts, types = ([list(column) for column in part] for part in zip(*rows, strict=True))
    assert prompts.tokens.cached
    expected = [_by_one_call(prompts.tokenizer, *row) for row in zip(texts, types, strict=True)]
    assert _rows(prompts, texts, types) == expected
    lengths = prompts.lengths(texts, types)
    assert [length for length, text in zip(lengths, texts, strict=True) if text] == (
        [len(ids) for (ids, *_), text in zip(expected, texts, strict=True) if text]
    )


@quick
@given(texts=st.lists(st.lists(word, max_size=5), min_size=1, max_size=3), labels=st.lists(known, max_size=2))
def test_without_the_cache_the_ids_are_the_same(
    tokenizer: PreTrainedTokenizerBase, texts: list[list[str]], labels: list[str]
) -> None:
    prompts = PromptEncoder(tokenizer=tokenizer, max_words=7, max_tokens=None)
    prompts.tokens.cached = False
    assert _rows(prompts, texts, [labels] * len(texts)) == [_by_one_call(tokenizer, text, labels) for text in texts]


class Counted:
    """A tokenizer that counts its calls and the words it is given."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer, self.calls, self.words = tokenizer, 0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tokenizer, name)

    def __call__(self, rows: list[Any], **options: Any) -> Any:
        self.calls += 1
        self.words += sum(1 if isinstance(row, str) else len(row) for row in rows)
        return self.tokenizer(rows, **options)


def test_a_word_and_a_label_are_tokenised_once(tokenizer: PreTrainedTokenizerBase) -> None:
    counted = Counted(tokenizer)
    prompts = PromptEncoder(tokenizer=counted, max_words=384, max_tokens=None)
    counted.calls = counted.words = 0
    for _ in range(3):
        prompts.encode([["anna", "left", "oslo"], ["anna", "left"]], [["city", "big city"]] * 2)
    assert (counted.calls, counted.words) == (1, 4 + 3)  # <<ENT>>, <<SEP>>, two labels; three words


def test_bpe_dropout_is_noticed_and_tokenised_in_one_call() -> None:
    counted = Counted(roberta(dropout=0.5))
    prompts = PromptEncoder(tokenizer=counted, max_words=384, max_tokens=None)
    assert not prompts.tokens.cached
    counted.calls = 0
    batch = prompts.encode([["visited", "oslo"], ["anna"]] * 4, [["city"]] * 8)
    assert counted.calls == 1 and batch.num_words.tolist() == [2, 1] * 4
    assert len({tuple(row.tolist()) for row in batch.input_ids[::2]}) > 1  # each text has its own draw
    assert prompts.lengths([["visited", "oslo"]], [["city"]]) == [4] and counted.calls == 1


def test_a_full_cache_is_dropped(tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "CACHE_WORDS", 10)
    found = SubTokens(tokenizer)
    words = [[f"w{number}" for number in range(start, start + 6)] for start in range(0, 60, 3)]
    alone = SubTokens(tokenizer)
    assert [found.split([row])[0] for row in words] == [alone._tokenised([row])[0] for row in words]
    assert len(found._known) < 10 + 6


def test_texts_asked_for_their_length_are_not_tokenised_again(
    tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prediction asks for all lengths first; the words must still be there when the batches are made."""
    monkeypatch.setattr(tokens, "CACHE_WORDS", 10)
    counted = Counted(tokenizer)
    prompts = PromptEncoder(tokenizer=counted, max_words=384, max_tokens=None)
    texts = [[f"w{number}" for number in range(start, start + 6)] for start in range(0, 60, 6)]
    prompts.lengths(texts, [["city"]] * 10)
    counted.words = 0
    for text in texts:
        prompts.encode([text], [["city"]])
    assert counted.words == 0


def test_a_tokenizer_without_word_ids_is_refused(tokenizer: PreTrainedTokenizerBase) -> None:
    slow = Counted(tokenizer)
    slow.is_fast = False
    with pytest.raises(InputError, match="fast tokenizer"):
        SubTokens(slow)
