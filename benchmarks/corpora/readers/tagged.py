"""Sentences given as a list of words with a list of tags, by name or by number: JSON lines, and what parquet shares."""

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.corpora.readers.columns import tag_spans
from benchmarks.corpora.readers.rows import RawFile, Row, keys, tokens

TAGGED_OPTIONS = frozenset({"tokens_column", "tags_column", "tag_names", "scheme"})


def read_jsonl_tags(raw: RawFile, options: dict[str, Any]) -> Iterator[Row]:
    """JSON lines with words and tags.

    Options: `tokens_column` and `tags_column` (tokens, ner_tags), `tag_names` (the names of integer tags, in their
    order), `scheme` (bio, iob1, io).
    """
    columns = {options.get("tokens_column", "tokens"): list, options.get("tags_column", "ner_tags"): list}
    for number, line in enumerate(raw.lines(), start=1):
        if line.strip():
            words, tags = keys(raw, number, raw.decode(line, number), **columns)
            yield tagged_row(raw, number, words, tags, options.get("tag_names"), options)


def tagged_row(
    raw: RawFile, number: int, words: list[Any], tags: list[Any], names: Sequence[str] | None, options: dict[str, Any]
) -> Row:
    """One sentence; a tag that is a number is looked up in `names`."""
    if len(words) != len(tags):
        raise raw.fault(number, f"{len(words)} words but {len(tags)} tags")
    read = [_tag_name(raw, number, tag, names) for tag in tags]
    spans, openings = tag_spans(raw, [number] * len(read), read, options.get("scheme", "bio"))
    return Row(words=tokens(raw, number, words), spans=spans, lenient_openings=openings)


def _tag_name(raw: RawFile, number: int, tag: Any, names: Sequence[str] | None) -> str:
    if isinstance(tag, str):
        return tag
    if names is None or not 0 <= tag < len(names):
        raise raw.fault(number, f"tag {tag!r} has no name; give `tag_names` in the card's `options`")
    return names[tag]
