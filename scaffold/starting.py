"""Makes a project of the user's own: a copy of the runtime, ready to be extended."""

from __future__ import annotations

import importlib.metadata
import keyword
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from scaffold import check, disk, places, state, testing
from scaffold.change import Change
from scaffold.errors import PlanError, UsageError, WriteFailed
from scaffold.generate import ChangeSet, wanted
from scaffold.outcomes import Created
from scaffold.patching.patch import find, fitted
from scaffold.patching.place import Place, Registration
from scaffold.patching.slots import Source
from scaffold.rendering.layout import fit_module
from scaffold.report import Report
from scaffold.spec.parse import parse
from scaffold.state import Record
from scaffold.tree import MemoryTree

_DISTRIBUTION = "scaffold-alerts"
_NOT_COPIED = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"})
# `runtime` where it is the package: before a dot or a slash that a name follows, and
# in `import runtime`, `from runtime import …`, `-m runtime`, `"runtime"`. Not the word.
_PACKAGE = re.compile(
    r"(?<![\w.-])runtime(?=[./][A-Za-z_{<*]| import\b|/$|/`|`)"
    r"|(?<=\bimport )runtime\b|(?<=\")runtime(?=\")",
    re.MULTILINE,
)
_PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.21"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1.0"
description = "Alert integrations, and the runtime they live in."
requires-python = ">=3.11"
dependencies = [
{dependencies}]

[project.optional-dependencies]
dev = [
{development}]

[project.scripts]
kapacitord = "{package}.server.__main__:main"
kapacitor = "{package}.client.__main__:main"

[tool.hatch.build.targets.wheel]
packages = ["{package}"]

[tool.scaffold]
package = "{package}"

{tools}[tool.pytest.ini_options]
addopts = "-ra --strict-markers --strict-config --import-mode=importlib"
testpaths = ["tests"]
filterwarnings = ["error"]
"""
_README = """\
# {name}

Alert integrations, and the runtime they live in. Made by `scaffold init`.

```
{install}
scaffold new-handler huddle --field channel:str
.venv/bin/python -m pytest
.venv/bin/kapacitord -config etc/kapacitor.conf
```
"""
_CHANGELOG = """\
# Changelog

## Unreleased
"""
_GITIGNORE = "__pycache__/\n*.py[cod]\n.venv/\n/data/\n"


def init(folder: Path, package: str, *, dry_run: bool, shown: str) -> Report:
    """Fill a new or empty folder with a project.

    Args:
        folder: where.
        package: what the runtime is called there.
        dry_run: only tell.
        shown: how the user calls the folder.

    Raises:
        UsageError: the folder holds something, or the package's name is none.
        WriteFailed: the folder cannot be made.
    """
    _check(folder, package)
    files = dict(_project_files(folder.resolve().name, package))
    files |= _state_files(files, package)
    changes = [Change(path, None, data) for path, data in sorted(files.items())]
    note = ""
    if not dry_run:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteFailed(f"{shown}: {error.strerror}") from error
        with disk.locked(folder):
            note = disk.apply(folder, changes)
    created = [Created(change.path) for change in changes if not change.is_state]
    return Report(
        "init",
        result=ChangeSet(tuple(changes), tuple(created)),
        summary=f"{len(created)} files in {shown}: the runtime as `{package}`",
        next=[
            f"cd {shown}",
            "scaffold new-handler huddle --field channel:str",
            *testing.commands(folder),
        ],
        dry_run=dry_run,
        brief=True,
        notes=[note] if note else [],
    )


def _check(folder: Path, package: str) -> None:
    reserved = {
        "scaffold",
        "tests",
        "docs",
        "etc",
        "examples",
    } | sys.stdlib_module_names
    if (
        not re.fullmatch("[a-z][a-z0-9_]*", package)
        or keyword.iskeyword(package)
        or package in reserved
    ):
        raise UsageError(
            f"--package {package!r}: must be a name of a to z, 0 to 9 and _ that "
            "means nothing else to Python"
        )
    try:
        folder.absolute()  # needs the current folder
        _check_folder(folder)
    except FileNotFoundError:
        raise UsageError(
            "the current folder does not exist any more", fix="cd to another folder"
        ) from None
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", "") or "is not a path"
        raise UsageError(f"{str(folder)!r}: {problem}") from None


def _check_folder(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder}: is not a folder")
    if folder.exists():
        found = sorted(entry.name for entry in folder.iterdir())
        if [name for name in found if name not in {".git", ".venv"}]:
            raise UsageError(f"{folder}: is not empty ({found[0]})")


def _project_files(name: str, package: str) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The files of the new project, without the generator's state."""
    for path, file in _sources():
        data = file.read_bytes()
        new = places.within(str(path), package)
        yield new, data if package == "runtime" else _renamed(new, data, package)
    needed, development = _requirements()
    settings = _PYPROJECT.format(
        name=re.sub("[^A-Za-z0-9._-]+", "-", name).strip("-._") or "alerts",
        package=package,
        dependencies="".join(f'    "{each}",\n' for each in needed),
        development="".join(f'    "{each}",\n' for each in development),
        tools=_tools(package),
    )
    texts = {
        "pyproject.toml": settings,
        "README.md": _README.format(name=name, install=testing.INSTALL),
        "CHANGELOG.md": _CHANGELOG,
        ".gitignore": _GITIGNORE,
    }
    for file_name, text in texts.items():
        yield PurePosixPath(file_name), text.encode()


