"""Regenerating, checking and comparing generated handlers."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold import handlers
from scaffold.spec.model.handler import HandlerSpec
from scaffold.wanted import Wanted
from tests.scaffold.files import SERVICE, SPEC, edit, files

Run = Callable[..., "subprocess.CompletedProcess[str]"]
MARKERS = b"<<<<<<< HEAD\na\n" + b"=======\nb\n" + b">>>>>>> other\n"


def findings(scaffold: Run, *names: str, code: int = 1) -> dict[str, str]:
    told = json.loads(scaffold("check", *names, "--json", code=code).stdout)
    return {finding["code"]: finding["fix"] for finding in told["findings"]}


def test_regenerating_changes_nothing(scaffold: Run, huddle: Path) -> None:
    assert "nothing to do" in scaffold("regenerate", "--all").stderr
    assert "3 handlers examined, nothing to do" in scaffold("check").stderr


def test_each_handler_is_rendered_once(
    scaffold: Run, huddle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = []

    def wanted(spec: HandlerSpec, *more: object) -> Wanted:
        rendered.append(spec.names.kind)
        return original(spec, *more)

    original: Callable[..., Wanted] = handlers.wanted
    monkeypatch.setattr(handlers, "wanted", wanted)
    scaffold("regenerate", "--all")
    assert rendered == ["foo", "hipchat", "huddle"]


def test_a_changed_spec_is_followed(scaffold: Run, huddle: Path) -> None:
    edit(huddle, SPEC, "test huddle message", "another message")
    assert findings(scaffold) == {"SC107": "scaffold regenerate huddle"}
    told = scaffold("regenerate", "huddle").stderr
    assert f"      update {SERVICE}" in told
    assert "another message" in (huddle / SERVICE).read_text()
    assert findings(scaffold, code=0) == {}


def test_an_option_more_changes_files_and_registrations(
    scaffold: Run, huddle: Path
) -> None:
    edit(huddle, SPEC, "[option]\n", '[option]\ncolour = { type = "str" }\n')
    scaffold("regenerate", "huddle")
    assert (
        "    colour: str"
        in (huddle / "runtime/services/huddle/property.py").read_text()
    )
    assert findings(scaffold, code=0) == {}


def test_an_edit_is_merged_with_what_is_generated_now(
    scaffold: Run, huddle: Path
) -> None:
    edit(huddle, SERVICE, '"""The Huddle service."""', '"""Mine."""')
    edit(huddle, SPEC, "test huddle message", "another message")
    told = scaffold("regenerate", "huddle").stderr
    assert f"merge {SERVICE} (with the edits in it)" in told
    text = (huddle / SERVICE).read_text()
    assert text.startswith('"""Mine."""')
    assert "another message" in text
    assert findings(scaffold, code=0) == {"SC105": "scaffold diff huddle"}


def test_an_edit_that_contradicts_keeps_its_handler_as_it_is(
    scaffold: Run, huddle: Path
) -> None:
    edit(huddle, SERVICE, '"test huddle message"', '"mine"')
    edit(huddle, SPEC, "test huddle message", "another message")
    before = files(huddle)
    told = scaffold("regenerate", "huddle", code=3).stderr
    assert f"conflict {SERVICE} (the value `message`" in told
    assert f"next: scaffold resolve {SERVICE} --take mine\n" in told
    assert "--take mine keeps your text, generated takes the new one" in told
    assert f"scaffold accept {SERVICE}" in told
    conflicts = ".scaffold/conflicts/huddle/"
    now = files(huddle)
    new = {path for path in now if path.startswith(conflicts)}
    assert {path: data for path, data in now.items() if path not in new} == before
    versions = {Path(path).suffix: now[path].decode() for path in new}
    assert versions.keys() == {".base", ".mine", ".generated"}
    assert '"mine"' in versions[".mine"]
    assert "another message" in versions[".generated"]
    assert "test huddle message" in versions[".base"]


@pytest.mark.parametrize("take", ["mine", "generated"])
def test_a_conflict_is_settled_by_a_side(
    scaffold: Run, huddle: Path, take: str
) -> None:
    edit(huddle, SERVICE, '"test huddle message"', '"mine"')
    edit(
        huddle, SERVICE, "def failure", "def own(self) -> None: ...\n\n    def failure"
    )
    edit(huddle, SPEC, "test huddle message", "another message")
    scaffold("regenerate", "huddle", "--on-conflict", take)
    text = (huddle / SERVICE).read_text()
    assert ('"mine"' in text, '"another message"' in text) == (
        take == "mine",
        take == "generated",
    )
    assert "def own" in text
    assert findings(scaffold, code=0) == {"SC105": "scaffold diff huddle"}


def test_markers_are_settled_before_anything_else(scaffold: Run, huddle: Path) -> None:
    edit(huddle, SERVICE, '"test huddle message"', '"mine"')
    edit(huddle, SPEC, "test huddle message", "another message")
    scaffold("regenerate", "huddle", "--on-conflict", "markers")
    assert "<<<<<<< mine\n" in (huddle / SERVICE).read_text()
    assert [*findings(scaffold, code=1)] == ["SC113"]
    edit(huddle, SPEC, "another message", "a third message")
    assert SERVICE in scaffold("regenerate", "huddle", code=3).stderr
    scaffold("accept", SERVICE, code=5)
    scaffold("resolve", SERVICE, "--take", "mine")
    assert '"mine"' in (huddle / SERVICE).read_text()
    assert "<<<<<<<" not in (huddle / SERVICE).read_text()


def test_windows_line_ends_are_no_edit(scaffold: Run, huddle: Path) -> None:
    file = huddle / SERVICE
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert findings(scaffold, code=0) == {}
    edit_spec = (huddle / SPEC).read_text().replace("test huddle message", "another")
    (huddle / SPEC).write_text(edit_spec)
    scaffold("regenerate", "huddle")
    data = file.read_bytes()
    assert b"another" in data
    assert data.count(b"\r\n") == data.count(b"\n")


def test_the_diff_shows_what_people_changed_and_can_be_taken_back(
    scaffold: Run, huddle: Path
) -> None:
    text = (huddle / SERVICE).read_text()
    assert scaffold("diff").stdout == ""
    edit(huddle, SERVICE, '"""The Huddle service."""', '"""Mine."""')
    edit(
        huddle,
        "runtime/integrations/services.py",
        'huddle.service:Service",\n',
        'huddle.service:Service" or None,\n',
    )
    shown = scaffold("diff", code=1).stdout
    assert '+"""Mine."""' in shown
    assert '+    "huddle": "runtime.services.huddle.service:Service" or None,' in shown
    subprocess.run(
        ["git", "apply", "-R", "-"],
        input=shown,
        text=True,
        cwd=huddle,
        check=True,
        env={"GIT_CEILING_DIRECTORIES": str(huddle.parent), "PATH": "/usr/bin:/bin"},
    )
    assert (huddle / SERVICE).read_text() == text
    assert scaffold("diff").stdout == ""


def test_what_is_left_of_a_handler_is_removed_by_name(
    scaffold: Run, huddle: Path
) -> None:
    (huddle / SPEC).unlink()
    assert findings(scaffold) == {"SC108": "scaffold remove-handler huddle"}
    scaffold("regenerate", "huddle")
    assert not (huddle / SERVICE).exists()
    assert findings(scaffold, code=0) == {}


def test_no_handler_at_all_is_no_success(scaffold: Run, project: Path) -> None:
    for spec in project.glob("runtime/services/*/handler.toml"):
        spec.unlink()
    assert "SC108" in scaffold("check", code=1).stderr
    shutil.rmtree(project / ".scaffold/handlers")
    assert "no handler" in scaffold("check", code=2).stderr


def test_every_file_with_a_conflict_marker_comes_with_the_recovery(
    scaffold: Run, huddle: Path
) -> None:
    paths = ["runtime/integrations/services.py", "docs/handlers.md", SPEC]
    before = {path: (huddle / path).read_bytes() for path in paths}
    for path in paths:
        data = (huddle / path).read_bytes()
        (huddle / path).write_bytes(data + MARKERS)
    commands = [f"scaffold resolve {path} --take mine" for path in paths]
    recovery = "; ".join([*commands, "scaffold regenerate --all"])
    told = json.loads(scaffold("check", "--json", code=1).stdout)
    assert {each["path"] for each in told["findings"]} == {*paths}
    assert {each["code"] for each in told["findings"]} == {"SC113"}
    assert told["next"] == [recovery]
    told = json.loads(scaffold("regenerate", "--all", "--json", code=5).stdout)
    assert [(each["path"], each["line"] > 0) for each in told["errors"]] == [
        (path, True) for path in paths
    ]
    assert told["next"] == [recovery]
    assert recovery in scaffold("new-handler", "other", code=5).stderr
    for path in paths:
        (huddle / path).write_bytes(before[path])
    assert findings(scaffold, code=0) == {}


def test_a_diff_has_the_line_ends_of_the_file(scaffold: Run, huddle: Path) -> None:
    file = huddle / SERVICE
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert scaffold("diff").stdout == ""
    data = file.read_bytes().replace(b"The Huddle service.", b"Mine.")
    file.write_bytes(data)
    shown = scaffold("diff", code=1).stdout
    assert [line for line in shown.splitlines() if line.startswith(("-", "+"))][2:] == [
        '-"""The Huddle service."""',
        '+"""Mine."""',
    ]


def test_a_diff_shows_edits_and_not_what_is_out_of_date(
    scaffold: Run, huddle: Path
) -> None:
    edit(huddle, SERVICE, '"""The Huddle service."""', '"""Mine."""')
    edit(huddle, SPEC, "test huddle message", "another message")
    shown = scaffold("diff", code=1).stdout
    assert shown.count("diff --git") == 1
    assert "another message" not in shown
    assert '+"""Mine."""' in shown


def test_a_diff_shows_what_is_left_of_a_handler(scaffold: Run, huddle: Path) -> None:
    edit(huddle, SERVICE, '"""The Huddle service."""', '"""Mine."""')
    (huddle / SPEC).unlink()
    assert '+"""Mine."""' in scaffold("diff", "huddle", code=1).stdout


def test_missing_documentation_comes_with_the_text_to_paste(
    scaffold: Run, project: Path
) -> None:
    (project / "CHANGELOG.md").unlink()
    told = scaffold("new-handler", "huddle", "--field", "channel:str").stderr
    assert "skip CHANGELOG.md" in told
    assert "note: CHANGELOG.md: is missing" in told
    assert ".huddle()" in told
    assert (project / SERVICE).exists()
    settings = project / "pyproject.toml"
    text = settings.read_text()
    settings.write_text(
        text.replace("[tool.scaffold]", '[tool.scaffold]\nskip = ["CHANGELOG.md"]')
    )
    told = scaffold("new-handler", "cuddle").stderr
    assert "CHANGELOG" not in told
