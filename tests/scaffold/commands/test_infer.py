"""Specs from curl examples, from outside."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from runtime.testing.snapshots import TextSnapshot
from tests.scaffold.files import files

Run = Callable[..., "subprocess.CompletedProcess[str]"]
TOKEN = "xoxb-123456789012-abcdefGHIJKLmnopqr"
EXAMPLE = (
    f"curl https://chat.example.io/api/post -H 'Authorization: Bearer {TOKEN}' "
    """--json '{"room": "ops", "text": "Hello there", "color": "#FF0000", "note": "by the bot"}'"""
)


def test_a_spec_is_printed_with_its_reasons_and_nothing_written(
    scaffold: Run, project: Path, snapshot: SnapshotAssertion
) -> None:
    before = files(project)
    done = scaffold("infer", "huddle", "--from-curl", EXAMPLE)
    assert files(project) == before
    notes = [line for line in done.stderr.splitlines() if " note: " in line]
    told = "\n".join([done.stdout, *notes, ""])
    assert told == snapshot(extension_class=TextSnapshot)


def test_a_handler_is_generated_with_the_example_as_a_test(
    scaffold: Run, project: Path
) -> None:
    command = ("new-handler", "huddle", "--from-curl", EXAMPLE)
    told = scaffold(*command).stderr
    assert "secret config.token" in told
    for path, content in files(project).items():
        assert TOKEN.encode() not in content, path
    tests = project / "tests/runtime/services/huddle/test_huddle_service.py"
    assert "test_example_1_the_curl_example" in tests.read_text()
    assert "nothing to do" in scaffold(*command).stderr


def test_an_example_in_a_file_and_on_standard_input(
    scaffold: Run, project: Path
) -> None:
    (project / "example.txt").write_text(EXAMPLE)
    from_file = scaffold("infer", "huddle", "--from-curl", "@example.txt").stdout
    from_input = scaffold("infer", "huddle", "--from-curl", "-", text=EXAMPLE).stdout
    assert from_file == from_input != ""


def test_reasons_and_doubts_for_machines(scaffold: Run) -> None:
    done = scaffold("infer", "huddle", "--from-curl", EXAMPLE, "--json")
    told = json.loads(done.stdout)
    assert told["doubts"] == [
        "json.note: sent as it is (the example does not show whether this text varies)"
    ]
    assert any("event.message" in each for each in told["reasons"])
    assert TOKEN not in done.stdout


def test_the_message_may_be_named(scaffold: Run) -> None:
    arguments = ("infer", "huddle", "--from-curl", EXAMPLE, "--message-key")
    told = scaffold(*arguments, "note").stdout
    assert 'note = "${event.message}"' in told
    assert 'text = "Hello there"' in told
    refused = scaffold(*arguments, "nite", code=2).stderr
    assert "it has: headers.Authorization, json.room" in refused


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("infer", "huddle", "--from-curl", "curl h -d @body"), "put its content"),
        (("infer", "huddle", "--from-curl", "@missing"), "missing: No such file"),
        (("infer", "Huddle!", "--from-curl", EXAMPLE), "is not a handler name"),
        (("infer", "huddle", "--from-curl", ""), "example is empty"),
        (("new-handler", "--from-curl", EXAMPLE), "NAME is required"),
        (
            ("new-handler", "huddle", "--from-curl", EXAMPLE, "--field", "a:str"),
            "cannot be combined with --field",
        ),
        (
            ("new-handler", "huddle", "--from-curl", EXAMPLE, "--spec", "a.toml"),
            "cannot be combined with --spec",
        ),
    ],
)
def test_bad_input_is_told(
    scaffold: Run, arguments: tuple[str, ...], part: str
) -> None:
    told = scaffold(*arguments, code=2).stderr
    assert part in told
    assert "Traceback" not in told
    assert TOKEN not in told
