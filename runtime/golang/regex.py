"""Regular expressions as Go has them: RE2."""

from __future__ import annotations

import functools
from typing import Protocol

import re2

# Limits of an expression's characters and groups. Larger ones take long to compile, or
# much memory to match. RE2 itself refuses expressions that would take more than 8 MiB.
LONGEST = 1 << 16
MOST_GROUPS = 1000
# Steps of one search: instructions of the compiled expression times bytes of the text.
# RE2 takes one step for each byte until the states of an expression outgrow its memory.
# That cannot be predicted from the expression. From then on it takes all steps, at some
# 40 ns each. The limit allows 512 instructions for 64 KiB, InfluxDB's longest string.
MOST_STEPS = 32 << 20


class CompiledRegex(Protocol):
    """A compiled expression."""

    @property
    def groups(self) -> int:
        """Number of its groups."""

    @property
    def pattern(self) -> str:
        """Its source."""

    @property
    def programsize(self) -> int:
        """Number of the instructions that it is compiled to."""

    def search(self, text: str) -> object | None:
        """A match anywhere in `text`, or None."""

    def sub(self, repl: str, text: str) -> str:
        """`text` with every match replaced; `\\1` names a group."""


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    return options


@functools.lru_cache(maxsize=1024)
def compile(pattern: str) -> CompiledRegex:
    """The compiled expression.

    Raises:
        ValueError: the pattern is invalid; the text is Go's.
    """
    if len(pattern) > LONGEST:
        raise ValueError(f"error parsing regexp: longer than {LONGEST} characters")
    try:
        made: CompiledRegex = re2.compile(pattern, _options())
    except re2.error as fault:
        reason = fault.args[0] if fault.args else "invalid"
        text = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"error parsing regexp: {_as_go(text)}") from fault
    if made.groups > MOST_GROUPS:
        raise ValueError(f"error parsing regexp: more than {MOST_GROUPS} groups")
    return made


def _as_go(text: str) -> str:
    # RE2 prints `missing ): (`, Go prints ``missing closing ): `(` ``
    reason, _, piece = text.partition(": ")
    reason = _GO_REASONS.get(reason, reason)
    return f"{reason}: `{piece}`" if piece else reason


_GO_REASONS = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "trailing \\": "trailing backslash at end of expression",
}
