"""The operating system is asked for in one place."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from scaffold.disk import posix, windows
from tests.scaffold.files import files

ROOT = Path(__file__).parents[3]
SCAFFOLD = ROOT / "scaffold"
MODULES = {"fcntl", "grp", "msvcrt", "posix", "pwd", "resource", "termios", "winreg"}


def public(module: ModuleType | type) -> dict[str, str]:
    """The names of a module or class with the signatures of what can be called."""
    return {
        name: str(inspect.signature(value)) if inspect.isfunction(value) else ""
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and getattr(value, "__module__", module.__name__)
        in (module.__name__, getattr(module, "__module__", ""))
    }


def test_both_systems_have_the_same_names() -> None:
    own = {"own_status", "is_elsewhere"}  # of `windows` alone
    needed = public(posix)
    assert needed.keys() >= {"opened", "hold", "uninterrupted", "OUTSIDE", "SHARED"}
    there = {name: each for name, each in public(windows).items() if name not in own}
    assert there == needed
    assert public(windows.Place) == public(posix.Place)


def names_of_systems(path: Path) -> set[str]:
    """Names used by a module that some systems lack."""
    tree = ast.parse(path.read_text())
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    keywords = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    return {
        *(MODULES & imported),
        *(used & {*GONE, "O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK", "SIGHUP"}),
        *(used & {"pthread_sigmask", "symlink_to", "symlink", "flock"}),
        *(keywords & {"dir_fd", "src_dir_fd", "dst_dir_fd", "follow_symlinks"}),
    }


def test_nothing_else_asks_for_a_system() -> None:
    found = {
        path.relative_to(SCAFFOLD).as_posix(): names_of_systems(path)
        for path in sorted(SCAFFOLD.rglob("*.py"))
    }
    assert found.pop("disk/posix.py") >= {"fcntl", "getuid", "dir_fd"}
    assert found.pop("disk/windows.py") <= {"SIGHUP", "symlink"}
    assert {path: each for path, each in found.items() if each} == {}


# makes this interpreter look like one for Windows to everything that is imported later
ELSEWHERE = """
import filelock, os, signal, subprocess, sys
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
for name in (*vars(os), ):
    if name.startswith("O_") and name not in NEEDED or name in GONE:
        delattr(os, name)
for name in ("SIGHUP", "pthread_sigmask", "pthread_kill"):
    delattr(signal, name)
for name in ("open", "stat", "lstat", "mkdir", "rmdir", "unlink", "rename", "replace",
             "link", "symlink", "chmod", "access"):
    def plain(*arguments, call=getattr(os, name), **options):
        # as Python on Windows refuses it
        if any("dir_fd" in each for each in options):
            raise NotImplementedError("dir_fd unavailable on this platform")
        return call(*arguments, **options)
    setattr(os, name, plain)
os.supports_dir_fd, os.supports_fd = set(), set()
from scaffold.__main__ import main
from scaffold.disk import platform
assert platform.system.__name__ == "scaffold.disk.windows"
sys.argv[0] = "scaffold"
main()
"""
NEEDED = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_CREAT", "O_EXCL", "O_TRUNC", "O_APPEND")
GONE = (
    *("getuid", "geteuid", "getgid", "fchmod", "chown", "lchown", "fchown", "pread"),
    *("pwrite", "fork", "openat", "mkfifo"),
)


def elsewhere(project: Path, *arguments: str) -> str:
    """Run a command line where there is nothing of POSIX."""
    code = ELSEWHERE.replace("NEEDED", repr(NEEDED)).replace("GONE", repr(GONE))
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


# one of them is enough: they choose by themselves
@pytest.mark.parametrize("system", ["windows"], indirect=True)
def test_commands_run_without_anything_of_posix(project: Path) -> None:
    before = files(project)
    elsewhere(project, "new-handler", "huddle", "--field", "channel:str")
    after = files(project)
    assert "runtime/services/huddle/service.py" in after
    spec = project / "runtime/services/huddle/handler.toml"
    spec.write_text(spec.read_text().replace("test huddle message", "another message"))
    told = elsewhere(project, "regenerate", "huddle")
    assert "update runtime/services/huddle/service.py" in told
    assert "another" in (project / "runtime/services/huddle/service.py").read_text()
    elsewhere(project, "undo")
    spec.write_bytes(after["runtime/services/huddle/handler.toml"])
    assert files(project) == after
    elsewhere(project, "remove-handler", "huddle")
    assert files(project) == before
    assert "nothing to do" in elsewhere(project, "check")
    assert "nothing to do" in elsewhere(project, "check")
