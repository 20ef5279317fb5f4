"""What should be there for one handler: paths, keys and anchors filled in, nothing read."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.names import Names
from scaffold.patching.anchors import Anchor
from scaffold.places import CREATE, EDIT, SPEC_PATH, Create, Edit


class File(NamedTuple):
    """A file to be created.

    Attributes:
        path: where.
        template: what makes its text.
    """

    path: PurePosixPath
    template: str


class Place(NamedTuple):
    """A registration to be made.

    Attributes:
        path: in which file.
        place: the name of the place in it.
        anchor: finds the place.
        key: tells whether it is made.
        template: what makes its text.
        once: whether it is made with the handler and then never looked at again.
    """

    path: PurePosixPath
    place: str
    anchor: Anchor
    key: str
    template: str
    once: bool


def files(names: Names, package: str) -> tuple[File, ...]:
    """The table CREATE for one handler."""
    return tuple(_file(entry, names, package) for entry in CREATE)


def places(names: Names, package: str) -> tuple[Place, ...]:
    """The table EDIT for one handler."""
    return tuple(_place(entry, names, package) for entry in EDIT)


def spec_path(kind: str, package: str) -> PurePosixPath:
    """Where the handler's spec is committed."""
    return within(SPEC_PATH, package, kind)


def services(package: str) -> PurePosixPath:
    """The folder that holds one package per service."""
    return spec_path("x", package).parents[1]


def within(path: str, package: str, kind: str = "") -> PurePosixPath:
    """A path of the tables in a project whose runtime is called `package`."""
    parts = PurePosixPath(path.replace("{kind}", kind)).parts
    depth = 1 if parts[0] == "tests" else 0
    if parts[depth : depth + 1] == ("runtime",):
        parts = (*parts[:depth], package, *parts[depth + 1 :])
    return PurePosixPath(*parts)


def _file(entry: Create, names: Names, package: str) -> File:
    return File(within(entry.path, package, names.kind), entry.template)


def _place(entry: Edit, names: Names, package: str) -> Place:
    key = entry.key.format(
        package=package,
        kind=names.kind,
        property=names.property,
        method=names.method,
        class_name=names.class_name,
    )
    path = within(entry.path, package, names.kind)
    return Place(path, entry.place, entry.anchor, key, entry.template, entry.once)
