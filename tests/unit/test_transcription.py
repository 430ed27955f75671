"""The transcribed numbers are the ones that were read: a slip of a finger in a CSV changes a digest here."""

import csv
import hashlib
from pathlib import Path

import pytest

PUBLISHED = Path(__file__).parents[2] / "benchmarks" / "published"
Row = dict[str, str]
# Tables 1 to 6 were compared with the project's reference text, number by number, when these were written; a later
# correction changes its digest as well.
DIGESTS = {
    "gliner_2311.08526": {
        "Table 1": "fe0b46e6c4ee5940",
        "Table 2": "cf110b82320b53bf",
        "Table 3": "900204da463ec40c",
        "Table 4": "815b2f8e2617c4c9",
        "Table 5": "864eb5b512e87c20",
        "Table 6": "69a0ce68cb82ab01",
        "Figure 4": "8784981cceb4b9d7",
        "Figure 4 (20 sets)": "7d32a06aed67eeb2",
        "Figure 5": "980ac25b5bd9362d",
        "Figure 6": "2cda452a0416a5d2",
    },
    "newer_results": {
        "medium v2.1 page": "72f83cd6f7a6758b",
        "multitask page, large v2.1": "fabe61950825cece",
        "issue 54": "04584ff67f955889",
        "multitask page, first": "bd223c99d81d6605",
        "multitask page, v0.5": "1fadd986a9db8724",
        "multitask page, NuNER": "4555902ab8be8f32",
        "xxl v2.5 page": "b3015d6c9928424b",
        "xxl v2.5 page, news": "a717cbc560ac309c",
        "NuNER Zero-span": "51ab296251c694bc",
        "NuNER Zero-span, tokens": "81a32d4af9ff1bad",
        "NuNER Zero": "8585293e1caa35ba",
        "NuNER Zero, 19 sets": "b232e16eef41323d",
        "NuNER Zero-4k": "53ad668e901184cc",
        "bi-encoder v2": "6280114fd91937c0",
        "modern bi-encoder": "866de043c3818be5",
        "GLiNER2": "6df86154996eb7e0",
        "SLIMER page, UniNER": "6e42496bc25ed0fe",
        "SLIMER page, GoLLIE": "aa9d4f71047b9424",
        "SLIMER page, SLIMER": "371e187f293593de",
        "GNER, zero-shot": "5c116582ac0b4fa6",
        "GNER, supervised": "0c9e8a8274e25ed3",
        "B2NER": "1022dd1d01a4797a",
    },
}


def digest(rows: list[Row], table: str) -> str:
    """Of all numbers of a table: row, column, dataset, metric and value as they stand, in any order of the lines."""
    keys = ("row", "column", "dataset", "metric", "value")
    lines = sorted("\t".join(row[key] for key in keys) for row in rows if row["table"] == table)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", ["gliner_2311.08526", "newer_results"])
def test_transcribed_numbers_are_the_ones_that_were_read(name: str) -> None:
    with (PUBLISHED / f"{name}.csv").open(encoding="ascii", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {table: digest(rows, table) for table in dict.fromkeys(row["table"] for row in rows)} == DIGESTS[name]