def _base() -> Path:
    """Where this project's own files are: inside the wheel, or in a clone."""
    here = Path(__file__).parent
    inside = here / "project"
    return inside if inside.is_dir() else here.parent


def _tools(package: str) -> str:
    """How this project's formatter, linter and type checker are set, for `package`."""
    text = (_base() / "pyproject.toml").read_text("utf-8")
    start, end = text.index("[tool.black]"), text.index("[tool.pytest.ini_options]")
    tools = text[start:end].replace('["scaffold", "runtime"]', '["runtime"]')
    tools = tools.replace('["runtime", "scaffold"]', '["runtime"]')
    return tools.replace('"runtime', f'"{package}')


def _sources() -> Iterator[tuple[PurePosixPath, Path]]:
    """What is copied: the runtime, and what belongs to its handlers."""
    base = _base()
    runtime = Path(__file__).parents[1] / "runtime"
    yield from _below(runtime, PurePosixPath("runtime"))
    yield from _below(base / "etc", PurePosixPath("etc"))
    kinds = [
        file.parent.name for file in sorted(runtime.glob("services/*/handler.toml"))
    ]
    for folder in ("tests/runtime/services/{}", "examples/{}"):
        for kind in kinds:
            path = PurePosixPath(folder.format(kind))
            yield from _below(base / path, path)
    pages = [f"docs/handlers/{kind}.md" for kind in kinds]
    for single in ("docs/handlers.md", "tests/runtime/test_registration.py", *pages):
        if (base / single).is_file():
            yield PurePosixPath(single), base / single


def _below(folder: Path, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, Path]]:
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if entry.name in _NOT_COPIED or entry.suffix == ".pyc":
            continue
        if entry.is_dir():
            yield from _below(entry, path / entry.name)
        else:
            yield path / entry.name, entry


def _renamed(path: PurePosixPath, data: bytes, package: str) -> bytes:
    """A file of the runtime, in which the runtime is called `package`."""
    if path.suffix not in {".py", ".md", ".conf", ".toml", ".ambr", ".txt"}:
        return data
    text = _PACKAGE.sub(package, data.decode())
    return (fit_module(text) if path.suffix == ".py" else text).encode()


def _state_files(
    files: dict[PurePosixPath, bytes], package: str
) -> Mapping[PurePosixPath, bytes]:
    """The state of the handlers that are copied; renamed files are generated anew."""
    from scaffold.rendering.render import render

    kept: dict[PurePosixPath, bytes] = {}
    tree = MemoryTree(files)
    for kind in check.kinds(tree, package):
        path = places.spec_path(kind, package)
        spec = parse(files[path].decode(), str(path))
        want = wanted(spec, package, render)
        files |= {each: text.encode() for each, text in want.files.items()}
        texts = {
            place.id: _fitted(files, place, text)
            for place, text in want.places.items()
            if text.strip() and not place.once
        }
        record = Record(want.files, texts)
        for change in state.changes(MemoryTree({}), kind, record):
            if change.after is not None:
                kept[change.path] = change.after
    return kept


def _fitted(files: Mapping[PurePosixPath, bytes], place: Place, text: str) -> str:
    data = files.get(place.path)
    if data is None:
        raise PlanError(place.path, "is missing in the copy of the runtime")
    asked = Registration(place, text)
    return fitted(asked, find(Source(place.path, data), asked))


def _requirements() -> tuple[list[str], list[str]]:
    """What the runtime needs, and what its tests need, as this package says."""
    needed, development = [], []
    for line in importlib.metadata.requires(_DISTRIBUTION) or []:
        requirement, _, marker = (part.strip() for part in line.partition(";"))
        if "extra ==" in marker:
            development.append(requirement)
        else:
            needed.append(f"{requirement}; {marker}" if marker else requirement)
    return [each.replace('"', "'") for each in needed], development
