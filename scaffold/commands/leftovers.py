"""Mentions of a name that a handler had, added to the report of a command."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from scaffold.disk import search
from scaffold.mentions import MAX_MENTIONS, Mention, mentions
from scaffold.names import Names
from scaffold.project import Project
from scaffold.report import Report

_SHOWN = 20


def add_leftovers(
    report: Report, project: Project, names: Names, own: Collection[PurePosixPath] = ()
) -> None:
    """List the mentions of a handler that remain in the project after a command.

    Args:
        report: the report of the command.
        project: the project.
        names: the names that the handler had before.
        own: files that are left out.
    """
    after = {change.path: change.after for change in report.result.changes}
    left = mentions(names, _files(project, after), after, own)
    report.extra["leftovers"] = [
        {"path": str(each.path), "line": each.line, "text": each.text} for each in left
    ]
    report.notes += _note(left, names.kind)


def _files(
    project: Project, after: Mapping[PurePosixPath, bytes | None]
) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The text files of a project, with those that a dry run would create."""
    seen = set()
    for path, data in search.texts(project.root):
        seen.add(path)
        yield path, data
    for path, created in after.items():
        is_shown = path not in seen and path.parts[0] != ".scaffold"
        if created is not None and is_shown:
            yield path, created


def _note(left: Sequence[Mention], kind: str) -> Iterator[str]:
    """A note about mentions."""
    if not left:
        return
    places = [_place(each) for each in left[:_SHOWN]]
    more = len(left) - len(places)
    noun = "place" if len(left) == 1 else "places"
    many = "at least " if len(left) == MAX_MENTIONS else ""
    lines = [f"`{kind}` is still mentioned, in {many}{len(left)} {noun}:", *places]
    lines += [f"and {more} more (--json lists them)"] if more else []
    yield "\n".join(lines)


def _place(mention: Mention) -> str:
    path: PurePosixPath | str = mention.path
    return f"{path}:{mention.line}: {mention.text}" if mention.line else str(path)
