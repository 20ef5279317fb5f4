"""The vocabulary of specs, as `scaffold spec` prints it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from scaffold.commands.vocabulary import sections
from scaffold.rendering.product import vocabulary_path
from scaffold.spec import keys

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_the_whole_page(scaffold: Run) -> None:
    assert scaffold("spec").stdout == vocabulary_path().read_text()


@pytest.mark.parametrize("table", [key.name for key in keys.SPEC])
def test_every_table_of_specs_has_its_part(scaffold: Run, table: str) -> None:
    told = scaffold("spec", table).stdout
    assert told.splitlines()[0].startswith("### ")
    assert f"{table}" in told.splitlines()[0]
    assert told.count("\n### ") == 0


def test_a_table_in_a_table_and_its_brackets(scaffold: Run) -> None:
    told = scaffold("spec", "request.auth").stdout
    assert told.startswith("#### `auth`")
    assert scaffold("spec", "[[request]]").stdout == scaffold("spec", "request").stdout
    assert "`sha256(text)`" in scaffold("spec", "Functions").stdout


@pytest.mark.parametrize("key", [key.name for key in keys.REQUEST])
def test_a_key_with_the_head_of_its_table(scaffold: Run, key: str) -> None:
    known = {each.name for each in sections(vocabulary_path().read_text())}
    if f"request.{key}" in known:
        return
    head, line, row = scaffold("spec", f"request.{key}").stdout.splitlines()
    assert head.startswith("| key |")
    assert set(line) <= set("|-")
    assert row.startswith(f"| `{key}` |")


@pytest.mark.parametrize(
    ("topic", "part"),
    [
        ("reqest", "did you mean request?"),
        ("request.pth", "did you mean request.path?"),
        ("\x1b[31m", "not in the vocabulary"),
        ("../x", "not in the vocabulary"),
    ],
)
def test_what_is_not_there_is_told(scaffold: Run, topic: str, part: str) -> None:
    told = scaffold("spec", topic, code=2).stderr
    assert part in told
    assert "\x1b" not in told


def test_errors_of_a_spec_name_the_tables_to_read(scaffold: Run) -> None:
    spec = """
[handler]
name = "huddle"
[config]
url = { typ = "str" }
[[request]]
url = "${config.url}"
[request.auth]
tokn = "x"
[nope]
"""
    told = scaffold("new-handler", "--spec", "-", code=2, text=spec).stderr
    *_, line = told.splitlines()
    assert line == "read:  scaffold spec config; scaffold spec request"
    for command in line.removeprefix("read:  ").split("; "):
        assert scaffold(*command.split()[1:]).stdout.startswith("### ")


@pytest.mark.parametrize("spec", ["[handler", "[nope]\n"])
def test_errors_outside_of_tables_name_none(scaffold: Run, spec: str) -> None:
    told = scaffold("new-handler", "--spec", "-", code=2, text=spec).stderr
    assert "scaffold spec nope" not in told
