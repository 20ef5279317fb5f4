"""Values by the verbs of Go's fmt package.

Source: Go fmt (print.go, format.go) and strconv.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from runtime.golang.numbers import general, special
from runtime.golang.quoting import can_backquote, is_shown, quote
from runtime.golang.values import Struct, Time, type_name
from runtime.units import SECOND, Duration, go_duration

_BASES = {"v": 10, "d": 10, "b": 2, "o": 8, "O": 8, "x": 16, "X": 16}
_DIGITS = {2: "b", 8: "o", 10: "d", 16: "x"}
_MANTISSA_BITS = 52
_LAST_CHARACTER = 0x10FFFF
# from the start of year 1 to 1970
_UNIX_TO_INTERNAL_S = 62_135_596_800


@dataclass(slots=True)
class Flags:
    """Flags, width and precision between `%` and the verb.

    Attributes:
        width: least number of characters.
        precision: digits or characters; None unless given.
        minus: pad on the right.
        plus: show signs; quote to ASCII.
        sharp: the alternate form.
        space: leave room for a sign.
        zero: pad with zeros.
        plus_v: `%+v`, with the names of fields.
        sharp_v: `%#v`, as Go source.
    """

    width: int = 0
    precision: int | None = None
    minus: bool = False
    plus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    plus_v: bool = False
    sharp_v: bool = False


class Unsigned(int):
    """Go's `uint64`."""

    __slots__ = ()


class NilPointer:
    """A nil pointer."""

    __slots__ = ("type_name",)

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name


class WidthError(ValueError):
    """Padding exceeds the available memory."""


