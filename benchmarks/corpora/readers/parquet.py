"""Parquet files of the hub (token lists with tag lists) to rows; class labels are read from the file's own features."""

import tempfile
from collections.abc import Iterator
from typing import Any

from benchmarks.corpora.readers.rows import RawFile, Row
from benchmarks.corpora.readers.tagged import tagged_row
from gliner_core.errors import InputError


def read_parquet(raw: RawFile, options: dict[str, Any]) -> Iterator[Row]:
    """Sentences of a parquet file.

    Options: `tokens_column` and `tags_column` (tokens, ner_tags), `tag_names` (for files whose integer tags carry no
    names), `scheme` (bio, iob1, io).
    """
    # Imported here: `datasets` takes a second to load, and no other reader needs it.
    from datasets import Dataset, disable_progress_bars, logging

    disable_progress_bars()
    logging.set_verbosity(logging.CRITICAL)  # what is wrong with the file is said once, below
    tokens, tags = options.get("tokens_column", "tokens"), options.get("tags_column", "ner_tags")
    with tempfile.TemporaryDirectory() as cache:
        try:
            rows = Dataset.from_parquet(str(raw.path), cache_dir=cache, keep_in_memory=True)
        except Exception as error:  # pyarrow and datasets raise many kinds; each means that this is no parquet file
            reason = str(error.__cause__ or error).split("\n")[0]
            raise InputError(f"{raw.label}: not a readable parquet file ({reason}); fetch it again") from None
    for column in (tokens, tags):
        if column not in rows.column_names:
            have = ", ".join(rows.column_names)
            raise InputError(f"{raw.label}: column `{column}` is missing; set it in `options` (the file has: {have})")
    names = options.get("tag_names") or getattr(getattr(rows.features[tags], "feature", None), "names", None)
    for number in range(1, len(rows) + 1):
        try:
            row = rows[number - 1]
        except Exception as error:  # bytes that are no text are met only when the row is asked for
            raise raw.fault(number, f"the row cannot be read ({error})") from None
        yield tagged_row(raw, number, row[tokens], row[tags], names, options)
