"""Prompts against a twin that tokenises word by word, and truncation counted to the word."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_model import MAX_TOKENS
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from gliner_core.errors import InputError
from gliner_core.prompt import ENT, FLERT, SEP, EncodedBatch, PromptEncoder

NO_TOKENS = "\x01"  # a control character: BERT's normaliser leaves nothing of it
word = st.sampled_from(["anna", "visited", "Paris", "oslos", "qwx", "a-b", "\u65e5\u672c", ENT, NO_TOKENS])


@pytest.fixture(scope="module")
def tokenizer(backbone: Path) -> PreTrainedTokenizerBase:
    tokenizer = AutoTokenizer.from_pretrained(backbone)
    tokenizer.add_tokens([FLERT, ENT, SEP], special_tokens=True)
    return tokenizer


def _encoder(tokenizer: PreTrainedTokenizerBase, **changes: object) -> PromptEncoder:
    return PromptEncoder(**{"tokenizer": tokenizer, "max_words": 384, "max_tokens": MAX_TOKENS} | changes)


def _word_by_word(tokenizer: PreTrainedTokenizerBase, words: list[str], types: list[str]) -> tuple[list, list, list]:
    """Ids, first position of each type's <<ENT>>, first position of each text word that has a sub-token."""
    ids, type_position, word_position = [tokenizer.cls_token_id], [], []
    for label in types:
        type_position.append(len(ids))
        ids += tokenizer.convert_tokens_to_ids([ENT, *tokenizer.tokenize(label)])
    ids += tokenizer.convert_tokens_to_ids([SEP])
    for item in words:
        pieces = tokenizer.tokenize(item)
        word_position += [len(ids)] * bool(pieces)
        ids += tokenizer.convert_tokens_to_ids(pieces)
    return [*ids, tokenizer.sep_token_id], type_position, word_position


def _unpadded(batch: EncodedBatch, row: int) -> list[int]:
    return batch.input_ids[row][batch.attention_mask[row].bool()].tolist()


def test_the_layout_is_the_authors(tokenizer: PreTrainedTokenizerBase) -> None:
    batch = _encoder(tokenizer).encode([["anna", "visited", "paris"]], [["person", "big city"]])
    tokens = tokenizer.convert_ids_to_tokens(_unpadded(batch, 0))
    assert [token for token in tokens if not token.startswith("##")] == (
        ["[CLS]", ENT, "person", ENT, "b", "city", SEP, "anna", "visited", "paris", "[SEP]"]
    )
    assert tokens[3] == ENT and batch.type_position.tolist() == [[1, 3]]
    assert tokenizer.convert_tokens_to_ids([FLERT, ENT, SEP]) == [len(tokenizer) - 3 + index for index in range(3)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.tuples(st.lists(word, min_size=1, max_size=9), st.lists(word, max_size=4)), min_size=1))
def test_positions_are_the_twins(tokenizer: PreTrainedTokenizerBase, texts: list) -> None:
    texts = texts[:3]
    batch = _encoder(tokenizer, max_tokens=None).encode(*zip(*texts, strict=True))
    for row, (words, types) in enumerate(texts):
        ids, type_position, word_position = _word_by_word(tokenizer, words, types)
        assert _unpadded(batch, row) == ids
        assert batch.type_position[row].tolist()[: len(types)] == type_position
        # Words without sub-tokens have no position: later words move up and the last ones stay unmapped.
        missing = [-1] * (len(words) - len(word_position))
        assert batch.word_position[row].tolist()[: len(words)] == word_position + missing
        assert (batch.num_words[row], batch.num_types[row]) == (len(words), len(types))


def test_shorter_rows_are_padded(tokenizer: PreTrainedTokenizerBase) -> None:
    batch = _encoder(tokenizer).encode([["anna", "left"], ["oslo"]], [["city"], ["person", "city"]])
    assert batch.word_position[1].tolist() == [batch.word_position[1, 0].item(), -1]
    assert batch.type_position[0].tolist() == [1, -1]
    padding = ~batch.attention_mask.bool()
    assert padding.sum(dim=1).tolist() == [1, 0]
    assert batch.input_ids[padding].tolist() == [tokenizer.pad_token_id]


def test_a_types_vector_may_stand_one_token_later(tokenizer: PreTrainedTokenizerBase) -> None:
    texts, types = [["anna"]], [["person", "city"]]
    usual = _encoder(tokenizer).encode(texts, types)
    later = _encoder(tokenizer, embed_ent_token=False).encode(texts, types)
    assert torch.equal(later.type_position, usual.type_position + 1)
    assert tokenizer.convert_ids_to_tokens(later.input_ids[0, later.type_position[0]].tolist()) == ["person", "city"]


def test_words_beyond_max_words_are_cut_and_counted(tokenizer: PreTrainedTokenizerBase) -> None:
    texts = [["anna"] * 3, ["anna"] * 5, ["anna"] * 8]
    batch = _encoder(tokenizer, max_words=5).encode(texts, [["city"]] * 3)
    assert batch.num_words.tolist() == [3, 5, 5]
    assert batch.lost_words == (0, 0, 3)
    assert batch.word_position.shape == (3, 5)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(word, min_size=10, max_size=60), limit=st.integers(20, 40))
def test_the_token_window_keeps_the_most_whole_words(
    tokenizer: PreTrainedTokenizerBase, words: list[str], limit: int
) -> None:
    types = ["person", "city"]
    batch = _encoder(tokenizer, max_tokens=limit).encode([words], [types])
    sizes = [len(_word_by_word(tokenizer, words[:count], types)[0]) for count in range(len(words) + 1)]
    kept = max(count for count, size in enumerate(sizes) if size <= limit)
    assert (int(batch.num_words[0]), batch.lost_words[0]) == (kept, len(words) - kept)
    assert _unpadded(batch, 0) == _word_by_word(tokenizer, words[:kept], types)[0]


def test_both_windows_count_together(tokenizer: PreTrainedTokenizerBase) -> None:
    batch = _encoder(tokenizer, max_words=50, max_tokens=20).encode([["anna"] * 70], [["city"]])
    assert batch.input_ids.shape[1] == 20
    assert (int(batch.num_words[0]), batch.lost_words[0]) == (15, 55)


@pytest.mark.parametrize("count", [11, 30])
def test_a_prompt_that_leaves_no_room_is_refused(tokenizer: PreTrainedTokenizerBase, count: int) -> None:
    encoder = _encoder(tokenizer, max_tokens=24)  # [CLS] + 2 per type + <<SEP>> + a word + [SEP]
    assert encoder.encode([["anna", "left"]], [["city"] * 10]).lost_words == (1,)
    with pytest.raises(InputError) as caught:
        encoder.encode([["anna", "left"]], [["city"] * count])
    assert f"{count} types" in str(caught.value) and "24 sub-tokens" in str(caught.value)


def test_an_empty_text_is_one_padding_word(tokenizer: PreTrainedTokenizerBase) -> None:
    batch = _encoder(tokenizer).encode([[]], [["city"]])
    assert tokenizer.convert_ids_to_tokens(_unpadded(batch, 0))[-2:] == ["[PAD]", "[SEP]"]
    assert (batch.num_words.tolist(), batch.lost_words) == ([1], (0,))