class Printer:
    """Prints values by verbs, one after the other.

    Attributes:
        flags: flags of the current verb.
        room: number of characters of padding that are still allowed.
    """

    def __init__(self, room: int) -> None:
        self.flags = Flags()
        self.room = room
        # True while a value is printed for a wrong verb, without its methods
        self._is_reporting = False

    def argument(self, verb: str, value: object) -> str:
        """An argument, formatted by a verb."""
        if value is None:
            return self._pad("<nil>") if verb in "Tv" else f"%!{verb}(<nil>)"
        if verb == "T":
            return self._pad(self._cut(type_name(value)))
        # for pointers and the like Go prints an address, which differs in every run
        if verb in "wp":
            return self._unfit(verb, value)
        return self._printed(verb, value)

    def _printed(self, verb: str, value: object) -> str:
        """A value other than nil, formatted by a verb."""
        if isinstance(value, Time | Duration):
            return self._with_methods(verb, value)
        if isinstance(value, bool):
            if verb in "tv":
                return self._pad("true" if value else "false")
            return self._unfit(verb, value)
        if isinstance(value, int):
            return self._integer(verb, value)
        if isinstance(value, float):
            return self._float(verb, value)
        if isinstance(value, str):
            return self._string(verb, value)
        if isinstance(value, NilPointer):
            return self._pointer(verb, value)
        return self._composite(verb, value)

    def _unfit(self, verb: str, value: object) -> str:
        """Output of a verb for a value of the wrong type."""
        before, self._is_reporting = self._is_reporting, True
        shown = self._printed("v", value)
        self._is_reporting = before
        return f"%!{verb}({_type_name(value)}={shown})"

    def _with_methods(self, verb: str, value: Time | Duration) -> str:
        if not self._is_reporting:
            if self.flags.sharp_v and isinstance(value, Time):
                return self._pad(self._cut(_go_time(value)))
            if not self.flags.sharp_v and verb in "vsxXq":
                is_time = isinstance(value, Time)
                return self._string(verb, str(value) if is_time else go_duration(value))
        if isinstance(value, Duration):
            return self._integer(verb, value)
        seconds, nanoseconds = divmod(int(value), SECOND)
        inside = {
            "wall": Unsigned(nanoseconds),
            "ext": seconds + _UNIX_TO_INTERNAL_S,
            "loc": NilPointer("*time.Location"),
        }
        return self._composite(verb, Struct("time.Time", inside))

    # composites

    def _composite(self, verb: str, value: object) -> str:
        if isinstance(value, Struct):
            return self._struct(verb, value)
        if isinstance(value, Mapping):
            pairs = (
                f"{self._printed(verb, key)}:{self._element(verb, value[key])}"
                for key in sorted(value)
            )
            return self._enclosed(value, "map[", pairs, "]")
        if isinstance(value, Sequence):
            return self._enclosed(
                value, "[", (self._element(verb, each) for each in value), "]"
            )
        return str(value)

    def _struct(self, verb: str, value: Struct) -> str:
        named = self.flags.plus_v or self.flags.sharp_v
        members = (
            (f"{name}:" if named else "") + self._element(verb, member)
            for name, member in value.members()
        )
        return self._enclosed(value, "{", members, "}")

    def _enclosed(
        self, value: object, begin: str, parts: Iterable[str], end: str
    ) -> str:
        if self.flags.sharp_v:
            return f"{_type_name(value)}{{{', '.join(parts)}}}"
        return begin + " ".join(parts) + end

    def _element(self, verb: str, value: object) -> str:
        if value is None:
            return "interface {}(nil)" if self.flags.sharp_v else "<nil>"
        return self._printed(verb, value)

    def _pointer(self, verb: str, value: NilPointer) -> str:
        if verb == "v":
            if self.flags.sharp_v:
                return f"({value.type_name})(nil)"
            return self._pad("<nil>")
        if verb in "bodxX":
            return self._integer(verb, Unsigned(0))
        return self._unfit(verb, value)

    # strings

    def _string(self, verb: str, value: str) -> str:
        if verb in "xX":
            return self._hex(verb, value)
        if verb == "q" or (verb == "v" and self.flags.sharp_v):
            return self._pad(self._quoted(self._cut(value)))
        if verb in "vs":
            return self._pad(self._cut(value))
        return self._unfit(verb, value)

    def _quoted(self, value: str) -> str:
        if self.flags.sharp and can_backquote(value):
            return f"`{value}`"
        return quote(value, ascii=self.flags.plus)

    def _cut(self, value: str) -> str:
        return value if self.flags.precision is None else value[: self.flags.precision]

    def _hex(self, verb: str, value: str) -> str:
        data = value.encode("utf-8", "replace")[: self.flags.precision]
        if not data:
            return self._padding(self.flags.width)
        pairs = [f"{byte:02x}" for byte in data]
        prefix = "0x" if self.flags.sharp else ""
        if self.flags.space:
            out = " ".join(prefix + pair for pair in pairs)
        else:
            out = prefix + "".join(pairs)
        return self._pad(out.upper() if verb == "X" else out)

    # integers

    def _integer(self, verb: str, value: int) -> str:
        if verb in "cqU":
            return self._character(verb, value)
        if verb not in _BASES:
            return self._unfit(verb, value)
        sharp = self.flags.sharp
        if verb == "v" and self.flags.sharp_v and isinstance(value, Unsigned):
            verb, self.flags.sharp = "x", True
        digits = self._digits(verb, value)
        self.flags.sharp = sharp
        # zeros in front are digits already
        return (
            self._pad(digits, " ") if digits else self._padding(self.flags.width, " ")
        )

    def _digits(self, verb: str, value: int) -> str:
        """The number without padding; "" for a 0 without digits."""
        flags, base = self.flags, _BASES[verb]
        sign = "-" if value < 0 else "+" if flags.plus else " " if flags.space else ""
        least = 0
        if flags.precision is not None:
            least = flags.precision
            if least == 0 and value == 0:
                return ""
        elif flags.zero and not flags.minus:
            least = flags.width - len(sign)
        digits = format(abs(value), _DIGITS[base])
        digits = self._padding(least - len(digits), "0") + digits
        if flags.sharp and base == 8 and not digits.startswith("0"):
            digits = "0" + digits
        prefix = {2: "0b", 16: "0x"}.get(base, "") if flags.sharp else ""
        out = prefix + digits
        if verb == "X":
            out = out.upper()
        return sign + ("0o" if verb == "O" else "") + out

    def _character(self, verb: str, value: int) -> str:
        code = value if 0 <= value <= _LAST_CHARACTER else 0xFFFD
        char = "\ufffd" if 0xD800 <= code < 0xE000 else chr(code)
        if verb == "c":
            return self._pad(char)
        if verb == "q":
            return self._pad(quote(char, mark="'", ascii=self.flags.plus))
        digits = format(value & 2**64 - 1, "X")
        least = max(4, self.flags.precision or 0)
        out = "U+" + self._padding(least - len(digits), "0") + digits
        if self.flags.sharp and ord(char) == value and is_shown(char):
            out += f" '{char}'"
        return self._pad(out, " ")

    # floats

    def _float(self, verb: str, value: float) -> str:
        if verb not in "vbgGxXfFeE":
            return self._unfit(verb, value)
        kind = {"v": "g", "F": "f"}.get(verb, verb)
        precision = self.flags.precision
        if precision is None and kind in "feE":
            precision = 6
        if not math.isfinite(value):
            return self._infinite(value)
        self._use(precision or 0)
        made = _FLOATS[kind](abs(value), precision)
        if self.flags.sharp and kind != "b":
            made = _with_point(made, kind, precision)
        sign = "-" if math.copysign(1, value) < 0 else "+"
        if sign == "+" and not self.flags.plus:
            sign = " " if self.flags.space else ""
        zeros = ""
        if sign and self.flags.zero and not self.flags.minus:
            zeros = self._padding(self.flags.width - len(sign) - len(made), "0")
        return self._pad(sign + zeros + made)

    def _infinite(self, value: float) -> str:
        out = special(value)
        if value != value:
            out = ("+" if self.flags.plus else " " if self.flags.space else "") + out
        elif self.flags.space and not self.flags.plus:
            out = out.replace("+", " ")
        return self._pad(out, " ")

    # padding

    def _pad(self, out: str, fill: str = "") -> str:
        missing = self.flags.width - len(out)
        if missing <= 0:
            return out
        if self.flags.minus:
            return out + self._padding(missing, " ")
        return self._padding(missing, fill) + out

    def _padding(self, count: int, fill: str = "") -> str:
        if count <= 0:
            return ""
        self._use(count)
        if not fill:
            fill = "0" if self.flags.zero and not self.flags.minus else " "
        return fill * count

    def _use(self, count: int) -> None:
        self.room -= count
        if self.room < 0:
            raise WidthError("the widths of its verbs are too large")


