"""Findings and errors as workflow commands of GitHub Actions.

    ::error file=alerts/integrations/kinds.py,line=12,title=SC101 registration-missing::…

GitHub shows each beside its line, so paths are those of the checkout, not of the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from scaffold.errors import Problem
from scaffold.escaping import escaped, escaped_lines
from scaffold.findings import Finding

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def of_findings(findings: Iterable[Finding], folder: PurePosixPath) -> Iterator[str]:
    """The workflow commands for findings.

    Args:
        findings: the findings.
        folder: the project's folder, seen from the top of the checkout.
    """
    for each in findings:
        message = each.message
        if each.paste:
            message += f"\npaste:\n{each.paste}"
        if each.fix:
            message += f"\nfix: {each.fix}"
        yield _command(
            "notice" if each.is_informational else "error",
            str(folder / each.path),
            each.line,
            f"{each.code} {each.name}",
            message,
        )


def of_problems(
    problems: Iterable[Problem], fix: str, folder: PurePosixPath
) -> Iterator[str]:
    """The workflow commands for the errors that stopped a command."""
    for each in problems:
        message = f"{each.message}\nfix: {fix}" if fix else each.message
        path = str(folder / each.path) if each.path else ""
        yield _command("error", path, each.line, "scaffold", message)


def _command(kind: str, path: str, line: int, title: str, message: str) -> str:
    properties = {"file": path, "line": str(line or ""), "title": title}
    given = ",".join(
        f"{name}={_replaced(escaped(value), _PROPERTY)}"
        for name, value in properties.items()
        if value
    )
    return f"::{kind} {given}::{_replaced(escaped_lines(message), _DATA)}"


def _replaced(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(char, char) for char in text)
