"""A handler that gets another name, from outside."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scaffold.files import SERVICE, edit, files
from tests.scaffold.repository import git

Run = Callable[..., "subprocess.CompletedProcess[str]"]
RENAME = ("rename-handler", "huddle", "chime")
SERVICES = "runtime/integrations/services.py"
CONFIGURATION = "etc/kapacitor.conf"


def without_history(root: Path) -> dict[str, bytes]:
    found = files(root)
    return {
        path: data
        for path, data in found.items()
        if path != "CHANGELOG.md" and not path.startswith(".scaffold/undo")
    }


def test_a_renamed_handler_is_as_a_new_one(
    scaffold: Run, huddle: Path, made_project: Path, run_in: Run, tmp_path: Path
) -> None:
    history = (huddle / "CHANGELOG.md").read_bytes()
    told = scaffold(*RENAME).stderr
    assert f"        move {SERVICE} -> runtime/services/chime/service.py" in told
    assert "next: python -m pytest tests/runtime/services/chime" in told
    assert (huddle / "CHANGELOG.md").read_bytes() == history
    other = Path(shutil.copytree(made_project, tmp_path / "other"))
    run_in(other, "new-handler", "chime", "--field", "channel:str")
    assert without_history(huddle).keys() == without_history(other).keys()
    assert [
        path
        for path, data in without_history(huddle).items()
        if data != without_history(other)[path] and not path.endswith("generated")
    ] == []
    scaffold("check")
    assert "nothing to do" in scaffold("regenerate", "chime").stderr
    assert not (huddle / "runtime/services/huddle").exists()


def test_the_edits_of_people_come_along(scaffold: Run, whole_project: Path) -> None:
    root = whole_project
    scaffold("new-handler", "huddle", "--field", "channel:str")
    edit(
        root,
        SERVICE,
        "    def failure(",
        "    def huddle_id(self) -> str:\n"
        '        """An ID of Huddle, see https://huddle.example.com/huddle."""\n'
        "        return helper.footer + self.kind  # of HuddleServer, huddled\n\n"
        "    def failure(",
    )
    edit(
        root,
        SERVICE,
        "from runtime.services.huddle.config",
        "from runtime.services.huddle import helper\nfrom runtime.services.huddle.config",
    )
    helper = root / "runtime/services/huddle/helper.py"
    helper.write_text('footer = "huddle"\n')
    helper.chmod(0o700)
    reply = '{"huddle": 1}\n'
    (root / "tests/runtime/services/huddle/reply.json").write_text(reply)
    edit(root, "docs/handlers/huddle.md", "\n\n", "\n\nAsk the huddle team.\n\n")
    edit(
        root,
        SERVICES,
        'huddle.service:Service",\n',
        'huddle.service:Service",  # of huddle\n',
    )
    edit(root, CONFIGURATION, '  channel = ""', '  channel = "huddle"  # mine')
    scaffold(*RENAME, "--verify", "tests")
    service = (root / "runtime/services/chime/service.py").read_text()
    assert (
        "    def chime_id(self) -> str:\n"
        '        """An ID of Chime, see https://huddle.example.com/huddle."""\n'
        "        return helper.footer + self.kind  # of ChimeServer, huddled\n\n"
    ) in service
    assert "from runtime.services.chime import helper\n" in service
    moved = root / "runtime/services/chime/helper.py"
    assert moved.read_text() == 'footer = "chime"\n'
    assert moved.stat().st_mode & 0o777 == 0o700
    assert (root / "tests/runtime/services/chime/reply.json").read_text() == reply
    assert (
        "\n\nAsk the chime team.\n\n" in (root / "docs/handlers/chime.md").read_text()
    )
    assert (
        '"chime": "runtime.services.chime.service:Service",  # of chime\n'
        in (root / SERVICES).read_text()
    )
    conf = (root / CONFIGURATION).read_text()
    assert "[chime]" in conf
    assert '  channel = "huddle"  # mine' in conf
    scaffold("check")
    assert "nothing to do" in scaffold("regenerate", "chime").stderr


def test_there_and_back_is_no_change(scaffold: Run, huddle: Path) -> None:
    edit(huddle, SERVICE, "    def failure(", "    # of HuddleServer\n    def failure(")
    edit(
        huddle,
        SERVICES,
        'huddle.service:Service",\n',
        'huddle.service:Service",  # huddle\n',
    )
    before = without_history(huddle)
    scaffold(*RENAME)
    scaffold("rename-handler", "chime", "huddle")
    assert without_history(huddle) == before


def test_one_undo_takes_it_back(scaffold: Run, huddle: Path) -> None:
    edit(huddle, SERVICE, "    def failure(", "    # of HuddleServer\n    def failure(")
    before = without_history(huddle)
    scaffold(*RENAME)
    scaffold("undo")
    assert without_history(huddle) == before


