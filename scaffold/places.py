"""The two tables: every file the generator writes, every place it registers in.

An entry's template mirrors its output path: `templates/create/` + path + `.j2`
with `KIND` for the handler's name, and `templates/edit/` + path without its suffix + `/`
+ place + suffix + `.j2`. A template that renders to nothing is left out for that handler.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.names import Names
from scaffold.patching.anchors import (
    Anchor,
    Changelog,
    DictLiteral,
    ListLiteral,
    MarkdownList,
    TomlSections,
)
from scaffold.patching.place import Place


class File(NamedTuple):
    """A generated file; in the table, or of one handler.

    Attributes:
        path: its path. In the table it is that of a project whose package is
            `runtime`, with `{kind}` for the handler's name.
        template: renders it.
    """

    path: PurePosixPath
    template: str


def _file(path: str) -> File:
    return File(PurePosixPath(path), f"create/{path.replace('{kind}', 'KIND')}.j2")


def _place(
    path: str,
    place: str,
    anchor: Anchor,
    key: str = "{kind}",
    *,
    once: bool = False,
    optional: bool = False,
) -> Place:
    file = PurePosixPath(path)
    template = f"edit/{file.with_suffix('')}/{place}{file.suffix}.j2"
    return Place(file, place, anchor, key, template, once, optional)


SPEC_PATH = "runtime/services/{kind}/handler.toml"
"""Path of a handler's spec, which is written as given, not from a template."""

SCHEMA = PurePosixPath("docs/spec.schema.json")
"""The JSON Schema of specs in a project; each spec names it for editors."""

_SNAPSHOTS = "tests/runtime/services/{kind}/__snapshots__/test_{kind}_service"

CREATE = (
    _file("runtime/services/{kind}/__init__.py"),
    _file("runtime/services/{kind}/config.py"),
    _file("runtime/services/{kind}/handler.py"),
    _file("runtime/services/{kind}/property.py"),
    _file("runtime/services/{kind}/service.py"),
    _file("runtime/services/{kind}/{kind}test.py"),
    _file("tests/runtime/services/{kind}/test_{kind}_service.py"),
    _file(f"{_SNAPSHOTS}/test_requests.txt"),
    _file(f"{_SNAPSHOTS}/test_service_test.txt"),
    _file(f"{_SNAPSHOTS}/test_variants.txt"),
    _file(f"{_SNAPSHOTS}/test_an_alert_from_its_beginning.txt"),
    _file("docs/handlers/{kind}.md"),
    _file("examples/{kind}/README.md"),
    _file("examples/{kind}/{kind}.conf"),
    _file("examples/{kind}/{kind}.tick"),
    _file("examples/{kind}/{kind}.yaml"),
)

ROOM = "runtime/integrations"

WIRING = f"{ROOM}/__init__.py"
"""The module that puts the tables of handlers together; the same for all handlers."""
"""The package of the modules that handlers are registered in."""

EDIT = (
    _place(f"{ROOM}/configuration.py", "section", DictLiteral("SECTIONS")),
    _place(f"{ROOM}/services.py", "service", DictLiteral("SERVICES")),
    _place(f"{ROOM}/kinds.py", "kind", DictLiteral("KINDS")),
    _place(
        f"{ROOM}/properties.py",
        "property",
        DictLiteral("PROPERTIES"),
        key="{property}",
    ),
    _place(f"{ROOM}/node_handlers.py", "handler", DictLiteral("NODE_HANDLERS")),
    _place("tests/runtime/test_registration.py", "kind", ListLiteral("KINDS")),
    _place("etc/kapacitor.conf", "section", TomlSections(), optional=True),
    _place(
        "docs/handlers.md",
        "index",
        MarkdownList(),
        key="handlers/{kind}.md",
        optional=True,
    ),
    _place(
        "CHANGELOG.md",
        "unreleased",
        Changelog(),
        key=".{property}()",
        once=True,
        optional=True,
    ),
)


def files(names: Names, package: str) -> tuple[File, ...]:
    """The table CREATE for one handler."""
    return tuple(
        file._replace(path=within(file.path, package, names.kind)) for file in CREATE
    )


def places(names: Names, package: str) -> tuple[Place, ...]:
    """The table EDIT for one handler."""
    return tuple(_filled(place, names, package) for place in EDIT)


def spec_path(kind: str, package: str) -> PurePosixPath:
    """The path of the handler's spec."""
    return within(SPEC_PATH, package, kind)


def services(package: str) -> PurePosixPath:
    """The folder that holds one package per service."""
    return spec_path("x", package).parents[1]


def within(path: PurePosixPath | str, package: str, kind: str = "") -> PurePosixPath:
    """A path of the tables in a project whose runtime is called `package`."""
    parts = PurePosixPath(str(path).replace("{kind}", kind)).parts
    depth = 1 if parts[0] == "tests" else 0
    if parts[depth : depth + 1] == ("runtime",):
        parts = (*parts[:depth], package, *parts[depth + 1 :])
    return PurePosixPath(*parts)


def kind_of(path: PurePosixPath, package: str) -> str | None:
    """The name of the handler that has a generated file of this path, if one can have."""
    for kind in dict.fromkeys((*path.parts, path.stem)):
        if any(within(file.path, package, kind) == path for file in CREATE):
            return kind
    return None


def _filled(place: Place, names: Names, package: str) -> Place:
    key = place.key.format(
        package=package,
        kind=names.kind,
        property=names.property,
        class_name=names.class_name,
    )
    return place._replace(path=within(place.path, package, names.kind), key=key)
