"""Plugins: handlers of installed packages, and of the project in the current folder.

A plugin is an `Integrations` value in an import package. Installed packages name theirs as
entry points of the group `scaffold.integrations`. A project is the nearest folder upwards
with a `pyproject.toml` that has `[tool.scaffold] package`; its value is
`PACKAGE.integrations:INTEGRATIONS`.
"""

from __future__ import annotations

import importlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from runtime.errors import ConfigError
from runtime.integration import Integrations
from runtime.pipeline.alert import AlertNode
from runtime.pipeline.properties import properties_of
from runtime.references import way_out

GROUP = "scaffold.integrations"
_ATTRIBUTE = "INTEGRATIONS"
_MOVE = (
    "make a project with `scaffold init`, copy the handler.toml of each handler into it, "
    "and run `scaffold new-handler --spec` for each"
)


@dataclass(frozen=True, slots=True)
class Plugin:
    """Handlers with their origin.

    Attributes:
        name: name of the distribution, or of the project's package.
        origin: version of the distribution, or folder of the project.
        integrations: the handlers.
    """

    name: str
    origin: str
    integrations: Integrations

    def __str__(self) -> str:
        return f"{self.name} ({self.origin})"

    @property
    def handlers(self) -> str:
        """The kinds of its handlers, as `huddle,pager`."""
        return ",".join(sorted(self.integrations.kinds))


class Found(NamedTuple):
    """The handlers of a server, and warnings about them.

    Attributes:
        integrations: handlers of the server and of all plugins.
        plugins: plugins in the order of their handlers.
        warnings: warnings about a project that was not loaded.
    """

    integrations: Integrations
    plugins: Sequence[Plugin] = ()
    warnings: Sequence[str] = ()


class _Project(NamedTuple):
    root: Path
    package: str


def found(bundled: Integrations, folder: str = "") -> Found:
    """The bundled handlers and those of all plugins.

    Args:
        bundled: the handlers that come with the server.
        folder: folder of the project; "" to load none.

    Raises:
        ConfigError: a plugin cannot be loaded, or two have a handler of the same name.
    """
    project, warnings = _usable(_project(folder)) if folder else (None, [])
    plugins = list(_installed(project))
    if project is not None:
        plugins.append(_of_project(project))
    plugins.sort(key=lambda each: each.name)
    rest, replaced = _without(bundled, plugins)
    whole = merged([Plugin("kapacitord", "bundled", rest), *plugins])
    return Found(whole, plugins, [*warnings, *replaced])


def _without(
    bundled: Integrations, plugins: Sequence[Plugin]
) -> tuple[Integrations, list[str]]:
    """The bundled handlers without those that plugins replace, with a warning for each.

    A project may have had a handler of its own before the server came with one.
    """
    own = {
        kind.lower(): plugin for plugin in plugins for kind in plugin.integrations.kinds
    }
    # kinds like `log` and `post` have no service of that name, and cannot be replaced
    gone = [kind for kind in bundled.services if kind.lower() in own]
    handlers = [bundled.node_handlers.entries[kind] for kind in gone]
    tables: dict[str, dict[str, Any]] = {
        table: {
            name: value
            for name, value in getattr(bundled, table).entries.items()
            if name not in gone and value not in handlers
        }
        for table in _TABLES
    }
    texts = [
        f"{own[kind.lower()]}: its handler {kind!r} replaces that of the server"
        for kind in gone
    ]
    return Integrations(**tables), texts


def merged(plugins: Iterable[Plugin]) -> Integrations:
    """The handlers of all plugins as one value.

    Raises:
        ConfigError: two have a handler of the same name, or one hides a property of
            alert nodes.
    """
    tables: dict[str, dict[str, Any]] = {table: {} for table in _TABLES}
    # names are compared in lower case, as files and scripts may use any case
    owners: dict[tuple[str, str], Plugin] = {}
    own = {name.lower() for name in properties_of(AlertNode)}
    for plugin in plugins:
        for table, word in _TABLES.items():
            for name, value in getattr(plugin.integrations, table).entries.items():
                other = owners.setdefault((table, name.lower()), plugin)
                if other is not plugin:
                    raise ConfigError(
                        f"{other} and {plugin} both have the {word} {name!r}: "
                        "uninstall one of them, or rename its handler"
                    )
                if table == "properties" and name.lower() in own:
                    raise ConfigError(
                        f"{plugin}: the property {name!r} would hide that of alert nodes: "
                        "give the handler another property"
                    )
                tables[table][name] = value
    return Integrations(**tables)


