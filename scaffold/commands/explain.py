"""`scaffold explain`: the codes of findings."""

from __future__ import annotations

import textwrap

from scaffold.codes import CODES, Code
from scaffold.errors import UsageError
from scaffold.escaping import escaped
from scaffold.names import closest
from scaffold.report import Report

_WIDTH = 79
_PAGE = """\
# Findings

`scaffold check` reports what differs from the output of the generator. Errors make it exit with 1, information does not.
`scaffold explain CODE` prints the section of a code.

| code | name | severity |
|---|---|---|
{rows}
"""
_SECTION = """\

## {code} {code_name}

{meaning}

Example: {example}

Remedy: {remedy}
"""


def codes() -> Report:
    """All codes."""
    width = max(len(each.name) for each in CODES.values())
    lines = [
        f"{code}  {each.name.ljust(width)}  {each.severity}\n"
        for code, each in CODES.items()
    ]
    return Report(
        "explain",
        output="".join(lines),
        summary=f"{len(CODES)} codes; scaffold explain SC101 explains one",
        extra={"codes": [_fields(code, each) for code, each in CODES.items()]},
    )


def code(name: str) -> Report:
    """One code.

    Raises:
        UsageError: the code does not exist.
    """
    name = name.upper()
    found = CODES.get(name)
    if found is None:
        guess = closest(name, CODES)
        hint = f"; did you mean {guess}?" if guess else ""
        message = f"unknown code {escaped(name)!r}{hint}"
        raise UsageError(message, fix="scaffold explain")
    parts = (
        f"{name} {found.name} ({found.severity})",
        _wrapped(found.meaning),
        _wrapped(f"Example: {found.example}"),
        _wrapped(f"Remedy: {found.remedy}"),
    )
    return Report(
        "explain",
        output="\n\n".join(parts) + "\n",
        summary=f"{name} explained",
        extra=_fields(name, found),
    )


def page() -> str:
    """The page of the documentation about all codes."""
    rows = "\n".join(
        f"| {code} | {each.name} | {each.severity} |" for code, each in CODES.items()
    )
    sections = (
        _SECTION.format(code=code, code_name=each.name, **each._asdict())
        for code, each in CODES.items()
    )
    return _PAGE.format(rows=rows) + "".join(sections)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _fields(code: str, each: Code) -> dict[str, str]:
    return {
        "code": code,
        "name": each.name,
        "severity": each.severity,
        "meaning": each.meaning,
        "example": each.example,
        "remedy": each.remedy,
    }
