"""Whether a number of a table is there."""

import pandas as pd


def is_missing(value: object) -> bool:
    """Whether a bound or value is absent: None, or not a number."""
    return value is None or bool(pd.isna(value))
