"""The description of a new handler, from flags or a spec file."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path, PurePosixPath
from typing import Self

import runtime
from scaffold import places, state
from scaffold.errors import Fault, SpecError, UsageError
from scaffold.flags import Flags
from scaffold.handlers import kinds
from scaffold.project import Project
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.parse import from_flags, parse
from scaffold.tree import DiskTree, Tree

_MAX_SPEC_BYTES = 65_536
_RUNTIME = Path(runtime.__file__).parent
_MODULES = (*SOURCE_SUFFIXES, ".pyi", *EXTENSION_SUFFIXES)


@dataclass(frozen=True)
class SpecText:
    """A spec as text, not yet checked.

    Attributes:
        text: the text.
        path: its file; `-` for standard input, "" for none.
    """

    text: str
    path: str = ""

    @classmethod
    def of_file(cls, path: str, flags: Flags) -> Self:
        """The spec that `--spec` names.

        Raises:
            UsageError: it cannot be read, or flags describe the handler too.
        """
        if flags != Flags(flags.name):
            raise UsageError(
                "--spec cannot be combined with flags that describe the handler"
            )
        made = cls(read_text(path), path)
        if flags.name and made.name and made.name != flags.name:
            raise UsageError(
                f"{path}: describes the handler {made.name!r}, not {flags.name!r}"
            )
        return made

    @property
    def name(self) -> str:
        """The handler's name in it, or ""."""
        return _name_in(self.text)

    def spec(
        self, existing: Sequence[str] = (), properties: Sequence[str] = ()
    ) -> HandlerSpec:
        """The handler that it describes, checked against existing names and properties.

        Raises:
            SpecError: the spec is invalid.
        """
        return parse(self.text, self.path, existing=existing, properties=properties)


def described(project: Project, source: Flags | SpecText) -> HandlerSpec:
    """The spec of a new handler of a project.

    Raises:
        UsageError: flags do not name it.
        SpecError: the description is wrong.
    """
    tree = DiskTree(project.root)
    existing = kinds(tree, project.package)
    properties = properties_of(project, tree)
    if isinstance(source, Flags):
        spec = flags_spec(source, existing, properties)
    else:
        spec = source.spec(existing, properties)
    refuse_service(project, tree, spec)
    return spec


def flags_spec(
    flags: Flags, existing: Sequence[str] = (), properties: Sequence[str] = ()
) -> HandlerSpec:
    """The spec that flags describe, checked against existing names and properties.

    Raises:
        UsageError: the flags do not name the handler.
        SpecError: the description is wrong.
    """
    if not flags.name:
        raise UsageError(
            "NAME or --spec FILE is required (fields: --field NAME:TYPE)",
            fix="scaffold new-handler huddle --field channel:str",
        )
    return from_flags(flags, existing=existing, properties=properties)


def refuse_service(project: Project, tree: Tree, spec: HandlerSpec) -> None:
    """Refuse the name of a module that exists already."""
    services, name = places.services(project.package), spec.names.package
    modules = [
        services / entry
        for entry in tree.names(services)
        if entry.casefold() in {f"{name}{suffix}" for suffix in _MODULES}
    ]
    hook = f"{spec.hook.module}.py" if spec.hook is not None else ""
    if _has_modules(tree, services / name, hook):
        modules.append(services / name)
    if modules:
        problem = (
            f"a module of this name already exists: {modules[0]}; take another name, or "
            "move it"
        )
        raise SpecError([Fault("handler.name", problem)])
    # its own handlers and those of the runtime are registered together
    if project.package != "runtime" and (_RUNTIME / "services" / name).is_dir():
        problem = f"the runtime already has a service {name!r}; take another name"
        raise SpecError([Fault("handler.name", problem)])


def _has_modules(tree: Tree, folder: PurePosixPath, hook: str = "") -> bool:
    """True if a folder has modules.

    Leftover compiled files do not count, nor does a hook, which is written before the
    handler is generated.
    """
    names = [name for name in tree.names(folder) if name not in ("__pycache__", hook)]
    return any(
        name.endswith(_MODULES) or _has_modules(tree, folder / name) for name in names
    )


def properties_of(project: Project, tree: Tree, besides: str = "") -> list[str]:
    """The TICKscript properties of all handlers but one, as they are recorded."""
    path = places.within("runtime/integrations/properties.py", project.package)
    name = f"{path} property "
    return [
        place.removeprefix(name)
        for kind in state.kinds(tree)
        if kind != besides
        for place in state.places(tree, kind)
        if place.startswith(name)
    ]


def _name_in(text: str) -> str:
    """The handler's name in a spec that is not checked yet, or ""."""
    try:
        name = tomllib.loads(text)["handler"]["name"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    return name if isinstance(name, str) else ""


def read_text(path: str) -> str:
    """The text of a file, or of standard input for `-`.

    Raises:
        UsageError: it cannot be read, is too large or not UTF-8.
    """
    data = _bytes(path)
    if len(data) > _MAX_SPEC_BYTES:
        raise UsageError(f"{path}: is larger than 64 KiB")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not UTF-8 text") from None


def _bytes(path: str) -> bytes:
    if path == "-":
        return sys.stdin.buffer.read(_MAX_SPEC_BYTES + 1)
    file = Path(path)
    try:
        # A device or a pipe may never end.
        if file.exists() and not file.is_file():
            raise UsageError(f"{path}: is not a file")
        with file.open("rb") as stream:
            return stream.read(_MAX_SPEC_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except ValueError:
        raise UsageError(f"{path!r}: is not a path") from None
