"""Regenerating, checking and comparing what was generated before."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold import check_cache

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SERVICE = "runtime/services/huddle/service.py"
SPEC = "runtime/services/huddle/handler.toml"


@pytest.fixture
def huddle(scaffold: Run, project: Path) -> Path:
    scaffold("new-handler", "huddle", "--field", "channel:str")
    return project


def edit(root: Path, path: str, old: str, new: str) -> str:
    file = root / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return file.read_text()


def findings(scaffold: Run, *names: str, code: int = 1) -> dict[str, str]:
    told = json.loads(scaffold("check", *names, "--json", code=code).stdout)
    return {finding["code"]: finding["fix"] for finding in told["findings"]}


def test_regenerating_changes_nothing(scaffold: Run, huddle: Path) -> None:
    assert "nothing to do" in scaffold("regenerate", "--all").stderr
    assert "3 handlers examined, nothing to do" in scaffold("check").stderr


def test_a_clean_check_is_remembered_until_something_changes(
    scaffold: Run, huddle: Path
) -> None:
    scaffold("check")
    assert check_cache.known(str(huddle)) == "3 handlers examined, nothing to do"
    assert not (huddle / ".scaffold/cache").exists()
    assert "3 handlers examined, nothing to do" in scaffold("check").stderr
    (huddle / SERVICE).unlink()
    assert "SC104" in scaffold("check", code=1).stderr


def test_nothing_is_remembered_on_build_machines(
    scaffold: Run, huddle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    scaffold("check")
    monkeypatch.delenv("CI")
    assert check_cache.known(str(huddle)) == ""


@pytest.mark.parametrize(
    "path",
    [
        SERVICE,
        "runtime/services/huddle/__init__.py",
        ".scaffold/handlers/huddle/generated",
        "docs/handlers.md",
    ],
)
def test_what_is_remembered_ends_with_any_change(
    scaffold: Run, huddle: Path, path: str
) -> None:
    scaffold("check")
    data = (huddle / path).read_bytes()
    assert check_cache.known(str(huddle))
    (huddle / path).write_bytes(data + b" ")
    assert not check_cache.known(str(huddle))
    (huddle / path).write_bytes(data)
    assert check_cache.known(str(huddle))
    (huddle / path).rename(huddle / "elsewhere")
    assert not check_cache.known(str(huddle))
    (huddle / path).symlink_to(huddle / "elsewhere")
    assert not check_cache.known(str(huddle))


def test_a_file_that_a_person_edited_is_kept(scaffold: Run, huddle: Path) -> None:
    text = edit(huddle, SERVICE, '"""The Huddle service."""', '"""Mine."""')
    told = scaffold("regenerate", "huddle").stderr
    assert f"        keep {SERVICE} (edited by hand)" in told
    assert (huddle / SERVICE).read_text() == text
    assert findings(scaffold, code=0) == {"SC105": "scaffold diff huddle"}


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


def test_an_edited_file_that_would_have_to_change_stops_everything(
    scaffold: Run, huddle: Path
) -> None:
    edit(huddle, SERVICE, '"""The Huddle service."""', '"""Mine."""')
    edit(huddle, SPEC, "test huddle message", "another message")
    text = (huddle / SERVICE).read_text()
    told = scaffold("regenerate", "huddle", code=3).stderr
    assert SERVICE in told
    assert (huddle / SERVICE).read_text() == text
    assert "another message" not in (huddle / "docs/handlers/huddle.md").read_text()


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


def test_a_missing_file_is_made_again(scaffold: Run, huddle: Path) -> None:
    text = (huddle / SERVICE).read_text()
    (huddle / SERVICE).unlink()
    assert findings(scaffold) == {"SC104": "scaffold regenerate huddle"}
    scaffold("regenerate", "huddle")
    assert (huddle / SERVICE).read_text() == text


def test_a_missing_registration_is_made_again(scaffold: Run, huddle: Path) -> None:
    path = "runtime/integrations/services.py"
    text = (huddle / path).read_text()
    edit(huddle, path, '    "huddle": HuddleService,\n', "")
    assert findings(scaffold) == {"SC101": "scaffold regenerate huddle"}
    scaffold("regenerate", "huddle")
    assert (huddle / path).read_text() == text


def test_a_doubled_registration_comes_with_the_command_that_removes_it(
    scaffold: Run, huddle: Path
) -> None:
    path = "tests/runtime/test_registration.py"
    text = (huddle / path).read_text()
    edit(huddle, path, '    "huddle",\n', '    "huddle",\n    "huddle",\n')
    found = findings(scaffold)
    assert list(found) == ["SC102"]
    subprocess.run(found["SC102"], shell=True, cwd=huddle, check=True)
    assert (huddle / path).read_text() == text


def test_one_command_removes_all_that_is_too_much_in_a_file(
    scaffold: Run, huddle: Path
) -> None:
    path = "runtime/integrations/properties.py"
    name = '    "huddle": HuddleHandler,\n'
    line = "from runtime.services.huddle.property import HuddleHandler\n"
    text = (huddle / path).read_text()
    edit(huddle, path, line, line * 2)
    edit(huddle, path, name, name * 2)
    told = json.loads(scaffold("check", "--json", code=1).stdout)
    assert [finding["code"] for finding in told["findings"]] == ["SC102", "SC102"]
    [fix] = told["next"]
    subprocess.run(fix, shell=True, cwd=huddle, check=True)
    assert (huddle / path).read_text().replace("\n", "") == text.replace("\n", "")
    assert findings(scaffold, code=0) == {}


def test_an_edited_registration_is_kept(scaffold: Run, huddle: Path) -> None:
    path = "runtime/integrations/services.py"
    text = edit(huddle, path, "HuddleService,\n", "HuddleService or None,\n")
    assert findings(scaffold, code=0) == {"SC103": "scaffold diff huddle"}
    scaffold("regenerate", "huddle")
    assert (huddle / path).read_text() == text


def test_what_is_left_of_a_handler_without_a_spec(scaffold: Run, huddle: Path) -> None:
    (huddle / SPEC).unlink()
    found = findings(scaffold)
    assert list(found) == ["SC108"]
    subprocess.run(found["SC108"], shell=True, cwd=huddle, check=True)
    assert not (huddle / SERVICE).exists()


def test_registrations_of_a_handler_without_a_spec_are_left_too(
    scaffold: Run, huddle: Path
) -> None:
    shutil.rmtree(huddle / SERVICE.rpartition("/")[0])
    told = json.loads(scaffold("check", "--json", code=1).stdout)
    left = {finding["path"] for finding in told["findings"]}
    assert {"runtime/integrations/services.py", "docs/handlers/huddle.md"} <= left
    for fix in dict.fromkeys(finding["fix"] for finding in told["findings"]):
        subprocess.run(fix, shell=True, cwd=huddle, check=True)
    assert list(findings(scaffold)) == ["SC108"]
    subprocess.run(findings(scaffold)["SC108"], shell=True, cwd=huddle, check=True)
    assert findings(scaffold, code=0) == {}
    done = subprocess.run(
        ["grep", "-rli", "huddle", "runtime", "tests", "docs", "etc"],
        cwd=huddle,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""


def test_a_lost_record_is_made_again(scaffold: Run, huddle: Path) -> None:
    record = huddle / ".scaffold/handlers/huddle/generated"
    text = record.read_text()
    record.unlink()
    assert findings(scaffold, "huddle") == {"SC109": "scaffold regenerate huddle"}
    scaffold("regenerate", "huddle")
    assert record.read_text() == text


def test_the_diff_shows_what_people_changed_and_can_be_taken_back(
    scaffold: Run, huddle: Path
) -> None:
    text = (huddle / SERVICE).read_text()
    assert scaffold("diff").stdout == ""
    edit(huddle, SERVICE, '"""The Huddle service."""', '"""Mine."""')
    edit(
        huddle,
        "runtime/integrations/services.py",
        "HuddleService,\n",
        "HuddleService or None,\n",
    )
    shown = scaffold("diff", code=1).stdout
    assert '+"""Mine."""' in shown
    assert '+    "huddle": HuddleService or None,' in shown
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


def test_no_handler_at_all_is_no_success(scaffold: Run, project: Path) -> None:
    for spec in project.glob("runtime/services/*/handler.toml"):
        spec.unlink()
    assert "no handler" in scaffold("check", code=2).stderr


def test_two_handlers_in_either_order_give_the_same_handlers(
    scaffold: Run, huddle: Path
) -> None:
    scaffold("new-handler", "cuddle", "--option", "depth:int=3", "--global")
    assert findings(scaffold, code=0) == {}
    assert "4 handlers examined" in scaffold("check").stderr


@pytest.mark.parametrize(
    "new",
    [
        "runtime/services/other/handler.toml",
        ".scaffold/handlers/gone/generated",
        "runtime/services/huddle/inner/handler.toml",
    ],
)
def test_what_is_remembered_ends_with_a_new_name_in_a_folder(
    scaffold: Run, huddle: Path, new: str
) -> None:
    scaffold("check")
    assert check_cache.known(str(huddle))
    (huddle / new).parent.mkdir(parents=True)
    (huddle / new).write_text("")
    assert not check_cache.known(str(huddle))
