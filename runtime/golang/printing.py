"""Values in text as Go's fmt package prints them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from runtime.golang.numbers import general, special
from runtime.golang.quoting import quote
from runtime.golang.values import Struct, Time, type_name
from runtime.units import Duration, go_duration

_SPEC = re.compile(r"%([-+# 0]*)(\d*)(?:\.(\d*))?(.?)", re.DOTALL)
_LARGEST = 1_000_000


def sprint(*values: object) -> str:
    """The operands side by side, a blank between two that are not texts.

    Source: Go fmt.Sprint.
    """
    out: list[str] = []
    for index, value in enumerate(values):
        if index and not isinstance(value, str):
            out.append("" if isinstance(values[index - 1], str) else " ")
        out.append(text(value))
    return "".join(out)


def sprintln(*values: object) -> str:
    """The operands with blanks between and a newline at the end.

    Source: Go fmt.Sprintln.
    """
    return " ".join(map(text, values)) + "\n"


def text(value: object) -> str:
    """One value as `%v` prints it."""
    if isinstance(value, str):
        return value
    return _verb("v", value, "", None)


def sprintf(layout: str, *values: object) -> str:
    """`layout` with its verbs filled in; wrong ones show as Go shows them.

    Verbs: `v s q d b o x X c U t e E f F g G T %`, flags `-+# 0`, width, precision.

    Source: Go fmt.Sprintf.
    """
    rest = list(values)

    def fill(spec: re.Match[str]) -> str:
        flags, width, precision, verb = spec[1], spec[2], spec[3], spec[4]
        if verb == "%":
            return "%"
        if not verb:
            return "%!(NOVERB)"
        if not rest:
            return f"%!{verb}(MISSING)"
        digits = None if precision is None else int(precision or 0)
        return _padded(_verb(verb, rest.pop(0), flags, digits), flags, width, verb)

    out = _SPEC.sub(fill, _sane(layout))
    if rest:
        extra = ", ".join(f"{type_name(each)}={text(each)}" for each in rest)
        out += f"%!(EXTRA {extra})" if rest[0] is not None else "%!(EXTRA <nil>)"
    return out


def padding(layout: str) -> int:
    """How many characters the widths and precisions of a layout may come to."""
    sizes = (size for spec in _SPEC.finditer(layout) for size in spec.group(2, 3))
    return sum(int(size) for size in sizes if size and len(size) <= 7)


def _sane(layout: str) -> str:
    """`layout` up to the first width or precision that is too large, as Go reads it."""
    for spec in _SPEC.finditer(layout):
        if any(
            len(size or "") > 7 or int(size or 0) > _LARGEST
            for size in spec.group(2, 3)
        ):
            return f"{layout[: spec.start()]}%"
    return layout


def _padded(out: str, flags: str, width: str, verb: str) -> str:
    if not width:
        return out
    if "-" in flags:
        return out.ljust(int(width))
    if "0" in flags and verb in "dboxXeEfFgG" and not out.startswith("%!"):
        sign = out[:1] if out[:1] in ("+", "-") else ""
        return sign + out[len(sign) :].rjust(int(width) - len(sign), "0")
    return out.rjust(int(width))


def _verb(verb: str, value: object, flags: str, precision: int | None) -> str:
    if verb == "T":
        return type_name(value)
    if value is None:
        return "<nil>" if verb == "v" else f"%!{verb}(<nil>)"
    if isinstance(value, Time | Duration) and verb in "vsq":
        out = str(value) if isinstance(value, Time) else go_duration(value)
        return quote(out) if verb == "q" else out
    made: str | None
    if isinstance(value, bool):
        made = _bool(verb, value)
    elif isinstance(value, int):
        made = _int(verb, int(value), flags)
    elif isinstance(value, float):
        made = _float(verb, value, flags, precision)
    elif isinstance(value, str):
        made = _string(verb, value, precision)
    else:
        made = _composite(verb, value, flags, precision)
    return f"%!{verb}({type_name(value)}={text(value)})" if made is None else made


def _bool(verb: str, value: bool) -> str | None:
    return ("true" if value else "false") if verb in "vt" else None


def _int(verb: str, value: int, flags: str) -> str | None:
    if verb in "vdboxX":
        sign = (
            "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
        )
        prefix = {"x": "0x", "X": "0X", "o": "0"}.get(verb, "") if "#" in flags else ""
        return sign + prefix + format(abs(value), "d" if verb == "v" else verb)
    if verb in "cq" and 0 <= value <= 0x10FFFF:
        char = "\ufffd" if 0xD800 <= value < 0xE000 else chr(value)
        return char if verb == "c" else f"'{quote(char)[1:-1]}'"
    return f"U+{value:04X}" if verb == "U" else None


def _float(verb: str, value: float, flags: str, precision: int | None) -> str | None:
    if verb not in "veEfFgG":
        return None
    if not math.isfinite(value):
        return special(value)
    kind = "g" if verb == "v" else verb
    if kind in "gG" and precision is None:
        made = general(value)
        made = made.upper() if kind == "G" else made
    else:
        made = format(value, f".{6 if precision is None else precision}{kind}")
    plus = "+" if "+" in flags and not made.startswith("-") else ""
    return plus + made


def _string(verb: str, value: str, precision: int | None) -> str | None:
    cut = value if precision is None else value[:precision]
    if verb in "vs":
        return cut
    if verb == "q":
        return quote(cut)
    if verb in "xX":
        digits = cut.encode().hex()
        return digits.upper() if verb == "X" else digits
    return None


def _composite(
    verb: str, value: object, flags: str, precision: int | None
) -> str | None:
    def each(items: Iterable[object]) -> list[str]:
        return [_verb(verb, item, flags, precision) for item in items]

    if isinstance(value, Struct):
        return "{" + " ".join(each(value.fields.values())) + "}"
    if isinstance(value, Mapping):
        keys = sorted(value)
        items = zip(each(keys), each(value[key] for key in keys), strict=True)
        return "map[" + " ".join(f"{key}:{item}" for key, item in items) + "]"
    if isinstance(value, Sequence):
        return "[" + " ".join(each(value)) + "]"
    return str(value)