def _type_name(value: object) -> str:
    if isinstance(value, NilPointer):
        return value.type_name
    return "uint64" if isinstance(value, Unsigned) else type_name(value)


def _go_time(value: Time) -> str:
    moment = value.moment()
    return (
        f"time.Date({moment.year}, time.{moment:%B}, {moment.day}, {moment.hour},"
        f" {moment.minute}, {moment.second}, {value % SECOND}, time.UTC)"
    )


def _general(value: float, precision: int | None) -> str:
    return general(value) if precision is None else format(value, f".{precision}g")


def _binary(value: float, precision: int | None) -> str:
    mantissa, exponent = math.frexp(value)
    shift = _MANTISSA_BITS + 1
    if exponent < -1021:  # subnormal
        shift, exponent = shift + exponent + 1021, -1021
    if value == 0:
        return "0p-1074"
    return f"{int(math.ldexp(mantissa, shift))}p{exponent - _MANTISSA_BITS - 1:+d}"


def _hexadecimal(value: float, precision: int | None) -> str:
    mantissa, exponent = math.frexp(value)
    bits = int(math.ldexp(mantissa, _MANTISSA_BITS + 1))
    exponent = exponent - 1 if value else 0
    if precision is None:
        digits = f"{bits & (1 << _MANTISSA_BITS) - 1:013x}".rstrip("0")
    else:
        dropped = max(_MANTISSA_BITS - 4 * precision, 0)
        bits = _rounded(bits, dropped)
        if bits >> (_MANTISSA_BITS + 1 - dropped):
            bits, exponent = bits >> 1, exponent + 1
        bits <<= dropped
        digits = f"{bits & (1 << _MANTISSA_BITS) - 1:013x}"[:precision]
        digits = digits.ljust(precision, "0")
    point = "." if digits else ""
    return f"0x{bits >> _MANTISSA_BITS}{point}{digits}p{exponent:+03d}"


def _rounded(bits: int, dropped: int) -> int:
    """`bits` without its last ones, rounded half to even."""
    kept, rest = bits >> dropped, bits & (1 << dropped) - 1
    half = (1 << dropped) >> 1
    return kept + (rest > half or (rest == half and half > 0 and kept & 1 == 1))


_FLOATS: Mapping[str, Callable[[float, int | None], str]] = {
    "f": lambda value, precision: format(value, f".{precision}f"),
    "e": lambda value, precision: format(value, f".{precision}e"),
    "E": lambda value, precision: format(value, f".{precision}E"),
    "g": _general,
    "G": lambda value, precision: _general(value, precision).upper(),
    "x": _hexadecimal,
    "X": lambda value, precision: _hexadecimal(value, precision).upper(),
    "b": _binary,
}


def _with_point(made: str, kind: str, precision: int | None) -> str:
    """The number with a decimal point and trailing zeros."""
    wanted = 0
    if kind in "gGx":
        wanted = 6 if precision is None else precision
    split = re.match(r"(.*?)((?:[pP]|[eE][+-]).*)?\Z", made)
    if kind in "xX":
        split = re.match(r"(.*?)([pP].*)?\Z", made)
    assert split is not None
    number, tail = split[1], split[2] or ""
    significant = number.replace(".", "").lstrip("0")
    missing = wanted - len(significant)
    if "." not in number:
        if number == "0":
            missing -= 1
        number += "."
    return number + "0" * max(missing, 0) + tail
