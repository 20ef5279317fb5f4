"""Texts of people and files cannot control the terminal."""

from __future__ import annotations

import json
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scaffold.escaping import escaped, escaped_lines
from tests.examples import share

Run = Callable[..., subprocess.CompletedProcess[str]]
SPEC = """\
[handler]
name = "a"
{key} = 1
[config]
{key} = {{ type = {key} }}
[request]
url = {key}
[request.headers]
{key} = {key}
[request.json]
{key} = {key}
"""
COMMANDS = (
    ("X",),
    ("--X",),
    ("X", "--json"),
    ("check", "X"),
    ("check", "--X"),
    ("check", "-C", "X"),
    ("check", "X", "--json"),
    ("diff", "X"),
    ("regenerate", "X"),
    ("recover", "X"),
    ("init", "X", "-n"),
    ("init", "y", "-n", "--package", "X"),
    ("merge-driver", "X", "b", "c", "d"),
    ("new-handler", "X", "-n"),
    ("new-handler", "a", "--field", "X:str", "-n"),
    ("new-handler", "a", "--field", "b:X", "-n"),
    ("new-handler", "a", "--field", "b:str=X", "-n"),
    ("new-handler", "a", "--title", "X", "-n"),
    ("new-handler", "a", "--verify", "X", "-n"),
    ("new-handler", "--spec", "X", "-n"),
    ("new-handler", "--spec", "-", "-n"),
    ("new-handler", "--spec", "-", "-n", "--json"),
)
HOSTILE = st.text(
    st.characters(categories=("Cc", "Cf", "Zl", "Zp", "Lu", "Ll"), exclude_characters="\0"),
    min_size=1,
    max_size=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, run_in: Run) -> Path:
    """A project without handlers; nothing here writes to it."""
    folder = tmp_path_factory.mktemp("empty")
    run_in(folder, "init", "project")
    return folder / "project"


@settings(max_examples=share(1 / 2))
@given(st.sampled_from(COMMANDS), HOSTILE)
@example(("--X",), "\x1b[31m")
@example(("check", "--X"), "\u202e")
@example(("new-handler", "--spec", "-", "-n"), "\x1b]0;title\x07")
@example(("new-handler", "--spec", "X", "-n"), "\r\x9b2J")
def test_nothing_printed_is_obeyed(
    empty: Path, run_in: Run, command: tuple[str, ...], text: str
) -> None:
    arguments = [word.replace("X", text) for word in command]
    spec = SPEC.format(key=json.dumps(text))
    done = run_in(empty, *arguments, code=None, text=spec)
    assert done.returncode in (0, 2, 5, 7)
    assert "Traceback" not in done.stderr
    # a patch in a pipe is data, and kept byte for byte
    shown = done.stderr + (done.stdout if "--json" in command else "")
    assert all(char.isprintable() or char in "\n\t" for char in shown), ascii(shown)
    if "--json" in command:
        assert json.loads(done.stdout)["exit_code"] == done.returncode


@given(st.text())
def test_an_escaped_text_is_shown_on_one_line(text: str) -> None:
    obeyed = {"Cc", "Cf", "Zl", "Zp", "Cs"}
    line = escaped(text)
    assert not obeyed & {unicodedata.category(char) for char in line}
    kept = [char for char in text if unicodedata.category(char) not in obeyed]
    assert [char for char in kept if char in line] == kept
    plain = text.translate({ord("\n"): None, ord("\t"): None})
    lines = escaped_lines(text).translate({ord("\n"): None, ord("\t"): None})
    assert lines == escaped(plain)
