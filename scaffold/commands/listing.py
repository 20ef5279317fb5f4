"""`scaffold list`: the handlers of a project."""

from __future__ import annotations

from collections.abc import Iterable

from scaffold import places
from scaffold.escaping import escaped
from scaffold.handlers import committed, kinds
from scaffold.project import Project
from scaffold.report import Report
from scaffold.tree import DiskTree


def handlers(project: Project, *, verbose: bool) -> Report:
    """The handlers of a project, each with its files if `verbose`."""
    tree = DiskTree(project.root)
    rows = []
    found = []
    for kind in kinds(tree, project.package):
        spec = committed(project, tree, kind)
        rows.append((kind, f".{spec.names.property}()", spec.title, spec.summary))
        files = [
            str(file.path)
            for file in places.files(spec.names, project.package)
            # some have nothing to say for some specs
            if file.path.name in tree.names(file.path.parent)
        ]
        if verbose:
            rows += [("", path, "", "") for path in files]
        found.append(
            {
                "kind": kind,
                "property": spec.names.property,
                "title": spec.title,
                "flags": list(spec.flags),
                "spec": str(places.spec_path(kind, project.package)),
                "files": files,
            }
        )
    noun = "handler" if len(found) == 1 else "handlers"
    return Report(
        "list",
        output=_table(rows),
        summary=f"{len(found)} {noun}",
        extra={"handlers": found},
    )


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    rows = [tuple(map(escaped, row)) for row in rows]
    # the files of a handler, which have a row each, widen no column
    heads = [row for row in rows if row[0]] or rows
    widths = [max(map(len, column)) for column in zip(*heads, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "".join(line.rstrip() + "\n" for line in lines)
