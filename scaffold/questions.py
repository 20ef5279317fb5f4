"""Asks a person in a terminal what a new handler is to be."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from scaffold.errors import SpecError
from scaffold.flags import Flags

TYPES = "str, secret, int, float, bool, duration, url, list[str], map[str]"
_NAME = "huddle"
_FIELD = "channel"
_TYPE = "str"
_NONE = "-"


class Terminal(Protocol):
    """The terminal that questions are asked in."""

    def ask(self, question: str, default: str) -> str:
        """The answer of a person; `default` for an empty line.

        Raises:
            UsageError: the input ended.
        """

    def show(self, line: str) -> None:
        """Print a line for the person."""


Check = Callable[[Flags], object]
"""Refuses flags as `new-handler` would, by raising a SpecError."""


def answered(
    given: Flags, kinds: Sequence[str], check: Check, terminal: Terminal
) -> Flags:
    """The flags, with what a person answers for those that are missing.

    Every answer is checked by the rules for flags, and asked for again if they refuse it.

    Args:
        given: the flags of the command line, without a name.
        kinds: the names of the handlers that exist.
        check: refuses flags.
        terminal: where to ask.
    """
    flags = _named(given, kinds, check, terminal)
    if given.fields or given.config or given.options:
        return flags
    terminal.show(f"Fields are settings that each alert can override. Types: {TYPES}.")
    field = _field(f"First field ({_NONE} for none)", _FIELD, flags, check, terminal)
    while field:
        flags = replace(flags, fields=(*flags.fields, field))
        field = _field("Another field", _NONE, flags, check, terminal)
    return flags


def _named(
    given: Flags, kinds: Sequence[str], check: Check, terminal: Terminal
) -> Flags:
    names = itertools.chain([_NAME], (f"{_NAME}{n}" for n in itertools.count(2)))
    default = next(name for name in names if name not in kinds)
    while True:
        flags = replace(given, name=terminal.ask("Name of the handler", default))
        if _passes(flags, check, terminal):
            return flags


def _field(
    question: str, default: str, flags: Flags, check: Check, terminal: Terminal
) -> str:
    """A field as `--field` takes it, or "" for none."""
    while True:
        name = terminal.ask(question, default)
        if name == _NONE:
            return ""
        # whoever knows the flag may answer as it is written
        field = name if ":" in name else f"{name}:{_TYPE}"
        fields = (*flags.fields, field)
        if not _passes(replace(flags, fields=fields), check, terminal):
            continue
        while field != name:
            field = f"{name}:{terminal.ask(f'Type of {name}', _TYPE)}"
            fields = (*flags.fields, field)
            if _passes(replace(flags, fields=fields), check, terminal):
                break
        return field


def _passes(flags: Flags, check: Check, terminal: Terminal) -> bool:
    try:
        check(flags)
    except SpecError as error:
        for fault in error.faults:
            terminal.show(f"  {fault}")
        return False
    return True
