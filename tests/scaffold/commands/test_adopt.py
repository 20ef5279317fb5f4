"""Lost or damaged records are recreated from the tree."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scaffold.files import edit, files

Run = Callable[..., "subprocess.CompletedProcess[str]"]
FOLDER = "runtime/services/huddle"
SERVICE = f"{FOLDER}/service.py"
SPEC = f"{FOLDER}/handler.toml"
SERVICES = "runtime/integrations/services.py"
RECORD = ".scaffold/handlers/huddle/generated"


def found(scaffold: Run, code: int) -> dict[str, list[str]]:
    """The paths of the findings, by their codes."""
    told = json.loads(scaffold("check", "huddle", "--json", code=code).stdout)
    paths: dict[str, list[str]] = {}
    for each in told["findings"]:
        paths.setdefault(each["code"], []).append(each["path"])
    return paths


def damage(root: Path, text: str) -> None:
    """Put something else for a recorded text."""
    edit(root, RECORD, f"|{text}", "|something else")


def lose(root: Path) -> None:
    (root / RECORD).unlink()


def truncate(root: Path) -> None:
    data = (root / RECORD).read_bytes()
    (root / RECORD).write_bytes(data[: len(data) // 2])


def empty(root: Path) -> None:
    (root / RECORD).write_bytes(b"")


def spoil(root: Path) -> None:
    (root / RECORD).write_bytes(b"\xff\x00 nonsense |\n")


@pytest.mark.parametrize("spoilt", [lose, truncate, empty, spoil])
def test_the_record_of_untouched_code_is_as_before(
    scaffold: Run, huddle: Path, spoilt: Callable[[Path], None]
) -> None:
    before = files(huddle)
    spoilt(huddle)
    report = scaffold("check", code=None)
    assert "fix: scaffold adopt huddle" in report.stderr.replace("fix:   ", "fix: ")
    scaffold("adopt")
    assert files(huddle) == before
    assert "nothing to do" in scaffold("check").stderr


def test_what_differs_counts_as_edited(scaffold: Run, huddle: Path) -> None:
    edit(huddle, SERVICE, "The Huddle service.", "Mine.")
    edit(
        huddle,
        SERVICES,
        'huddle.service:Service",\n',
        'huddle.service:Service" or None,\n',
    )
    (huddle / "docs/handlers/huddle.md").unlink()
    expected = found(scaffold, 1)
    before = files(huddle)
    lose(huddle)
    told = scaffold("adopt", "huddle").stderr
    assert f"        keep {SERVICE} (edited by hand)" in told
    assert "        keep runtime/integrations/services.py" in told
    assert "next: scaffold diff huddle" in told
    assert files(huddle) == before
    assert found(scaffold, 1) == expected
    scaffold("remove-handler", "huddle", code=3)


def test_missing_entries_are_not_taken_for_generated(
    scaffold: Run, huddle: Path
) -> None:
    edit(
        huddle,
        SERVICES,
        '    "huddle": "runtime.services.huddle.service:Service",\n',
        "",
    )
    lose(huddle)
    scaffold("adopt", "huddle")
    assert found(scaffold, 1) == {"SC101": [SERVICES]}
    scaffold("regenerate", "huddle")
    assert found(scaffold, 0) == {}


def test_texts_that_are_whole_stay_the_base(scaffold: Run, huddle: Path) -> None:
    edit(huddle, SPEC, "test huddle message", "another message")
    damage(huddle, "# Huddle")  # of the page
    scaffold("adopt", "huddle")
    # the service is outdated, and not edited
    scaffold("regenerate", "huddle")
    assert "another message" in (huddle / SERVICE).read_text()


def test_a_dry_run_undo_and_a_second_run(scaffold: Run, huddle: Path) -> None:
    lose(huddle)
    before = files(huddle)
    scaffold("adopt", "-n", "--exit-code", code=1)
    assert files(huddle) == before
    told = json.loads(scaffold("adopt", "--json").stdout)
    state = [each for each in told["changes"] if each["role"] == "state"]
    assert [(each["action"], each["path"]) for each in state] == [
        ("create", ".scaffold/handlers/huddle")
    ]
    after = files(huddle)
    assert "nothing to do: no record is missing" in scaffold("adopt").stderr
    assert files(huddle) == after
    scaffold("undo")
    assert files(huddle) == before


def test_several_records_at_once(scaffold: Run, huddle: Path) -> None:
    scaffold("new-handler", "cuddle", "--field", "room:str")
    before = files(huddle)
    spoil(huddle)
    (huddle / ".scaffold/handlers/cuddle/generated").unlink()
    scaffold("adopt", "huddle")
    (huddle / RECORD).write_bytes(b"")
    scaffold("adopt")
    assert files(huddle) == before


def test_an_ejected_file_stays_ejected(scaffold: Run, huddle: Path) -> None:
    scaffold("eject", SERVICE)
    (huddle / SERVICE).write_text("# mine\n")
    lose(huddle)
    scaffold("adopt")
    assert found(scaffold, 0) == {}
    scaffold("remove-handler", "huddle", "--discard-edits")
    assert (huddle / SERVICE).read_text() == "# mine\n"


def test_a_spec_alone_is_no_lost_record(scaffold: Run, huddle: Path) -> None:
    spec = (huddle / SPEC).read_text()
    scaffold("remove-handler", "huddle")
    (huddle / FOLDER).mkdir()
    (huddle / SPEC).write_text(spec)
    before = files(huddle)
    told = scaffold("adopt", "huddle", code=2).stderr
    assert f"{SPEC}: nothing of the handler `huddle` was generated yet" in told
    assert "fix:   scaffold regenerate huddle" in told
    assert "nothing to do" in scaffold("adopt").stderr
    assert files(huddle) == before
    report = json.loads(scaffold("check", "--json", code=1).stdout)
    assert report["next"] == ["scaffold regenerate huddle"]


def test_without_a_spec_it_is_refused(scaffold: Run, huddle: Path) -> None:
    spoil(huddle)
    (huddle / SPEC).unlink()
    before = files(huddle)
    for names in ([], ["huddle"]):
        told = scaffold("adopt", *names, code=2).stderr
        assert f"{SPEC}: is missing, so the record {RECORD} cannot be made" in told
    assert files(huddle) == before


def test_a_record_of_a_newer_version_is_left_alone(scaffold: Run, huddle: Path) -> None:
    edit(huddle, RECORD, "format 2\n", "format 99\n")
    before = files(huddle)
    assert "newer version of scaffold" in scaffold("adopt", code=5).stderr
    assert files(huddle) == before


def test_a_spec_with_mistakes_is_refused(scaffold: Run, huddle: Path) -> None:
    lose(huddle)
    edit(huddle, SPEC, "[handler]", "[handlers]")
    assert "handlers" in scaffold("adopt", "huddle", code=2).stderr


def test_a_missing_table_is_refused(scaffold: Run, huddle: Path) -> None:
    lose(huddle)
    edit(huddle, SERVICES, "SERVICES:", "OTHERS:")
    told = scaffold("adopt", "huddle", code=5).stderr
    assert "the dict literal SERVICES" in told


def test_nothing_is_overwritten_without_a_record(scaffold: Run, huddle: Path) -> None:
    edit(huddle, SERVICE, "The Huddle service.", "Mine.")
    for spoilt, code in ((lose, 3), (empty, 5)):
        spoilt(huddle)
        before = files(huddle)
        told = scaffold("regenerate", "huddle", code=code).stderr
        assert "fix:   scaffold adopt huddle" in told
        scaffold("remove-handler", "huddle", "--discard-edits", code=5)
        assert files(huddle) == before
        scaffold("adopt")
        assert found(scaffold, 0) == {"SC105": [SERVICE]}
