"""Fields of a handler that exists, from outside."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scaffold.files import SERVICE, SPEC, edit, files

Run = Callable[..., "subprocess.CompletedProcess[str]"]
CONFIG = "runtime/services/huddle/config.py"
EVERYWHERE = (
    "docs/handlers/huddle.md",
    "etc/kapacitor.conf",
    "examples/huddle/huddle.conf",
    CONFIG,
    "runtime/services/huddle/handler.py",
    SPEC,
    "runtime/services/huddle/property.py",
    SERVICE,
    "tests/runtime/services/huddle/test_huddle_service.py",
)


def test_a_field_comes_to_every_place_and_goes_without_a_trace(
    scaffold: Run, huddle: Path
) -> None:
    before = files(huddle)
    told = scaffold("add-field", "huddle", "priority:int=3").stderr
    assert f"      update {SPEC}" in told
    assert "next: scaffold check huddle" in told
    after = files(huddle)
    assert [path for path in EVERYWHERE if b"priority" not in after[path]] == []
    scaffold("check")
    scaffold("regenerate", "huddle")
    assert files(huddle) == after
    assert "nothing to do" in scaffold("add-field", "huddle", "priority:int=3").stderr
    assert files(huddle) == after
    scaffold("remove-field", "huddle", "priority")
    assert files(huddle) == before


def test_a_field_is_renamed_in_every_place_and_back(
    scaffold: Run, huddle: Path
) -> None:
    edit(huddle, SPEC, "[option]", "# the room's options\n[option]  # all")
    scaffold("regenerate", "huddle")
    before = files(huddle)
    scaffold("rename-field", "huddle", "channel", "room-name")
    after = files(huddle)
    assert after[SPEC] == (
        before[SPEC]
        .replace(b"\nchannel = {", b"\nroom-name = {")
        .replace(b'"config.channel"', b'"config.room_name"')
        .replace(b"${opt.channel}", b"${opt.room_name}")
        .replace(b'channel = "${config.channel}"', b'room-name = "${config.room_name}"')
    )
    for path in EVERYWHERE:
        assert b"room-name" in after[path] or b"room_name" in after[path], path
        # the service still gets it under the name that it knows
        assert (b"channel" in after[path]) == (path in (SPEC, SERVICE)) or (
            path == EVERYWHERE[-1]
        )
    scaffold("check")
    scaffold("rename-field", "huddle", "room-name", "channel")
    assert files(huddle) == before


def test_the_old_name_is_kept_where_it_is_asked_for(
    scaffold: Run, huddle: Path
) -> None:
    edit(huddle, SPEC, "[option]", "# the room's options\n[option]  # all")
    scaffold("regenerate", "huddle")
    before = files(huddle)
    scaffold("rename-field", "huddle", "channel", "room", "--keep-alias")
    after = files(huddle)
    for path in EVERYWHERE:
        mentions = after[path].count(b"channel")
        is_sample = path.startswith(("docs", "etc", "examples"))
        assert (mentions == 0) == is_sample, path
    assert b'room: str = setting("", formerly=("channel",))' in after[CONFIG]
    scaffold("check")
    scaffold("regenerate", "huddle")
    assert files(huddle) == after
    scaffold("remove-field", "huddle", "channel")
    scaffold("rename-field", "huddle", "room", "channel")
    assert files(huddle) == before


def test_the_generated_tests_pass_after_each_command(
    scaffold: Run, whole_project: Path
) -> None:
    scaffold("new-handler", "huddle", "--field", "channel:str")
    verified = ("--verify", "tests")
    fields = (
        "to:list[str]=a,b",
        "--option",
        "loud:flag",
        "--config",
        "wait:duration=1s",
    )
    scaffold("add-field", "huddle", *fields, *verified)
    scaffold("rename-field", "huddle", "to", "from", "--keep-alias", *verified)
    scaffold("remove-field", "huddle", "channel", *verified)
    scaffold("check")


def test_a_dry_run_shows_the_patch_and_writes_nothing(
    scaffold: Run, huddle: Path
) -> None:
    before = files(huddle)
    rename = ("rename-field", "huddle", "channel", "room")
    told = scaffold(*rename, "-n", "--exit-code", code=1)
    assert "-channel = {}\n+room = {}\n" in told.stdout
    assert "Dry run: nothing was written." in told.stderr
    assert files(huddle) == before
    told = json.loads(scaffold(*rename, "--json").stdout)
    assert told["command"] == "rename-field"
    assert {"action": "update", "path": SPEC, "role": "spec"} in [
        {name: each[name] for name in ("action", "path", "role")}
        for each in told["changes"]
    ]


def test_edits_come_along(scaffold: Run, huddle: Path) -> None:
    edit(huddle, SERVICE, "class Service", "# mine\nclass Service")
    scaffold("rename-field", "huddle", "channel", "room")
    text = (huddle / SERVICE).read_text()
    assert "# mine\nclass Service" in text
    assert "options.room" in text


def test_an_edited_file_that_need_not_change_is_kept(
    scaffold: Run, huddle: Path
) -> None:
    edit(huddle, "examples/huddle/README.md", "# ", "# My own ")
    told = scaffold("add-field", "huddle", "--config", "wait:duration=1s").stderr
    assert "keep examples/huddle/README.md (edited by hand)" in told
    assert "note: " in told
    assert "config wait:duration=1s: is not used in the spec" in told


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_a_spec_keeps_its_line_ends_and_its_byte_order_mark(
    scaffold: Run, huddle: Path, ends: str
) -> None:
    spec = huddle / SPEC
    text = "\ufeff" + spec.read_text().replace("\n", ends)
    spec.write_bytes(text.encode())
    scaffold("rename-field", "huddle", "channel", "topic")
    data = spec.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf[handler]" + ends.encode())
    assert data.count(b"\r\n") == (data.count(b"\n") if ends == "\r\n" else 0)
    scaffold("check")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("add-field", "hudle", "a:str"), 2, "unknown handler 'hudle'; did you mean"),
        (("add-field", "huddle"), 2, "FIELD:TYPE, --config or --option is required"),
        (("add-field", "huddle", "a:strr"), 2, "unknown type 'strr'"),
        (("add-field", "huddle", "channel:int"), 2, "config.channel already exists"),
        (("add-field", "huddle", "enabled:bool"), 2, "--field enabled:bool: 'enabled'"),
        (("rename-field", "huddle", "x", "y"), 2, "FIELD: unknown field 'x' (allowed"),
        (("rename-field", "huddle", "url", "A"), 2, "config.A: 'A' is not a name"),
        (("remove-field", "huddle", "url"), 2, f"{SPEC}:14: request[1].url: uses"),
    ],
)
def test_what_cannot_be_done_is_refused(
    scaffold: Run, huddle: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    before = files(huddle)
    assert message in scaffold(*arguments, code=code).stderr
    assert files(huddle) == before


def test_a_layout_that_cannot_be_kept_is_refused(scaffold: Run, huddle: Path) -> None:
    spec = huddle / SPEC
    first, response = spec.read_text().split("[response]")
    other = '[[request]]\nurl = "${config.url}"\n'
    first = first.replace("[[request]]\n", "[[request]]\nwhen = \"event.id == 'x'\"\n")
    spec.write_text(f"{first}[response]{response}{other}")
    told = scaffold("rename-field", "huddle", "channel", "room", code=5).stderr
    assert f"{SPEC}: has a layout that this command cannot keep" in told


def test_the_spec_of_a_removed_handler_is_missed(scaffold: Run, huddle: Path) -> None:
    (huddle / SPEC).unlink()
    told = scaffold("add-field", "huddle", "a:str", code=2).stderr
    assert f"error: {SPEC}: is missing" in told


def test_a_conflict_leaves_the_spec_as_it_is_too(scaffold: Run, huddle: Path) -> None:
    edit(
        huddle,
        SERVICE,
        "channel=self.config.channel",
        "channel=self.config.channel + '!'",
    )
    before = (huddle / SPEC).read_text()
    told = scaffold("rename-field", "huddle", "channel", "room", code=3).stderr
    assert f"conflict {SERVICE}" in told
    assert "`--on-conflict mine`, `generated` or `markers` to settle" in told
    assert (huddle / SPEC).read_text() == before
    command = (
        "rename-field",
        "huddle",
        "channel",
        "room",
        "--on-conflict",
        "generated",
    )
    scaffold(*command)
    assert "room=self.config.room" in (huddle / SERVICE).read_text()
    scaffold("check")
