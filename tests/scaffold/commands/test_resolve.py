"""`scaffold resolve` and `scaffold accept`: one file at a time."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scaffold.files import SERVICE, SPEC, edit

Run = Callable[..., "subprocess.CompletedProcess[str]"]
CONF = "etc/kapacitor.conf"


@pytest.fixture
def torn(scaffold: Run, huddle: Path) -> Path:
    """A project with a conflict in the service and one in the sample configuration."""
    edit(huddle, SERVICE, '"test huddle message"', '"mine"')
    edit(huddle, CONF, 'channel = ""', 'channel = "mine"')
    edit(huddle, SPEC, "test huddle message", "another message")
    edit(huddle, SPEC, "channel = {}", 'channel = { default = "lobby" }')
    told = scaffold("regenerate", "huddle", code=3).stderr
    assert f"conflict {SERVICE}" in told
    assert f"conflict {CONF}" in told
    return huddle


def test_one_file_after_the_other(scaffold: Run, torn: Path) -> None:
    told = scaffold("resolve", SERVICE, "--take", "mine").stderr
    assert "scaffold regenerate huddle" in told
    assert '"mine"' in (torn / SERVICE).read_text()
    assert SERVICE not in scaffold("regenerate", "huddle", code=3).stderr
    scaffold("resolve", CONF, "--take", "generated")
    assert 'channel = "lobby"' in (torn / CONF).read_text()
    scaffold("regenerate", "huddle")
    assert not list((torn / ".scaffold/conflicts").rglob("*.mine"))
    assert "nothing to do" in scaffold("check").stderr


def test_a_file_that_was_merged_by_hand_is_accepted(scaffold: Run, torn: Path) -> None:
    edit(torn, SERVICE, '"mine"', '"both"')
    text = (torn / SERVICE).read_text()
    scaffold("accept", SERVICE)
    scaffold("accept", CONF)
    scaffold("regenerate", "huddle")
    assert (torn / SERVICE).read_text() == text
    assert 'channel = "mine"' in (torn / CONF).read_text()
    assert "nothing to do" in scaffold("check").stderr


def test_a_path_is_seen_from_the_folder_or_the_project(run_in: Run, torn: Path) -> None:
    run_in(torn / "runtime", "resolve", "services/huddle/service.py", "--take", "mine")
    run_in(torn.parent, "-C", "project", "resolve", CONF, "--take", "mine")
    run_in(torn, "regenerate", "huddle")


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (("resolve", "nowhere.py", "--take", "mine"), 2, "no such file"),
        (("resolve", "../x", "--take", "mine"), 2, "is not in the project"),
        (("resolve", "pyproject.toml", "--take", "mine"), 2, "no handler"),
        (("accept", "pyproject.toml"), 2, "no handler"),
        (("resolve", "/etc/passwd", "--take", "mine"), 2, "is not in the project"),
        (("resolve", SERVICE), 2, "'--take'. Choose from: mine, generated, both"),
        (("resolve", SERVICE, "--take", "theirs"), 2, "theirs"),
        (("resolve", SERVICE, "--take", "mine"), 0, "nothing to do"),
        (("accept", CONF), 0, "nothing to do"),
    ],
)
def test_what_is_in_no_conflict(
    scaffold: Run, huddle: Path, arguments: tuple[str, ...], code: int, problem: str
) -> None:
    assert problem in scaffold(*arguments, code=code).stderr


def test_a_dry_run_writes_nothing(scaffold: Run, torn: Path) -> None:
    before = (torn / SERVICE).read_bytes()
    told = scaffold("resolve", SERVICE, "--take", "generated", "-n")
    assert "another message" in told.stdout
    assert (torn / SERVICE).read_bytes() == before
