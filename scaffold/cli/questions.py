"""Questions in a terminal, whose answers describe a new handler."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from scaffold import terminal
from scaffold.change import Change, unified
from scaffold.errors import SpecError, UsageError
from scaffold.escaping import escaped, escaped_lines
from scaffold.flags import Flags
from scaffold.merging.versions import Take
from scaffold.outcomes import Unsettled
from scaffold.spec.model.settings import FIELD_TYPES

_NAME = "huddle"
_FIELD = "channel"
_TYPE = "str"
_NONE = "-"


Check = Callable[[Flags], object]
"""Refuses flags as `new-handler` would, by raising a SpecError."""


def answered(given: Flags, kinds: Sequence[str], check: Check) -> Flags:
    """The flags, completed by a person's answers.

    Every answer is checked by the rules for flags, and asked for again if they refuse it.

    Args:
        given: the flags of the command line, without a name.
        kinds: the names of the handlers that exist.
        check: refuses flags.

    Raises:
        UsageError: the input ended.
    """
    flags = _named(given, kinds, check)
    if given.fields or given.config or given.options:
        return flags
    terminal.to_stderr(
        f"Fields are settings that each alert can override. Types: {', '.join(FIELD_TYPES)}."
    )
    field = _field(f"First field ({_NONE} for none)", _FIELD, flags, check)
    while field:
        flags = replace(flags, fields=(*flags.fields, field))
        field = _field("Another field", _NONE, flags, check)
    return flags


def is_confirmed(question: str) -> bool:
    """True if the person answers yes, or with an empty line.

    Raises:
        UsageError: the input ended.
    """
    answer = ""
    while answer not in ("y", "yes", "n", "no"):
        answer = ask(f"{question} (y/n)", "y").lower()
    return answer.startswith("y")


_TAKES: dict[str, Take] = {
    "m": "mine",
    "g": "generated",
    "b": "both",
    "e": "markers",
    "s": "fail",
}


def taken(waiting: Sequence[Unsettled]) -> dict[PurePosixPath, Take]:
    """Ask for the way to settle each file that is in conflict.

    Raises:
        UsageError: the input ended.
    """
    takes: dict[PurePosixPath, Take] = {}
    for each in waiting:
        if each.path in takes:
            continue
        terminal.to_stderr(f"conflict: {escaped(str(each.path))}: {each.reason}")
        while each.path not in takes:
            answer = ask(
                "[m]ine, [g]enerated, [b]oth, [d]iff, [e]ditor, [s]kip its handler", "s"
            )
            if answer[:1].lower() == "d":
                terminal.to_stderr(_difference(each))
            elif answer[:1].lower() in _TAKES:
                takes[each.path] = _TAKES[answer[:1].lower()]
    return takes


def _difference(conflict: Unsettled) -> str:
    """The patch from the former generated text to the new one."""
    before, after = (conflict.base or "").encode(), conflict.text.encode()
    return escaped_lines(unified([Change(conflict.path, before, after)]))


_DESCRIBE = UsageError(
    "end of input; describe the handler with NAME and --field instead",
    fix="scaffold new-handler huddle --field channel:str",
)


def ask(question: str, default: str, ended: UsageError = _DESCRIBE) -> str:
    """The answer to a question; `default` for an empty line.

    Raises:
        UsageError: `ended`, at the end of the input.
    """
    terminal.to_stderr(f"{question} [{default}]: ", end="")
    line = terminal.answer()
    if line is None:
        raise ended
    return line or default


def _named(given: Flags, kinds: Sequence[str], check: Check) -> Flags:
    names = itertools.chain([_NAME], (f"{_NAME}{n}" for n in itertools.count(2)))
    default = next(name for name in names if name not in kinds)
    while True:
        flags = replace(given, name=ask("Name of the handler", default))
        if _passes(flags, check):
            return flags


def _field(question: str, default: str, flags: Flags, check: Check) -> str:
    """A field as `--field` takes it, or "" for none."""
    while True:
        name = ask(question, default)
        if name == _NONE:
            return ""
        # answers may have the form of the flag
        field = name if ":" in name else f"{name}:{_TYPE}"
        fields = (*flags.fields, field)
        if not _passes(replace(flags, fields=fields), check):
            continue
        while field != name:
            field = f"{name}:{ask(f'Type of {name}', _TYPE)}"
            fields = (*flags.fields, field)
            if _passes(replace(flags, fields=fields), check):
                break
        return field


def _passes(flags: Flags, check: Check) -> bool:
    try:
        check(flags)
    except SpecError as error:
        for fault in error.faults:
            terminal.to_stderr(f"  {fault}")
        return False
    return True
