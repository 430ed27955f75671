"""What a printed number counts and was scored under, read from the rows of its published file.

A row is a mapping with the columns of `benchmarks/published/*.csv`. An average takes its protocols from the rows that
it is the mean of: the paper's tables of twenty sets decode some of them nested and the others flat.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

AVERAGE = "average"
AUTHOR_FILES = "author_"  # the paper's own file of dataset x is card author_x and counts as x
GAIN = "f1_gain_points"  # one F1 minus another; no cell holds it
COUNTS = ("parameters", "parameters_without_embeddings")  # of a network, however it is scored

Printed = Mapping[str, Any]


def protocol_of(printed: Printed) -> str:
    """The protocol card at the head of the printed protocol; what follows the semicolon is prose."""
    return str(printed["protocol"]).split(";")[0].strip()


def members(rows: Iterable[Printed], average: Printed) -> dict[str, str]:
    """Dataset -> protocol of the numbers that a printed average is the mean of; empty where only it was printed.

    They stand in the same table under the same metric and share its row (Table 1) or its column (Tables 2 to 4).
    """
    same = ("table", "metric")
    return {
        str(row["dataset"]): protocol_of(row)
        for row in rows
        if all(row[name] == average[name] for name in same)
        and (row["row"] == average["row"] or row["column"] == average["column"])
        and not str(row["dataset"]).startswith(AVERAGE)
        and row["dataset"]
    }


def protocols_by_dataset(rows: Iterable[Printed], printed: Printed) -> dict[str, str]:
    """`members` of an average that mixes protocols; empty for every other number, which has the one of its own row."""
    found = members(rows, printed) if printed["dataset"] == AVERAGE else {}
    return found if len(set(found.values())) > 1 else {}


def asked_protocol(rows: Iterable[Printed], printed: Printed) -> str:
    """The protocol that our counterpart needs, as verdicts and plans name it; empty for a count of weights."""
    if printed["metric"] in COUNTS:
        return ""
    return mixed_name(protocols_by_dataset(rows, printed)) or protocol_of(printed)


def mixed_name(protocols: Mapping[str, str]) -> str:
    """`gliner-nested / gliner-official by dataset`; empty without datasets."""
    return " / ".join(sorted(set(protocols.values()))) + " by dataset" if protocols else ""


def averaged_datasets(rows: Sequence[Printed], average: Printed) -> list[frozenset[str]]:
    """The dataset lists that an average may stand for: its own table's, or any of the file where it prints none."""
    lists: dict[str, set[str]] = {}
    for row in rows:
        if row["metric"] == "f1_pct" and row["dataset"] and not str(row["dataset"]).startswith(AVERAGE):
            lists.setdefault(row["table"], set()).add(str(row["dataset"]))
    own = lists.get(average["table"])
    return [frozenset(own)] if own else [frozenset(names) for names in lists.values()]
