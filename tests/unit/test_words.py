"""Raw text to words with offsets; given words stay as they are."""

from hypothesis import given
from hypothesis import strategies as st

from gliner_core.words import join_words, split_text


def test_the_authors_splitter_on_hard_cases() -> None:
    text = "O'Neil's state-of-the-art U.S. e-mail_box: 3.5% \u00e9t\u00e9 --x \u65e5\u672c"
    expected = ["O", "'", "Neil", "'", "s", "state-of-the-art", "U", ".", "S", ".", "e-mail_box", ":"]
    expected += ["3", ".", "5", "%", "\u00e9t\u00e9", "-", "-", "x", "\u65e5\u672c"]
    assert list(split_text(text).words) == expected


@given(st.text(max_size=40))
def test_offsets_cut_the_words_out_of_the_text_and_lose_nothing_but_space(text: str) -> None:
    split = split_text(text)
    assert tuple(text[first:last] for first, last in split.offsets) == split.words
    assert "".join(split.words) == "".join(text.split())
    assert list(split.offsets) == sorted(split.offsets)


@given(st.lists(st.text(max_size=5), max_size=6))
def test_given_words_are_never_split(words: list[str]) -> None:
    joined = join_words(words)
    assert list(joined.words) == words
    assert [joined.text[first:last] for first, last in joined.offsets] == words
    assert joined.text == " ".join(words)
