"""Damaged copies of bytes and of plain data: what files look like after an accident or a prank."""

import random
from collections.abc import Sequence
from typing import Any

# What has broken readers elsewhere: control and invisible characters, half encodings, huge and special numbers, markup.
TOKENS: tuple[bytes, ...] = (
    b"\x00",
    b"\xff",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"\r",
    b"\n\n",
    b"\t",
    b'"',
    b"\\",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"#",
    b"&a ",
    b"*a",
    b"!!python/object/apply:os.system [id]",
    b"<<: ",
    b"? ",
    b"- ",
    b"|",
    b"null",
    b"true",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"-1",
    b"9" * 30,
    b"9" * 5000,
    b"0x1F",
    b"2001-99-99",
    b"1_0",
    b"~",
    b"O",
    b"B-",
    b"I-X",
    b"-DOCSTART-",
    b"[a : b]",
    b"[" * 3000,
    b'{"a":' * 1500,
    b"../../x",
    b"; touch x",
    b"=cmd|' /C calc'!A0",
    b"<script>alert(1)</script>",
    b"$(id)",
    b"%s%n",
    b"\xf0\x9f\x98\x80",
    b"\x1b[2J",
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    10**6,
    10**30,
    -(10**30),
    0.5,
    -0.0,
    float("nan"),
    float("inf"),
    "",
    " ",
    "a",
    "../x",
    "a; touch x",
    "\x00",
    "\n",
    "=1+1",
    "<script>",
    "\ud800",
    "9" * 400,
    [],
    [[]],
    {},
    {"a": 1},
    [None],
    [1, 2],
    ["x"],
    [0, 0, "x"],
    {"": ""},
    [{}],
)


def mutate_bytes(draw: random.Random, seed: bytes, others: Sequence[bytes]) -> bytes:
    """One to four accidents: a flipped byte, a cut, a repetition, a token from the list, a piece of another file."""
    data = bytearray(seed)
    for _ in range(draw.randint(1, 4)):
        start = draw.randrange(len(data) + 1)
        end = min(len(data), start + draw.choice((1, 1, 4, 20, 200)))
        kind = draw.randrange(7)
        if kind == 0 and data:
            data[start % len(data)] = draw.randrange(256)
        elif kind == 1:
            del data[start:end]
        elif kind == 2:
            data[start:start] = data[start:end]
        elif kind == 3:
            data[start:start] = draw.choice(TOKENS)
        elif kind == 4:
            data[start:end] = draw.choice(TOKENS)
        elif kind == 5:
            other = draw.choice(others)
            place = draw.randrange(len(other) + 1)
            data[start:start] = other[place : place + draw.choice((5, 50, 500))]
        else:
            del data[start:]
    return bytes(data)


def mutate_tree(draw: random.Random, tree: Any) -> Any:
    """Plain data with one to three values replaced, removed, renamed, repeated or moved elsewhere."""
    for _ in range(draw.randint(1, 3)):
        tree = _changed(draw, tree, draw.randint(1, 6))
    return tree


def _changed(draw: random.Random, node: Any, depth: int) -> Any:
    if depth == 0 or not isinstance(node, dict | list) or not node:
        return _another(draw, node)
    if isinstance(node, list):
        place = draw.randrange(len(node))
        kind = draw.randrange(6)
        if kind == 0:
            return node[:place] + node[place + 1 :]
        if kind == 1:
            return [*node, node[place]]
        return [*node[:place], _changed(draw, node[place], depth - 1), *node[place + 1 :]]
    key = draw.choice(list(node))
    kind = draw.randrange(8)
    rest = {name: value for name, value in node.items() if name != key}
    if kind == 0:
        return rest
    if kind == 1:
        return rest | {draw.choice(("x", "", "name", "../x", "a; touch x", key)): node[key]}
    if kind == 2:
        return node | {draw.choice(("unknown", draw.choice(list(node)))): draw.choice(VALUES)}
    return node | {key: _changed(draw, node[key], depth - 1)}


def _another(draw: random.Random, value: Any) -> Any:
    if isinstance(value, str) and draw.random() < 0.5:
        place = draw.randrange(len(value) + 1)
        return value[:place] + draw.choice(("", " ", "\n", "\x00", "-", "x", "\u2028", "../")) + value[place + 1 :]
    if isinstance(value, int | float) and draw.random() < 0.5:
        return draw.choice((-value, value + 1, value * 1000, str(value), float(value), 0))
    return draw.choice(VALUES)
