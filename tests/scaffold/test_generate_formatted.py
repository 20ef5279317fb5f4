"""A handler in a project whose shared files its own formatter has laid out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import black
import pytest

from scaffold import cli
from scaffold.flags import Flags
from scaffold.generate import generate
from scaffold.places import EDIT
from scaffold.refusal import refuse
from scaffold.rendering.render import render
from scaffold.spec.parse import from_flags
from scaffold.tree import MemoryTree
from scaffold.wanted import wanted

Files = dict[PurePosixPath, bytes]

SHARED = sorted({place.path for place in EDIT if place.path.suffix == ".py"})
PYPROJECT = PurePosixPath("pyproject.toml")
MODES = {
    "88": black.Mode(),
    "60": black.Mode(line_length=60),
    "79": black.Mode(line_length=79),
    "120": black.Mode(line_length=120),
    "C": black.Mode(magic_trailing_comma=False),
    "120-C": black.Mode(line_length=120, magic_trailing_comma=False),
}


def settings(pyproject: str, mode: black.Mode) -> str:
    commas = str(not mode.magic_trailing_comma).lower()
    said = f"line-length = {mode.line_length}\nskip-magic-trailing-comma = {commas}\n"
    return pyproject.replace("[tool.black]\n", f"[tool.black]\n{said}")


def formatted(files: Mapping[PurePosixPath, bytes], mode: black.Mode) -> Files:
    found = dict(files)
    for path in SHARED:
        found[path] = black.format_str(found[path].decode(), mode=mode).encode()
    found[PYPROJECT] = settings(found[PYPROJECT].decode(), mode).encode()
    return found


@pytest.mark.parametrize("name", MODES)
def test_new_handlers_leave_files_as_the_formatter_does(
    made_files: Mapping[PurePosixPath, bytes], name: str
) -> None:
    mode = MODES[name]
    files = formatted(made_files, mode)
    for kind in ("huddle", "some_handler_with_some_rather_long_name"):
        want = wanted(from_flags(Flags(kind, fields=("room:str",))), "runtime", render)
        changes = refuse(generate(want, MemoryTree(files))).changes
        for change in changes:
            assert change.after is not None
            if change.path in SHARED:
                text = change.after.decode()
                assert black.format_str(text, mode=mode) == text
                old = (change.before or b"").decode()
                assert set(re.findall(r"\w+", old)) <= set(re.findall(r"\w+", text))
            files[change.path] = change.after
        assert {change.path for change in changes} >= set(SHARED)
        assert refuse(generate(want, MemoryTree(files))).changes == ()


def test_the_command_line_agrees(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mode = black.Mode(line_length=100, magic_trailing_comma=False)
    for path in SHARED:
        file = project / path
        file.write_text(black.format_str(file.read_text(), mode=mode))
    file = project / PYPROJECT
    file.write_text(settings(file.read_text(), mode))
    new = ["new-handler", "huddle", "--field", "room:str"]
    for command in (["regenerate", "--all"], ["check"], new):
        run(project, command, capsys)
    before = {path: (project / path).read_bytes() for path in SHARED}
    for command in (["check"], ["regenerate", "--all"]):
        run(project, command, capsys)
    assert {path: (project / path).read_bytes() for path in SHARED} == before


def run(project: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([command[0], "-C", str(project), *command[1:]])
    assert ended.value.code == 0, capsys.readouterr().err
