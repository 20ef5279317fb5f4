"""Values in text as Go's fmt package prints them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runtime.golang.values import Time, type_name
from runtime.golang.verbs import Flags, Printer, WidthError

__all__ = ["WidthError", "sprint", "sprintf", "sprintln", "text"]

# Most spaces and zeros that a layout may add.
_MOST_PADDING = 1 << 24
_LARGEST = 1_000_000
_FLAGS = {"#": "sharp", "0": "zero", "+": "plus", "-": "minus", " ": "space"}
_NUMBER = re.compile("[0-9]*")


def sprint(*values: object) -> str:
    """The operands side by side, with a space between two that are not strings.

    Source: Go fmt.Sprint.
    """
    out: list[str] = []
    for index, value in enumerate(values):
        if index and not isinstance(value, str):
            out.append("" if isinstance(values[index - 1], str) else " ")
        out.append(text(value))
    return "".join(out)


def sprintln(*values: object) -> str:
    """The operands separated by spaces, with a newline at the end.

    Source: Go fmt.Sprintln.
    """
    return " ".join(map(text, values)) + "\n"


def text(value: object) -> str:
    """One value as `%v` prints it."""
    if isinstance(value, str):
        return value
    return Printer(0).argument("v", value)


def sprintf(layout: str, *values: object) -> str:
    """`layout` with its verbs filled in; wrong verbs are printed as Go prints them.

    Source: Go fmt.Sprintf.

    Raises:
        WidthError: the padding exceeds 16 million characters.
    """
    return _Layout(layout, values).filled()


class _Layout:
    """A layout while it is filled in."""

    def __init__(self, layout: str, values: Sequence[object]) -> None:
        self._layout = layout
        self._values = values
        self._printer = Printer(_MOST_PADDING)
        self._at = 0
        self._next = 0
        self._after_index = False
        self._is_reordered = False
        self._is_good_index = True
        self._out: list[str] = []

    def filled(self) -> str:
        while True:
            percent = self._layout.find("%", self._at)
            if percent < 0:
                self._out.append(self._layout[self._at :])
                break
            self._out.append(self._layout[self._at : percent])
            self._at = percent + 1
            self._directive()
        if not self._is_reordered and self._next < len(self._values):
            self._out.append(self._extra())
        return "".join(self._out)

    def _directive(self) -> None:
        self._is_good_index, self._after_index = True, False
        self._printer.flags = flags = Flags()
        while self._peek() in _FLAGS:
            setattr(flags, _FLAGS[self._take()], True)
        self._index()
        self._width(flags)
        # at the end of the layout a point is a verb
        if self._peek() == "." and self._at + 1 < len(self._layout):
            self._take()
            self._precision(flags)
        if not self._after_index:
            self._index()
        if self._at >= len(self._layout):
            self._out.append("%!(NOVERB)")
            return
        self._verb(flags, self._take())

    def _verb(self, flags: Flags, verb: str) -> None:
        if verb == "%":
            self._out.append("%")
        elif not self._is_good_index:
            self._out.append(f"%!{verb}(BADINDEX)")
        elif self._next >= len(self._values):
            self._out.append(f"%!{verb}(MISSING)")
        else:
            if verb in "vw":
                flags.sharp, flags.sharp_v = False, flags.sharp
                flags.plus, flags.plus_v = False, flags.plus
            value = self._values[self._next]
            self._next += 1
            self._out.append(self._printer.argument(verb, value))

    def _peek(self) -> str:
        return self._layout[self._at : self._at + 1]

    def _take(self) -> str:
        self._at += 1
        return self._layout[self._at - 1]

    def _index(self) -> None:
        """Read `[3]`, the index of the next argument."""
        self._after_index = False
        if self._peek() != "[":
            return
        self._is_reordered = True
        end = self._layout.find("]", self._at)
        if end < 0 or len(self._layout) - self._at < 3:
            self._is_good_index = False
            self._at += 1
            return
        number = self._layout[self._at + 1 : end]
        self._at = end + 1
        if not (number.isascii() and number.isdigit() and _fits(number)):
            self._is_good_index = False
            return
        self._after_index = True
        if 0 < int(number) <= len(self._values):
            self._next = int(number) - 1
        else:
            self._is_good_index = False

    def _number(self) -> int | None:
        """Read digits; None if there are none, or too many."""
        found = _NUMBER.match(self._layout, self._at)
        assert found is not None
        if not _fits(found[0]):
            self._at = len(self._layout)
            return None
        self._at = found.end()
        return int(found[0]) if found[0] else None

    def _from_argument(self) -> int | None:
        """The argument for a `*`; None if it is not an integer, or too large."""
        self._take()
        self._after_index = False
        if self._next >= len(self._values):
            return None
        value = self._values[self._next]
        self._next += 1
        if isinstance(value, bool | Time) or not isinstance(value, int):
            return None
        return int(value) if abs(value) <= _LARGEST else None

    def _width(self, flags: Flags) -> None:
        if self._peek() != "*":
            was_index = self._after_index
            width = self._number()
            if width is not None and was_index:
                self._is_good_index = False
            flags.width = width or 0
            return
        width = self._from_argument()
        if width is None:
            self._out.append("%!(BADWIDTH)")
            return
        if width < 0:
            flags.minus, flags.zero = True, False
        flags.width = abs(width)

    def _precision(self, flags: Flags) -> None:
        if self._after_index:
            self._is_good_index = False
        self._index()
        if self._peek() != "*":
            flags.precision = self._number() or 0
            return
        precision = self._from_argument()
        if precision is None or precision < 0:
            self._out.append("%!(BADPREC)")
        else:
            flags.precision = precision

    def _extra(self) -> str:
        """The arguments without a verb."""
        self._printer.flags = Flags()
        shown = (
            (
                "<nil>"
                if value is None
                else f"{type_name(value)}={self._printer.argument('v', value)}"
            )
            for value in self._values[self._next :]
        )
        return f"%!(EXTRA {', '.join(shown)})"


def _fits(digits: str) -> bool:
    """True if the number is small enough for Go to accept it."""
    digits = digits.lstrip("0")
    return len(digits) < 9 and int(digits[:-1] or 0) <= _LARGEST