def test_a_plan_is_applied_as_it_was_shown(scaffold: Run, huddle: Path) -> None:
    (huddle / SERVICE).chmod(0o600)
    scaffold(*RENAME, "--plan", "../plan.json")
    told = scaffold("apply", "../plan.json").stderr
    assert f"        move {SERVICE} -> runtime/services/chime/service.py" in told
    service = huddle / "runtime/services/chime/service.py"
    assert service.stat().st_mode & 0o777 == 0o600
    scaffold("check")


def test_an_ejected_file_stays_so(scaffold: Run, huddle: Path) -> None:
    scaffold("eject", SERVICE)
    (huddle / SERVICE).write_text("# mine, of huddle\n")
    scaffold(*RENAME)
    listed = (huddle / ".scaffold/ejected").read_text()
    assert listed == "runtime/services/chime/service.py\n"
    service = huddle / "runtime/services/chime/service.py"
    assert service.read_text() == "# mine, of chime\n"


def test_git_follows_the_files(scaffold: Run, huddle: Path) -> None:
    git(huddle, "init", "-q")
    git(huddle, "add", "-A")
    git(huddle, "commit", "-qm", "before")
    scaffold(*RENAME)
    assert git(huddle, "diff", "--cached") == ""
    git(huddle, "add", "-A")
    git(huddle, "commit", "-qm", "after")
    new = "runtime/services/chime/service.py"
    assert git(huddle, "log", "--follow", "--format=%s", "--", new) == "after\nbefore\n"


def test_mentions_elsewhere_are_listed(scaffold: Run, huddle: Path) -> None:
    (huddle / "notes.md").write_text("a\nSee `huddle` and HuddleServer.\nhuddled\n")
    edit(
        huddle,
        "runtime/services/huddle/handler.toml",
        "[config]",
        "# of huddle\n[config]",
    )
    scaffold("regenerate", "huddle")
    dry = json.loads(scaffold(*RENAME, "-n", "--json").stdout)
    told = json.loads(scaffold(*RENAME, "--json").stdout)
    assert told["leftovers"] == [
        {"path": "notes.md", "line": 2, "text": "See `huddle` and HuddleServer."},
        {
            "path": "runtime/services/chime/handler.toml",
            "line": 6,
            "text": "# of huddle",
        },
    ]
    assert dry["leftovers"] == told["leftovers"]
    assert "notes.md:2: See `huddle`" in told["notes"][0]


def test_a_dry_run_writes_nothing(scaffold: Run, huddle: Path) -> None:
    before = files(huddle)
    told = scaffold(*RENAME, "-n", "--exit-code", code=1)
    assert "Dry run: nothing was written." in told.stderr
    assert "move " in told.stderr
    assert files(huddle) == before
    found = json.loads(scaffold(*RENAME, "--json").stdout)
    [moved] = [each for each in found["changes"] if each.get("source") == SERVICE]
    assert moved["action"] == "move"
    assert moved["path"] == "runtime/services/chime/service.py"


def test_names_that_begin_with_the_name_stay(scaffold: Run, huddle: Path) -> None:
    scaffold("new-handler", "huddle_room", "--field", "channel:str")
    before = files(huddle)
    text = "# HuddleRoomServer, huddle_room, huddle_roomtest, huddleRoom\n"
    edit(huddle, SERVICE, '"""The', f'{text}"""The')
    scaffold(*RENAME)
    after = files(huddle)
    own = [path for path in before if "huddle_room" in path]
    assert [path for path in own if before[path] != after[path]] == []
    assert after["runtime/services/chime/service.py"].startswith(text.encode())
    scaffold("check")


SPEC = """\
[handler]
name    = "huddle"
title   = "Team Huddle"
summary = "sends a card to a Huddle channel."

[config]
url = { type = "url", required = "always" }

[option]
huddle-room = {}
node        = { tick = "huddleNode" }

[[request]]
url = "${config.url}"
json.text = "${opt.huddle_room}${opt.node}"

[response]
ok      = [200]
message = "Huddle error ${body}"
"""


def test_edits_beside_texts_of_the_spec_need_nobody(
    scaffold: Run, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "spec.toml").write_text(SPEC)
    scaffold("new-handler", "--spec", str(tmp_path / "spec.toml"))
    tests = project / "tests/runtime/services/huddle/test_huddle_service.py"
    text = tests.read_text()
    kept, _, gone = text.partition("@pytest.mark.parametrize")
    gone, _, rest = gone.partition("\n\n\n")
    assert "Huddle error" in gone
    tests.write_text(kept + rest)
    message = 'return f"Huddle error {response.text}"'
    edit(project, SERVICE, message, f"own = 1\n        {message}")
    edit(project, SERVICE, "a Huddle channel.", "a Huddle channel of Huddle, and mine.")
    scaffold(*RENAME)
    service = (project / "runtime/services/chime/service.py").read_text()
    assert f"own = 1\n        {message}" in service
    assert "a Huddle channel of Chime, and mine." in service
    assert "huddle_room" in service
    moved = project / "tests/runtime/services/chime/test_chime_service.py"
    assert "Huddle error" not in moved.read_text()
    page = (project / "docs/handlers/chime.md").read_text()
    assert ".huddleRoom(" in page
    assert ".huddleNode(" in page
    scaffold("check")


