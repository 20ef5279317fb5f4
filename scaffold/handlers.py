"""The handlers of a project: their names, specs and wanted states."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from runtime.toml_lines import positions
from scaffold import checkout, places, state
from scaffold.disk import git
from scaffold.errors import Fault, SpecError, UsageError
from scaffold.escaping import escaped
from scaffold.names import closest
from scaffold.project import FORMAT, Project
from scaffold.rendering.overrides import Overrides
from scaffold.shared import Fresh
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.parse import parse
from scaffold.tree import DiskTree, Overlay, Tree
from scaffold.wanted import Wanted, nothing, wanted


def kinds(tree: Tree, package: str) -> list[str]:
    """The handlers that have a spec."""
    services = places.services(package)
    return [
        name
        for name in tree.names(services)
        if "handler.toml" in tree.names(services / name)
    ]


def chosen(project: Project, tree: Tree, names: Sequence[str]) -> list[str]:
    """The handlers that a command is about; all of them if none is named.

    Handlers with a record but without a spec come last.

    Raises:
        UsageError: a handler does not exist.
    """
    found = kinds(tree, project.package)
    found += sorted(set(state.kinds(tree)) - set(found))
    for name in names:
        if name not in found:
            guess = closest(name, found)
            hint = f"; did you mean {guess}?" if guess else ""
            raise UsageError(f"unknown handler {name!r}{hint}", fix="scaffold list")
    # an older project can be upgraded without any
    if not found and project.format == FORMAT:
        services = places.services(project.package)
        raise UsageError(
            f"no handlers: {services}/*/handler.toml matches no file",
            fix="scaffold new-handler foo --field room:str",
        )
    return list(dict.fromkeys(names)) or found


def committed(project: Project, tree: Tree, kind: str) -> HandlerSpec:
    """The spec of a handler.

    Raises:
        UsageError: it is missing.
        SpecError: the spec is invalid.
    """
    path = places.spec_path(kind, project.package)
    data = tree.read(path)
    if data is None:
        raise UsageError(f"{escaped(str(path))}: is missing")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise SpecError([Fault("", "is not UTF-8 text")], str(path)) from None
    spec = _parsed(text, str(path))
    if spec.names.kind != kind:
        problem = f"must be {kind!r}, like its folder"
        raise SpecError([Fault("handler.name", problem)], str(path))
    check_hook(project, tree, spec)
    return spec


@functools.lru_cache(maxsize=1024)
def _parsed(text: str, path: str) -> HandlerSpec:
    """The spec of a handler, cached because commands read each several times."""
    return parse(text, path)


def check_hook(project: Project, tree: Tree, spec: HandlerSpec) -> None:
    """Refuse a spec without the module of its hook.

    Raises:
        SpecError: the module of `[hook]` is missing.
    """
    if spec.hook is None:
        return
    kind = spec.names.kind
    path = places.services(project.package) / kind / f"{spec.hook.module}.py"
    if tree.read(path) is not None:
        return
    problem = (
        f"{escaped(str(path))} is missing; write it with `async def open(config)`, "
        "`async def close(client)` and `async def send(client, data)`"
    )
    line = positions(spec.text).line(("hook",))
    raise SpecError([Fault("hook.module", problem, line=line)], spec.path)


def overrides_of(project: Project, tree: Tree) -> Overrides:
    """The templates of a project that stand in for scaffold's.

    Raises:
        TemplateFailed: a template of the project does not work.
    """
    from scaffold import overrides

    return overrides.find(tree, project).overrides


def wanted_of(
    project: Project, spec: HandlerSpec, found: Overrides | None = None
) -> Wanted:
    """The wanted state of a handler.

    Args:
        project: the project.
        spec: the handler's spec.
        found: the project's templates, if they are known.

    Raises:
        TemplateFailed: a template of the project does not work.
    """
    from scaffold.rendering.render import render

    if found is None:
        found = overrides_of(project, DiskTree(project.root))
    styled = functools.partial(render, style=project.style, overrides=found)
    return wanted(spec, project.package, styled, project.skip)


def specs(
    project: Project, tree: Tree, names: Sequence[str]
) -> dict[str, HandlerSpec | None]:
    """The handlers that a command is about, by name; None: its spec was removed."""
    with_spec = kinds(tree, project.package)
    return {
        kind: committed(project, tree, kind) if kind in with_spec else None
        for kind in chosen(project, tree, names)
    }


def wants(project: Project, tree: Tree, names: Sequence[str]) -> list[Wanted]:
    """The wanted state of the handlers that a command is about."""
    described = specs(project, tree, names)
    found = overrides_of(project, tree) if any(described.values()) else ()
    return [
        wanted_as(project, tree, kind, spec, found) for kind, spec in described.items()
    ]


def wanted_as(
    project: Project,
    tree: Tree,
    kind: str,
    spec: HandlerSpec | None,
    found: Overrides | None = None,
) -> Wanted:
    """The wanted state of a handler, as `wanted_of`; without a spec nothing is wanted."""
    want = wanted_of(project, spec, found) if spec else nothing(kind, project.package)
    return checkout.restored(want, tree) if git.is_merging(project.root) else want


def seen(project: Project, tree: Tree, names: Sequence[str]) -> Overlay:
    """The tree that a command which writes looks for handlers in.

    A handler of which only entries are left is found if it is named; while git is
    merging, it is always found.
    """
    if names or git.is_merging(project.root):
        return checkout.with_removed(tree, project.package)
    return Overlay(tree, {})


def fresh(project: Project) -> Fresh:
    """Gives the modules that an older project lacks; the runtime itself lacks none."""
    if project.package == "runtime":
        return lambda path: None
    from scaffold.rendering.projects import project_file

    return functools.cache(functools.partial(project_file, package=project.package))
