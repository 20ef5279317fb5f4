"""`scaffold list`: the handlers of a project."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from scaffold import places
from scaffold.escaping import escaped
from scaffold.handlers import committed, kinds
from scaffold.names import Names
from scaffold.presence import FILE, Spot, State, spots
from scaffold.project import Project
from scaffold.report import Report
from scaffold.tree import DiskTree

_SIGNS: dict[State, str] = {
    "present": ".",
    "edited": "e",
    "ejected": "o",
    "missing": "-",
    "doubled": "2",
    "unreadable": "?",
    "unused": " ",
}
_LABELS = string.ascii_lowercase + string.ascii_uppercase + string.digits
_WIDTH = 80

Row = tuple[str, Sequence[Spot]]
"""A handler, and the states of its files and registrations."""


def handlers(project: Project, *, verbose: bool) -> Report:
    """The handlers of a project, each with the state of its places if `verbose`."""
    tree = DiskTree(project.root)
    lines = []
    found = []
    rows: list[Row] = []
    for kind in kinds(tree, project.package):
        spec = committed(project, tree, kind)
        lines.append((kind, f".{spec.names.property}()", spec.title, spec.summary))
        files = [
            str(file.path)
            for file in places.files(spec.names, project.package)
            # some templates render to nothing for some specs
            if file.path.name in tree.names(file.path.parent)
        ]
        row: Row = kind, list(
            spots(tree, spec.names, project.package) if verbose else ()
        )
        rows.append(row)
        found.append(
            {
                "kind": kind,
                "property": spec.names.property,
                "title": spec.title,
                "flags": list(spec.flags),
                "spec": str(places.spec_path(kind, project.package)),
                "files": files,
                **({"places": [_fields(spot) for spot in row[1]]} if verbose else {}),
            }
        )
    noun = "handler" if len(found) == 1 else "handlers"
    matrix = (
        "\n".join(["", *_matrix(rows, project.package), ""]) if verbose and rows else ""
    )
    return Report(
        "list",
        output=_table(lines) + matrix,
        summary=f"{len(found)} {noun}",
        extra={"handlers": found},
    )


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    rows = [tuple(map(escaped, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "".join(line.rstrip() + "\n" for line in lines)


def _matrix(rows: Sequence[Row], package: str) -> Iterator[str]:
    """The lines of the matrix handlers x places, and the legend of its columns."""
    width = max(len(kind) for kind, _ in rows)
    columns = rows[0][1]
    files = sum(spot.place == FILE for spot in columns)
    labels = _LABELS[: len(columns)]
    yield f"{' ' * width}  {labels[:files]}  {labels[files:]}"
    for name, spots_ in rows:
        signs = "".join(_SIGNS[spot.state] for spot in spots_)
        yield f"{name.ljust(width)}  {signs[:files]}  {signs[files:]}".rstrip()
    yield ""
    words = [f"{sign} {word}" for word, sign in _SIGNS.items() if sign.strip()]
    yield "  ".join([*words, "blank: not generated"])
    for name, spots_ in rows:
        for spot in spots_:
            if spot.state not in ("present", "unused"):
                entry = f" {spot.place} `{spot.key}`" if spot.key else ""
                yield f"{spot.state}: {name}: {escaped(str(spot.path))}{entry}"
    yield ""
    yield from _legend(package)


def _legend(package: str) -> Iterator[str]:
    """The legend of the columns, with their common part once, in lines that fit."""
    groups: dict[PurePosixPath, list[str]] = {}
    for (path, place), label in zip(_columns(package), _LABELS, strict=False):
        group, name = (path, place) if place else (path.parent, path.name)
        groups.setdefault(group, []).append(f"{label} {name}")
    for group, entries in groups.items():
        yield f"{group}"
        line = ""
        for entry in entries:
            if len(line) + len(entry) + 2 > _WIDTH:
                yield line
                line = ""
            line += f"  {entry}"
        yield line


def _columns(package: str) -> Iterator[tuple[PurePosixPath, str]]:
    """The path and the place of each column, with `NAME` for the handler."""
    names = Names("NAME", "NAME")
    yield places.spec_path("NAME", package), ""
    yield from ((file.path, "") for file in places.files(names, package))
    yield from ((each.path, each.place) for each in places.places(names, package))


def _fields(spot: Spot) -> dict[str, str]:
    return {
        "path": str(spot.path),
        "place": spot.place,
        "key": spot.key,
        "state": spot.state,
    }
