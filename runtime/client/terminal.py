"""Output without control sequences for the terminal."""

from __future__ import annotations

import re
from typing import Any, TextIO

# control characters, and characters that change the direction of text
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


class Shown:
    """A text stream that shows control characters as escapes: `\\x1b[31m`.

    IDs and messages come from monitored hosts. Tabs and line ends stay.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, text: str) -> int:
        """Write `text`; return the number of characters."""
        return self._out.write(_STEERING.sub(_escaped, text))

    # `flush`, `fileno`, `isatty` and the like
    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)


def _escaped(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]
