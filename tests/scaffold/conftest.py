"""A small project that handlers can be generated into."""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import pytest

from scaffold import __main__, renaming, shared
from scaffold.layout.style import by_black
from scaffold.merging import writing
from scaffold.patching.patch import register
from scaffold.rendering import render as rendering
from tests.scaffold.rendered import BUNDLED, patching_once, rendering_once

ROOT = Path(__file__).parents[2]
# files that the generator reads and writes; `whole_project` has the rest of the runtime
_COPIED = (
    *("pyproject.toml", ".gitignore", ".gitattributes", "etc", "runtime/integrations"),
    *("runtime/services/foo", "runtime/services/hipchat", "runtime/services/httppost"),
    *(".scaffold/handlers", ".scaffold/.gitattributes", ".scaffold/.gitignore"),
    *("docs/handlers.md", "docs/handlers", "examples/foo", "examples/hipchat"),
    *("tests/runtime/services/foo", "tests/runtime/services/hipchat"),
    "tests/runtime/test_registration.py",
)
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc")

rendering.render = rendering_once(rendering.render)
shared.register = renaming.register = patching_once(register)
writing.by_black = functools.lru_cache(1000)(by_black)

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True, scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folders of the generator outside of projects; not those of the developer."""
    folder = tmp_path_factory.mktemp("machine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.delenv("CI", raising=False)
        # generated tests need no others of this environment, which are slow to load
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.setenv("PYTEST_ADDOPTS", "-p syrupy")
        yield folder


@pytest.fixture(scope="session")
def made_project(machine: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The part of this repository that handlers are generated into; read-only."""
    folder = tmp_path_factory.mktemp("made") / "project"
    for path in _COPIED:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, target, ignore=_NOT_COPIED)
        else:
            shutil.copy(ROOT / path, target)
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n")
    # two of the bundled handlers are enough, and quicker
    for kind in sorted(each.name for each in (folder / ".scaffold/handlers").iterdir()):
        if kind not in BUNDLED:
            done = ran(("remove-handler", kind, "--allow-dirty"), folder)
            assert done.returncode == 0, done.stderr
    shutil.rmtree(folder / ".scaffold/undo")
    (folder / ".scaffold/lock").unlink()
    return folder


@pytest.fixture(scope="session")
def made_files(made_project: Path) -> Mapping[PurePosixPath, bytes]:
    """The files of `made_project`, in memory."""
    return {
        PurePosixPath(path.relative_to(made_project)): path.read_bytes()
        for path in sorted(made_project.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def project(made_project: Path, tmp_path: Path) -> Path:
    """A project of one's own."""
    return Path(shutil.copytree(made_project, tmp_path / "project"))


@pytest.fixture
def whole_project(project: Path) -> Path:
    """The project with all of the runtime, so that its tests run.

    Its packages lead to those of this repository, where the rest is compiled already; a
    module or package of the project's own comes first.
    """
    for folder in ("runtime", "runtime/services"):
        text = f"__path__.append({str(ROOT / folder)!r})\n"
        (project / folder / "__init__.py").write_text(text)
    return project


@pytest.fixture(scope="session")
def run_in(machine: Path) -> Run:
    """Runs the command line in a folder, in this process; a `code` of None is any."""

    def run(
        folder: Path, *arguments: str, code: int | None = 0, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        done = ran(arguments, folder, text)
        assert code in (None, done.returncode), done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def scaffold(project: Path, run_in: Run) -> Run:
    """Runs the command line in the project, in this process."""

    def run(
        *arguments: str, code: int = 0, cwd: Path = project, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return run_in(cwd, *arguments, code=code, text=text)

    return run


def ran(
    arguments: Sequence[str], cwd: Path, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """The result of a command line, run in this process as if in one of its own."""
    before = signal.getsignal(signal.SIGTERM)
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        stack.callback(gc.enable)
        stack.callback(signal.signal, signal.SIGTERM, before)
        stack.enter_context(contextlib.chdir(cwd))
        streams = [_Stream(text), _Stream(), _Stream()]
        for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
            patch.setattr(sys, name, stream)
        patch.setattr(sys, "argv", ["scaffold", *arguments])
        code = 0
        try:
            __main__.main()
        except SystemExit as ended:
            assert isinstance(ended.code, int)
            code = ended.code
    return subprocess.CompletedProcess(
        arguments, code, streams[1].written(), streams[2].written()
    )


class _Stream(io.TextIOWrapper):
    """A stream of the process that is kept in memory."""

    def __init__(self, text: str = "") -> None:
        super().__init__(io.BytesIO(text.encode()), "utf-8")

    def written(self) -> str:
        """Return the written output."""
        self.flush()
        self.seek(0)
        return self.read()
