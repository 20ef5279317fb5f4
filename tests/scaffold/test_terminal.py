"""Patches in a terminal: in color, and through a pager where they are long."""

from __future__ import annotations

import os
import pty
import select
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import pytest

from scaffold import __main__
from tests.scaffold.files import SERVICE, SPEC, edit

Watch = Callable[..., str]
ADDED = "\x1b[32m+"
REMOVED = "\x1b[31m-"


@pytest.fixture
def watch(project: Path) -> Watch:
    """Runs scaffold in a terminal of 24 lines; what a person sees."""

    def run(*arguments: str, answers: str = "", **variables: str) -> str:
        environment = {**os.environ, "TERM": "xterm", "LINES": "24", **variables}
        for name in ("CI", "NO_COLOR"):
            environment.pop(name, None)
            if name in variables:
                environment[name] = variables[name]
        return _seen(project, arguments, answers, environment)

    return run


def _seen(
    folder: Path, arguments: tuple[str, ...], answers: str, variables: Mapping[str, str]
) -> str:
    pid, terminal = pty.fork()
    if pid == 0:
        _become(folder, arguments, variables)
    os.write(terminal, answers.encode())
    seen = b""
    try:
        while select.select([terminal], [], [], 60)[0]:
            try:
                data = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            seen += data
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    return seen.decode().replace("\r\n", "\n")


def _become(
    folder: Path, arguments: tuple[str, ...], variables: Mapping[str, str]
) -> NoReturn:
    """Be a process of scaffold in a terminal; what it needs is loaded already."""
    code = 70
    try:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)
        sys.stdin = os.fdopen(0, closefd=False)
        sys.stdout, sys.stderr = (os.fdopen(n, "w", 1, closefd=False) for n in (1, 2))
        sys.argv = ["scaffold", *arguments]
        __main__.main()
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.stdout.flush()
        os._exit(code)


@pytest.fixture
def huddle(project: Path, run_in: Callable[..., object]) -> Path:
    """The project with an edited handler."""
    run_in(project, "new-handler", "huddle", "--field", "channel:str")
    edit(project, SERVICE, '"test huddle message"', '"mine"')
    return project


def test_a_patch_is_in_color(watch: Watch, huddle: Path) -> None:
    seen = watch("diff", PAGER="false")
    assert ADDED in seen
    assert REMOVED in seen
    assert "\x1b[" not in watch("diff", NO_COLOR="1").replace("\x1b[?", "")
    assert "\x1b[32m+" not in watch("diff", "--no-color")


def test_a_long_patch_goes_through_the_pager(watch: Watch, huddle: Path) -> None:
    pager = huddle.parent / "pager"
    pager.write_text("#!/bin/sh\nsed 's/^/paged /'\n")
    pager.chmod(0o755)
    new = ("new-handler", "other", "--field", "room:str", "-n", "--diff")
    assert "paged " in watch(*new, "--verify", "none", PAGER=str(pager))
    assert "paged " not in watch("diff", PAGER=str(pager))


def test_a_conflict_is_asked_about(watch: Watch, huddle: Path) -> None:
    edit(huddle, SPEC, "test huddle message", "another message")
    seen = watch("regenerate", "huddle", answers="d\n?\ng\n")
    assert f"conflict: {SERVICE}: the value `message` of the class" in seen
    assert "+" in seen
    assert "another message" in (huddle / SERVICE).read_text()


def test_a_conflict_may_be_skipped(watch: Watch, huddle: Path) -> None:
    edit(huddle, SPEC, "test huddle message", "another message")
    seen = watch("regenerate", "huddle", answers="\n")
    assert "scaffold resolve" in seen
    assert '"mine"' in (huddle / SERVICE).read_text()


def test_the_editor_gets_both_versions(watch: Watch, huddle: Path) -> None:
    editor = huddle.parent / "editor"
    editor.write_text("#!/bin/sh\nsed -i -e '/^[<|=>]\\{7\\}/d' \"$1\"\n")
    editor.chmod(0o755)
    edit(huddle, SPEC, "test huddle message", "another message")
    watch("regenerate", "huddle", answers="e\n", EDITOR=str(editor), VISUAL=str(editor))
    text = (huddle / SERVICE).read_text()
    assert '"mine"' in text
    assert "another message" in text
    assert "<<<<<<<" not in text
