"""Sentences given as a list of words with a list of tags, by name or by number: JSON lines, and what parquet shares."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.corpora.readers.columns import SCHEMES, tag_spans
from benchmarks.corpora.readers.options import Choice
from benchmarks.corpora.readers.rows import RawFile, Row, is_index, keys, tokens

TAGGED_OPTIONS: Mapping[str, Choice] = {
    "tokens_column": str,
    "tags_column": str,
    "tag_names": list,
    "scheme": SCHEMES,
}


def read_jsonl_tags(raw: RawFile, options: dict[str, Any]) -> Iterator[Row]:
    """JSON lines with words and tags.

    Options: `tokens_column` and `tags_column` (tokens, ner_tags), `tag_names` (the names of integer tags, in their
    order), `scheme` (bio, iob1, io).
    """
    columns = options.get("tokens_column", "tokens"), options.get("tags_column", "ner_tags")
    for number, line in enumerate(raw.lines(), start=1):
        if line.strip():
            record = raw.decode(line, number)
            (words,), (tags,) = (keys(raw, number, record, **{column: list}) for column in columns)
            yield tagged_row(raw, number, words, tags, options.get("tag_names"), options)


def tagged_row(
    raw: RawFile, number: int, words: Any, tags: Any, names: Sequence[str] | None, options: dict[str, Any]
) -> Row:
    """One sentence; a tag that is a number is looked up in `names`."""
    if not isinstance(words, list) or not isinstance(tags, list):
        raise raw.fault(number, "words and tags are not both lists")
    if len(words) != len(tags):
        raise raw.fault(number, f"{len(words)} words but {len(tags)} tags")
    read = [_tag_name(raw, number, tag, names) for tag in tags]
    spans, openings = tag_spans(raw, [number] * len(read), read, options.get("scheme", "bio"))
    return Row(words=tokens(raw, number, words), spans=spans, lenient_openings=openings)


def _tag_name(raw: RawFile, number: int, tag: Any, names: Sequence[str] | None) -> str:
    if isinstance(tag, str):
        return tag
    if names is None or not is_index(tag) or not 0 <= tag < len(names):
        raise raw.fault(number, f"tag {tag!r} has no name; give `tag_names` in the card's `options`")
    return names[tag]
