"""JSON text as Go's encoding/json writes it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

from runtime.golang.numbers import plain, scientific

# Go also escapes characters that are special in HTML and JavaScript
_UNSAFE = {
    ord("<"): "\\u003c",
    ord(">"): "\\u003e",
    ord("&"): "\\u0026",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
    **dict.fromkeys(range(0xD800, 0xE000), "\\ufffd"),
}
_HOLDS_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def encode(
    value: Any, *, indent: str = "", newline: bool = False, sort_keys: bool = False
) -> bytes:
    """`value` as UTF-8 JSON, compact unless `indent` is given.

    Takes None, bool, int, float, str, mappings with text keys and sequences. Mappings
    keep their order unless `sort_keys`, as Go structs do and Go maps do not.

    Raises:
        TypeError: JSON cannot represent the value.

    Source: Go encoding/json Marshal, MarshalIndent and Encoder (`newline`), which refuse
        floats that are not finite; see `number`.
    """
    return dumps(value, indent=indent, newline=newline, sort_keys=sort_keys).encode()


def dumps(
    value: Any, *, indent: str = "", newline: bool = False, sort_keys: bool = False
) -> str:
    """Like `encode`, as text."""
    parts = _parts(value, indent, "\n" if indent else "", sort_keys)
    return "".join(parts) + ("\n" if newline else "")


def quote(text: str) -> str:
    """One string as a JSON literal."""
    quoted = encode_basestring(text)
    return quoted.translate(_UNSAFE) if _HOLDS_UNSAFE.search(quoted) else quoted


def number(value: float) -> str:
    """One float as a JSON number: `5`, `0.000001`, `1e-7`, `1e+21`.

    Infinities and NaN are `null`: JSON cannot represent them, and an alert with such
    values must still be sent.
    """
    if not math.isfinite(value):
        return "null"
    if value != 0 and not 1e-6 <= abs(value) < 1e21:
        return scientific(value, pad=1)
    return plain(value)


def _parts(value: Any, indent: str, line: str, sort_keys: bool) -> Iterator[str]:
    if value is None:
        yield "null"
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, str):
        yield quote(value)
    elif isinstance(value, int):
        yield str(int(value))
    elif isinstance(value, float):
        yield number(value)
    elif isinstance(value, Mapping):
        items = sorted(value.items()) if sort_keys else list(value.items())
        heads = [f"{quote(key)}:{' ' if indent else ''}" for key, _ in items]
        values = [each for _, each in items]
        yield from _enclosed("{}", heads, values, indent, line, sort_keys)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        heads = [""] * len(value)
        yield from _enclosed("[]", heads, value, indent, line, sort_keys)
    else:
        raise TypeError(f"json: unsupported type: {type(value).__name__}")


def _enclosed(
    brackets: str,
    heads: Sequence[str],
    values: Sequence[Any],
    indent: str,
    line: str,
    sort_keys: bool,
) -> Iterator[str]:
    if not values:
        yield brackets
        return
    inner = line + indent
    yield brackets[0]
    for index, (head, value) in enumerate(zip(heads, values, strict=True)):
        yield f",{inner}{head}" if index else inner + head
        yield from _parts(value, indent, inner, sort_keys)
    yield line + brackets[1]
