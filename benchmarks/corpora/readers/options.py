"""The options that a dataset card may give a reader, and the check of their values."""

from collections.abc import Mapping
from typing import Any

from gliner_core.errors import InputError

# What an option takes: a kind of value (`list` and `dict` hold strings or whole numbers), or one of some words.
Choice = type | tuple[str, ...]


def check_options(where: str, options: Mapping[str, Any], known: Mapping[str, Choice]) -> None:
    """Refuses an option that is not known and a value that it does not take; `where` names the card."""
    for key, value in options.items():
        if key not in known:
            raise InputError(f"{where}: option `{key}` is unknown; known are {', '.join(sorted(known))}")
        if not _fits(value, known[key]):
            raise InputError(f"{where}: option `{key}` is {value!r}; use {_wanted(known[key])}")


def _fits(value: Any, choice: Choice) -> bool:
    if isinstance(choice, tuple):
        return isinstance(value, str) and value in choice
    if choice is list:
        return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    if choice is dict:
        return isinstance(value, Mapping) and all(isinstance(item, str | int) for item in value.values())
    return type(value) is choice


def _wanted(choice: Choice) -> str:
    if isinstance(choice, tuple):
        return f"one of {', '.join(choice)}"
    names = {list: "a list of strings", dict: "a mapping to strings or numbers", str: "a string"}
    return names.get(choice) or {int: "a whole number", bool: "true or false"}[choice]
