"""The two tables: every file the generator writes, every place it registers in.

An entry's template stands where its output stands: `templates/create/` + path + `.j2`
with `KIND` for the handler's name, and `templates/edit/` + path without its suffix + `/`
+ place + suffix + `.j2`. A template that renders to nothing is left out for that handler.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from scaffold.patching.anchors import (
    Anchor,
    CallArguments,
    Changelog,
    ClassBody,
    DictLiteral,
    DocstringList,
    FromImport,
    ImportBlock,
    ListLiteral,
    MarkdownList,
    Methods,
    ModuleClasses,
    TomlSections,
)


class Create(NamedTuple):
    """A whole file.

    Attributes:
        path: where it is written; `{kind}` is the handler's name.
    """

    path: str

    @property
    def template(self) -> str:
        """Its template, below `templates/`."""
        return f"create/{self.path.replace('{kind}', 'KIND')}.j2"


class Edit(NamedTuple):
    """A registration in a file that is already there.

    Attributes:
        path: the file.
        place: the name of the place in it.
        anchor: finds the place.
        key: tells whether the handler is registered there; made from its names.
        once: whether it is written with the handler and then never looked at again.
    """

    path: str
    place: str
    anchor: Anchor
    key: str = "{kind}"
    once: bool = False

    @property
    def template(self) -> str:
        """Its template, below `templates/`."""
        path = PurePosixPath(self.path)
        return f"edit/{path.with_suffix('')}/{self.place}{path.suffix}.j2"


SPEC_PATH = "runtime/services/{kind}/handler.toml"
"""Where a handler's spec is committed; written from the spec itself, not from a template."""

_SNAPSHOTS = "tests/runtime/services/{kind}/__snapshots__/test_{kind}_service"

CREATE = (
    Create("runtime/services/{kind}/__init__.py"),
    Create("runtime/services/{kind}/config.py"),
    Create("runtime/services/{kind}/handler.py"),
    Create("runtime/services/{kind}/service.py"),
    Create("runtime/services/{kind}/{kind}test.py"),
    Create("tests/runtime/services/{kind}/test_{kind}_service.py"),
    Create(f"{_SNAPSHOTS}/test_requests.txt"),
    Create(f"{_SNAPSHOTS}/test_service_test.txt"),
    Create("docs/handlers/{kind}.md"),
    Create("examples/{kind}/README.md"),
    Create("examples/{kind}/{kind}.conf"),
    Create("examples/{kind}/{kind}.tick"),
    Create("examples/{kind}/{kind}.yaml"),
)

EDIT = (
    Edit(
        "runtime/server/config.py",
        "import",
        ImportBlock(),
        key="{package}.services.{kind}.config:{class_name}Config",
    ),
    Edit("runtime/server/config.py", "table", ClassBody("AlertHandlers")),
    Edit(
        "runtime/server/server.py",
        "import",
        ImportBlock(),
        key="{package}.services.{kind}.service:{class_name}Service",
    ),
    Edit("runtime/server/server.py", "service", CallArguments("HandlerServices")),
    Edit(
        "runtime/task_master.py",
        "import",
        ImportBlock(),
        key="{package}.services.{kind}.service:{class_name}Service",
    ),
    Edit("runtime/task_master.py", "service", ClassBody("HandlerServices")),
    Edit(
        "runtime/services/alert/handlers.py",
        "import",
        ImportBlock(),
        key="{package}.services.{kind}.handler:{class_name}HandlerConfig",
    ),
    Edit("runtime/services/alert/handlers.py", "service", Methods("HandlerServices")),
    Edit("runtime/services/alert/handlers.py", "kind", DictLiteral("HANDLER_KINDS")),
    Edit(
        "runtime/nodes/alert_handlers.py",
        "import",
        FromImport("pipeline.alert"),
        key="{class_name}Handler",
    ),
    Edit("runtime/nodes/alert_handlers.py", "handler", DictLiteral("TICK_HANDLERS")),
    Edit(
        "runtime/pipeline/alert.py",
        "list",
        DocstringList("AlertNode", "Handlers"),
        key="{property}",
    ),
    Edit(
        "runtime/pipeline/alert.py",
        "property",
        Methods("AlertNode", decorator="handler_property"),
        key="{method}",
    ),
    Edit(
        "runtime/pipeline/alert.py",
        "handler",
        ModuleClasses("AlertHandler"),
        key="{class_name}Handler",
    ),
    Edit(
        "runtime/pipeline/alert.py",
        "name",
        DictLiteral("HANDLERS"),
        key="{property}",
    ),
    Edit("tests/runtime/test_registration.py", "kind", ListLiteral("KINDS")),
    Edit("etc/kapacitor.conf", "section", TomlSections()),
    Edit("docs/handlers.md", "index", MarkdownList(), key="handlers/{kind}.md"),
    Edit("CHANGELOG.md", "unreleased", Changelog(), key=".{property}()", once=True),
)
