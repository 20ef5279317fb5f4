"""Removing handlers: the inverse of making them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scaffold.files import edit, files

Run = Callable[..., "subprocess.CompletedProcess[str]"]
HUDDLE = Path("runtime/services/huddle")
SERVICES = "runtime/integrations/services.py"


def test_a_removed_handler_was_never_there(
    scaffold: Run, made_project: Path, huddle: Path
) -> None:
    cache = huddle / HUDDLE / "__pycache__"
    cache.mkdir()
    (cache / "service.cpython-311.pyc").write_bytes(b"")
    told = scaffold("remove-handler", "huddle").stderr
    assert f"      remove {HUDDLE}/service.py" in told
    assert f"  unregister {SERVICES}" in told
    assert files(huddle) == files(made_project)
    assert not (huddle / HUDDLE).exists()
    assert not (huddle / "examples/huddle").exists()
    assert "nothing to do" in scaffold("check").stderr


def test_removing_and_making_again(scaffold: Run, huddle: Path) -> None:
    before = files(huddle)
    scaffold("remove-handler", "huddle")
    scaffold("undo")
    assert files(huddle) == before
    scaffold("remove-handler", "huddle")
    scaffold("new-handler", "huddle", "--field", "channel:str")
    assert files(huddle) == before


def test_a_dry_run_writes_nothing(scaffold: Run, huddle: Path) -> None:
    before = files(huddle)
    done = scaffold("remove-handler", "huddle", "-n", "--exit-code", code=1)
    assert '-    "huddle": "runtime.services.huddle.service:Service",' in done.stdout
    assert "Dry run: nothing was written." in done.stderr
    assert files(huddle) == before


def test_the_tests_of_other_handlers_run_before(
    scaffold: Run, whole_project: Path
) -> None:
    scaffold("new-handler", "huddle", "--field", "channel:str")
    scaffold("remove-handler", "huddle", "--verify", "tests")
    assert not (whole_project / HUDDLE).exists()


def test_an_unknown_handler(scaffold: Run, huddle: Path) -> None:
    told = scaffold("remove-handler", "hudle", code=2).stderr
    assert "unknown handler 'hudle'; did you mean huddle?" in told


def test_edited_files_are_listed_and_kept(scaffold: Run, huddle: Path) -> None:
    edit(huddle, HUDDLE / "service.py", "The Huddle service.", "Mine.")
    edit(huddle, "docs/handlers.md", "handlers/huddle.md)", "handlers/huddle.md) mine")
    text = (huddle / HUDDLE / "service.py").read_text()
    told = scaffold("remove-handler", "huddle").stderr
    assert f"        keep {HUDDLE}/service.py (edited by hand" in told
    assert "        keep docs/handlers.md" in told
    assert "scaffold undo; scaffold remove-handler huddle --discard-edits" in told
    assert (huddle / HUDDLE / "service.py").read_text() == text
    assert "handlers/huddle.md) mine" in (huddle / "docs/handlers.md").read_text()
    assert not (huddle / HUDDLE / "config.py").exists()
    assert "HuddleService" not in (huddle / SERVICES).read_text()
    assert "nothing to do" in scaffold("check").stderr


def test_edits_are_discarded_when_asked_for(
    scaffold: Run, made_project: Path, huddle: Path
) -> None:
    edit(huddle, HUDDLE / "service.py", "The Huddle service.", "Mine.")
    (huddle / HUDDLE / "config.py").write_bytes(b"\xff not text")
    edit(huddle, HUDDLE / "handler.toml", "huddle", "muddle")
    edit(huddle, "docs/handlers.md", "handlers/huddle.md)", "handlers/huddle.md) mine")
    edit(
        huddle,
        SERVICES,
        'huddle.service:Service",\n',
        'huddle.service:Service" or None,  # mine\n',
    )
    edit(huddle, "etc/kapacitor.conf", "[huddle]\n", "[huddle]\n  # mine\n")
    (huddle / "examples/huddle/huddle.tick").unlink()
    scaffold("remove-handler", "huddle", "--discard-edits")
    assert files(huddle) == files(made_project)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('huddle.service:Service",\n', 'huddle.service:Service" or None,\n'),
        ('huddle.service:Service",\n', 'huddle.service:Service",  # see the wiki\n'),
        (
            '"huddle": "runtime.services.huddle.service:Service",\n',
            '"huddle": (lambda *a: HuddleService(*a)),\n',
        ),
    ],
)
def test_an_edited_entry_that_needs_the_code_stops_it(
    scaffold: Run, huddle: Path, old: str, new: str
) -> None:
    edit(huddle, SERVICES, old, new)
    before = files(huddle)
    told = json.loads(scaffold("remove-handler", "huddle", "--json", code=3).stdout)
    assert told["conflicts"] == [SERVICES]
    assert "`huddle` in the dict literal SERVICES" in told["errors"][0]["message"]
    assert told["next"] == ["scaffold remove-handler huddle --discard-edits"]
    assert files(huddle) == before


def test_a_spec_that_was_not_followed_yet_stops_it(scaffold: Run, huddle: Path) -> None:
    edit(huddle, HUDDLE / "handler.toml", "test huddle message", "another message")
    before = files(huddle)
    told = scaffold("remove-handler", "huddle", code=3).stderr
    assert f"{HUDDLE}/handler.toml: was changed after the handler was gener" in told
    assert files(huddle) == before
    scaffold("regenerate", "huddle")
    scaffold("remove-handler", "huddle")


def test_a_spec_that_is_no_longer_valid_can_be_removed(
    scaffold: Run, made_project: Path, huddle: Path
) -> None:
    (huddle / HUDDLE / "handler.toml").write_text("nonsense\n")
    assert "handler.toml" in scaffold("remove-handler", "huddle", code=3).stderr
    scaffold("remove-handler", "huddle", "--discard-edits")
    assert files(huddle) == files(made_project)


def test_leftovers_are_removed_by_name(
    scaffold: Run, made_project: Path, huddle: Path
) -> None:
    (huddle / HUDDLE / "handler.toml").unlink()
    scaffold("remove-handler", "huddle")
    assert files(huddle) == files(made_project)


def test_without_a_record_nothing_is_removed(scaffold: Run, huddle: Path) -> None:
    shutil.rmtree(huddle / ".scaffold/handlers/huddle")
    before = files(huddle)
    told = scaffold("remove-handler", "huddle", code=5).stderr
    assert ".scaffold/handlers/huddle/generated: is missing" in told
    assert "fix:   scaffold adopt huddle" in told
    assert files(huddle) == before


def test_a_released_line_of_the_changelog_stays(scaffold: Run, huddle: Path) -> None:
    edit(huddle, "CHANGELOG.md", "## Unreleased\n", "## Unreleased\n\n## 1.0\n")
    scaffold("remove-handler", "huddle")
    text = (huddle / "CHANGELOG.md").read_text()
    assert text.startswith("# Changelog\n\n## Unreleased\n\n## 1.0\n\n- Huddle: send")


def test_mentions_elsewhere_are_listed(scaffold: Run, huddle: Path) -> None:
    for path, text in {
        "docs/operations.md": "# Runbook\n\nAlerts go to huddle, never to huddles.\n",
        "tools/run.py": "from runtime.services.huddle.service import HuddleService\n",
        f"{HUDDLE}/helpers.py": "X = 1\n",
        "venv/pyvenv.cfg": "huddle\n",
        "venv/lib/huddle.py": "huddle\n",
        ".mypy_cache/x.json": "huddle\n",
        "data.bin": "huddle\0\n",
        "other.txt": "huddle_two, my_huddle, Huddles\n",
    }.items():
        (huddle / path).parent.mkdir(parents=True, exist_ok=True)
        (huddle / path).write_text(text)
    (huddle / "link.md").symlink_to("docs/operations.md")
    told = scaffold("remove-handler", "huddle", "-n").stderr
    done = json.loads(scaffold("remove-handler", "huddle", "--json").stdout)
    assert done["leftovers"] == [
        {
            "path": "docs/operations.md",
            "line": 3,
            "text": "Alerts go to huddle, never to huddles.",
        },
        {"path": f"{HUDDLE}/helpers.py", "line": 0, "text": ""},
        {
            "path": "tools/run.py",
            "line": 1,
            "text": "from runtime.services.huddle.service import HuddleService",
        },
    ]
    assert "`huddle` is still mentioned, in 3 places:" in told
    assert "docs/operations.md:3: Alerts go to huddle, never to huddles." in told
    assert (huddle / HUDDLE / "helpers.py").exists()


def test_many_mentions_are_shortened(scaffold: Run, huddle: Path) -> None:
    (huddle / "log.txt").write_text("huddle\n" * 30)
    told = scaffold("remove-handler", "huddle").stderr
    assert "in 30 places:" in told
    assert told.count("log.txt:") == 20
    assert "and 10 more (--json lists them)" in told


def test_the_search_for_mentions_ends(scaffold: Run, huddle: Path) -> None:
    (huddle / "log.txt").write_text("huddle\n" * 10_000)
    done = scaffold("remove-handler", "huddle", "-n")
    assert "in at least 500 places:" in done.stderr


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_several_handlers_in_any_order(
    scaffold: Run, project: Path, order: str, made_project: Path
) -> None:
    scaffold("new-handler", "aa", "--field", "room:str")
    one = files(project)
    scaffold("new-handler", "bb", "--field", "room:str")
    scaffold("remove-handler", "bb" if order == "ab" else "aa")
    if order == "ab":
        assert files(project) == one
    scaffold("remove-handler", "aa" if order == "ab" else "bb")
    assert files(project) == files(made_project)