_TABLES: Mapping[str, str] = {
    "sections": "configuration section",
    "services": "service",
    "kinds": "handler kind",
    "properties": "property",
    "node_handlers": "alert node handler",
}


def _installed(project: _Project | None) -> Iterator[Plugin]:
    """The plugins of installed packages; the project itself is left out."""
    from importlib.metadata import entry_points

    seen: set[str] = set()
    for entry in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        distribution = entry.dist
        name = distribution.name if distribution else entry.name
        version = distribution.version if distribution else "unknown version"
        package = entry.module.partition(".")[0]
        # an editable install is found twice: in site-packages and in its own folder
        if entry.value in seen or (project and package == project.package):
            continue
        seen.add(entry.value)
        value = _loaded(f"{name} {version}", entry.module, entry.attr)
        yield Plugin(name, version, value)


def _of_project(project: _Project) -> Plugin:
    root = str(project.root)
    if root not in sys.path:
        sys.path.insert(0, root)
    module = f"{project.package}.integrations"
    value = _loaded(f"{project.package} in {root}", module, _ATTRIBUTE)
    return Plugin(project.package, root, value)


def _loaded(plugin: str, module: str, attribute: str) -> Integrations:
    try:
        value = getattr(importlib.import_module(module), attribute, None)
    # any error: the operator needs to know which plugin fails
    except Exception as error:
        raise ConfigError(
            f"cannot load the handlers of {plugin}: importing {module} failed with "
            f"{type(error).__name__}: {error}. {way_out(error)}"
        ) from None
    if not isinstance(value, Integrations):
        raise ConfigError(
            f"cannot load the handlers of {plugin}: {module}:{attribute} must be an "
            "Integrations value"
        )
    return value


def _project(folder: str) -> _Project | None:
    """The project that contains `folder`, unless it is the server's own checkout.

    Raises:
        ConfigError: its settings cannot be read, or it contains a copy of the runtime.
    """
    import tomllib

    start = Path(folder).absolute()
    for root in (start, *start.parents):
        file = root / "pyproject.toml"
        try:
            data = file.read_bytes()
        except OSError:
            continue
        if b"scaffold" not in data:
            continue
        try:
            settings = tomllib.loads(data.decode()).get("tool", {}).get("scaffold")
        except (ValueError, RecursionError, AttributeError):
            raise ConfigError(
                f"{file}: invalid TOML, so its handlers are unknown: repair the file, or "
                "start with -no-project"
            ) from None
        if isinstance(settings, dict):
            return _checked(root, settings.get("package", "runtime"))
    return None


def _checked(root: Path, package: object) -> _Project | None:
    own = Path(__file__).parents[1]
    if not isinstance(package, str) or not package.isidentifier():
        raise ConfigError(
            f"{root}/pyproject.toml: [tool.scaffold]: package must be the name of an "
            "import package"
        )
    if (root / package).resolve() == own.resolve():
        return None
    if (root / package / "task_master.py").exists():
        raise ConfigError(
            f"{root} contains a copy of the runtime, as earlier versions created it, "
            "but this "
            f"kapacitord runs the one in {own}: {_MOVE}; or start with -no-project"
        )
    return _Project(root, package)


def _usable(project: _Project | None) -> tuple[_Project | None, list[str]]:
    """The project, unless it is another checkout or other users can write there."""
    if project is None:
        return None, []
    own = Path(__file__).parents[1]
    # its name is the server's, so importing it would give the code that runs already
    if project.package == own.name and (project.root / own.name / "server").is_dir():
        text = (
            f"the checkout of this server in {project.root} is not used: this kapacitord "
            f"runs the code in {own}"
        )
        return None, [text]
    paths = (
        project.root,
        project.root / "pyproject.toml",
        project.root / project.package,
    )
    for path in paths:
        try:
            found = path.stat()
        except OSError as error:
            reason = str(error.strerror).lower()
            raise ConfigError(
                f"{project.root}/pyproject.toml names the package {project.package!r}, "
                f"and {path}: {reason}"
            ) from None
        problem = _stranger(found)
        if problem:
            text = (
                f"the project in {project.root} is not loaded: {path} {problem}. "
                "Change that, or install the project"
            )
            return None, [text]
    return project, []


def _stranger(found: os.stat_result) -> str:
    if found.st_uid not in (0, os.geteuid()):
        return "belongs to another user"
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not _is_own_group(found):
        return "can be changed by other users"
    return ""


def _is_own_group(found: os.stat_result) -> bool:
    """True if only the user's own group may write, as with a umask of 002."""
    return not found.st_mode & stat.S_IWOTH and found.st_gid == os.getegid()