def test_a_setting_with_the_name_of_the_handler_keeps_it_in_edits(
    scaffold: Run, project: Path
) -> None:
    scaffold("new-handler", "huddle", "--field", "huddle:str", "--field", "room:str")
    own = '''\
    def own(self, options: HandlerConfig) -> str:
        """Return the huddle of a Huddle."""
        made = HandlerConfig(huddle="x", room=self.config.huddle)
        return str({made: 1, "huddle": options.huddle, "kind": "huddle"})

'''
    edit(
        project, SERVICE, '"huddle": options.huddle,', '"huddle": options.huddle + "!",'
    )
    edit(project, SERVICE, "    def default_handler", f"{own}    def default_handler")
    scaffold(*RENAME)
    service = (project / "runtime/services/chime/service.py").read_text()
    assert '''        """Return the chime of a Chime."""
        made = HandlerConfig(huddle="x", room=self.config.huddle)
        return str({made: 1, "huddle": options.huddle, "kind": "chime"})
''' in service
    assert '"huddle": options.huddle + "!",' in service
    scaffold("check")


def test_property_and_title_can_be_given(scaffold: Run, huddle: Path) -> None:
    scaffold(*RENAME, "--property", "chimeIn", "--title", 'The "Chime"')
    spec = (huddle / "runtime/services/chime/handler.toml").read_text()
    assert 'name = "chime"\ntitle = "The \\"Chime\\""\n' in spec
    assert 'property = "chimeIn"\n' in spec
    assert 'error = "must specify the The \\"Chime\\" server URL"' in spec
    assert (
        "class ChimeInServer"
        in (huddle / "runtime/services/chime/chimetest.py").read_text()
    )
    scaffold("check")


def test_the_property_of_a_spec_follows_the_name(scaffold: Run, project: Path) -> None:
    scaffold("rename-handler", "hipchat", "chime")
    spec = (project / "runtime/services/chime/handler.toml").read_text()
    assert 'title    = "Chime"\n' in spec
    assert 'property = "chime"\n' in spec
    scaffold("check")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("huddle", "huddle"), 2, "the handler is already called 'huddle'"),
        (("hudle", "chime"), 2, "unknown handler 'hudle'; did you mean huddle?"),
        (("huddle", "foo"), 2, "NEW: the handler 'foo' already exists"),
        (("huddle", "hip_chat"), 2, "NEW: 'hip_chat' differs from the handler"),
        (("huddle", "../evil"), 2, "NEW: '../evil' is not a handler name"),
        (("huddle", "class"), 2, "NEW: 'class' is a Python keyword"),
        (("huddle", "a\nb"), 2, "is not a handler name"),
        (("huddle", "mine"), 2, "a module of this name already exists"),
        (("huddle", "a", "--property", "foo"), 2, "another handler has the property"),
        (("huddle", "a", "--title", "a\x07"), 2, "contains the character"),
    ],
)
def test_a_wrong_name_is_refused(
    scaffold: Run, huddle: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    (huddle / "runtime/services/mine.py").write_text("")
    before = files(huddle)
    assert message in scaffold("rename-handler", *arguments, code=code).stderr
    assert files(huddle) == before


def test_a_file_in_the_way_is_left_alone(scaffold: Run, huddle: Path) -> None:
    mine = huddle / "examples/chime/chime.tick"
    mine.parent.mkdir()
    mine.write_text("mine\n")
    before = files(huddle)
    told = scaffold(*RENAME, code=3).stderr
    assert "examples/chime/chime.tick: already exists; left unchanged" in told
    assert files(huddle) == before


def test_without_a_record_nothing_is_renamed(scaffold: Run, huddle: Path) -> None:
    shutil.rmtree(huddle / ".scaffold/handlers/huddle")
    told = scaffold(*RENAME, code=5).stderr
    assert ".scaffold/handlers/huddle/generated: is missing" in told
    assert "fix:   scaffold adopt huddle" in told


def test_a_link_among_the_files_is_refused(scaffold: Run, huddle: Path) -> None:
    (huddle / "runtime/services/huddle/link.py").symlink_to("/etc/hostname")
    before = files(huddle)
    assert "link.py: is a symbolic link" in scaffold(*RENAME, code=5).stderr
    assert files(huddle) == before


def test_a_conflict_is_named_and_can_be_settled(scaffold: Run, huddle: Path) -> None:
    edit(huddle, SERVICE, "The Huddle service.", "The Huddle service, and mine.")
    before = files(huddle)
    rename = (*RENAME, "--title", "Bells")
    told = scaffold(*rename, code=3).stderr
    assert f"error: {SERVICE}: " in told
    assert "fix:   scaffold rename-handler huddle chime --on-conflict markers" in told
    assert files(huddle) == before
    scaffold(*rename, "--on-conflict", "mine")
    service = (huddle / "runtime/services/chime/service.py").read_text()
    assert service.startswith('"""The Chime service, and mine."""')
    scaffold("check")
