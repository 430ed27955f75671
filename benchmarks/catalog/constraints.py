"""A regular expression that accepts exactly some names, as a wildcard constraint of the workflow.

Python's engine tries the alternatives of `a|b|c` one by one, at every file that a rule could make. Names of runs share
long beginnings; a tree of them decides among thousands in a few steps, and is a tenth of the text to compile.
"""

import re
from collections.abc import Iterable
from itertools import groupby
from os.path import commonprefix


def either(names: Iterable[str]) -> str:
    """Accepts exactly these names; of no names, nothing."""
    return _tree(sorted(set(names))) or "(?!)"


def _tree(names: list[str]) -> str:
    """Of sorted names, none twice."""
    branches = [_branch(list(group)) for _, group in groupby(names, key=lambda name: name[:1])]
    return "|".join(branches)


def _branch(names: list[str]) -> str:
    """Of sorted names with the same first letter, or of the empty name alone."""
    if len(names) == 1:
        return re.escape(names[0])
    start = commonprefix([names[0], names[-1]])  # noqa: RUF071 - letters are meant, not folders
    rest = [name[len(start) :] for name in names]
    ends = rest[0] == ""  # longer names come first: the regular expression goes on to the next rule where they fail
    return f"{re.escape(start)}(?:{_tree(rest[1:] if ends else rest)}){'?' if ends else ''}"
