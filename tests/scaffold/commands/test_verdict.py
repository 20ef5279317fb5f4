"""Quick answers of commands that find everything as they left it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold import generate
from scaffold.disk import verdicts
from scaffold.rendering import product
from tests.scaffold.files import SERVICE, edit, files

Run = Callable[..., "subprocess.CompletedProcess[str]"]
CHECK = ("check",)
ALL = ("regenerate", "--all")
COMMANDS = pytest.mark.parametrize("command", [CHECK, ALL], ids=["check", "regenerate"])


def known(root: Path, command: tuple[str, ...]) -> bool:
    return bool(verdicts.known(str(root), command[0]))


def timeless(text: str) -> str:
    return re.sub(r" in \d+\.\d\d s", "", text)


@COMMANDS
def test_a_clean_verdict_is_remembered_until_something_changes(
    scaffold: Run,
    huddle: Path,
    command: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = scaffold(*command)
    assert known(huddle, command)
    assert not (huddle / ".scaffold/cache").exists()
    with monkeypatch.context() as patch:
        patch.delattr(generate, "generate")
        second = scaffold(*command)
    assert timeless(second.stderr) == timeless(first.stderr)
    assert " in 0." in second.stderr
    (huddle / SERVICE).unlink()
    assert SERVICE in scaffold(*command, code=command == CHECK).stderr


@COMMANDS
def test_a_quick_answer_shows_what_was_edited_by_hand(
    scaffold: Run, huddle: Path, command: tuple[str, ...]
) -> None:
    edit(huddle, SERVICE, "The Huddle service.", "Mine.")
    first, second = scaffold(*command), scaffold(*command)
    assert known(huddle, command)
    assert f"        keep {SERVICE}" in first.stderr
    assert timeless(second.stderr) == timeless(first.stderr)


@COMMANDS
def test_nothing_is_remembered_on_build_machines(
    scaffold: Run,
    huddle: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    monkeypatch.setenv("CI", "true")
    scaffold(*command)
    monkeypatch.delenv("CI")
    assert not known(huddle, command)


@COMMANDS
@pytest.mark.parametrize(
    "path",
    [
        SERVICE,
        "runtime/services/huddle/__init__.py",
        ".scaffold/handlers/huddle/generated",
        "docs/handlers.md",
        "pyproject.toml",
    ],
)
def test_what_is_remembered_ends_with_any_change(
    scaffold: Run, huddle: Path, path: str, command: tuple[str, ...]
) -> None:
    scaffold(*command)
    data = (huddle / path).read_bytes()
    assert known(huddle, command)
    (huddle / path).write_bytes(data + b" ")
    assert not known(huddle, command)
    (huddle / path).write_bytes(data)
    assert known(huddle, command)
    (huddle / path).rename(huddle / "elsewhere")
    assert not known(huddle, command)
    (huddle / path).symlink_to(huddle / "elsewhere")
    assert not known(huddle, command)


@COMMANDS
@pytest.mark.parametrize(
    "new",
    [
        "runtime/services/other/handler.toml",
        ".scaffold/handlers/gone/generated",
        "runtime/services/huddle/inner/handler.toml",
        "templates/create/docs/handlers/KIND.md.j2",
    ],
)
def test_what_is_remembered_ends_with_a_new_name_in_a_folder(
    scaffold: Run, huddle: Path, new: str, command: tuple[str, ...]
) -> None:
    scaffold(*command)
    assert known(huddle, command)
    (huddle / new).parent.mkdir(parents=True)
    (huddle / new).write_text("")
    assert not known(huddle, command)


@pytest.mark.parametrize(
    "arguments",
    [
        ("regenerate", "huddle"),
        ("regenerate", "--all", "-n"),
        ("regenerate", "--all", "--on-conflict", "mine"),
        ("regenerate", "--all", "--check"),
    ],
    ids=lambda arguments: arguments[-1],
)
def test_only_the_plain_command_speaks_for_itself(
    scaffold: Run, huddle: Path, arguments: tuple[str, ...]
) -> None:
    scaffold(*arguments)
    assert not known(huddle, ALL)


def test_nothing_is_remembered_where_something_was_written(
    scaffold: Run, huddle: Path
) -> None:
    before = files(huddle)
    (huddle / SERVICE).unlink()
    scaffold(*ALL)
    assert files(huddle) == before
    assert not known(huddle, ALL)


def test_a_verdict_depends_on_the_modules_of_the_runtime_that_were_run() -> None:
    paths = product.loaded()
    assert any(path.endswith("/runtime/services/expressions.py") for path in paths)
    assert any(path.endswith("-packages/") for path in paths)
    assert all(path.startswith("/") for path in paths)
