"""The command line, from outside: commands, exit codes, answers for machines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold import cli
from scaffold.commands import check as checking
from scaffold.disk import transaction
from scaffold.spec.model.settings import FIELD_TYPES
from tests.scaffold.files import files
from tests.scaffold.locking import locked_elsewhere

Run = Callable[..., "subprocess.CompletedProcess[str]"]
HUDDLE = ("new-handler", "huddle", "--field", "channel:str")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["regenerate"], "regenerate"),
        (["new-handler", "huddle", "--feild", "a:str"], "new-handler"),
        (["nothing"], ""),
    ],
)
def test_machines_are_told_of_a_wrong_command_line_too(
    scaffold: Run, arguments: list[str], command: str
) -> None:
    told = json.loads(scaffold(*arguments, "--json", code=2).stdout)
    assert told["command"] == command
    assert told["errors"]
    assert told["next"] == [f"scaffold {command}".strip() + " --help"]


def test_a_run_for_machines(scaffold: Run) -> None:
    done = scaffold(*HUDDLE, "--json")
    told = json.loads(done.stdout)
    assert done.stderr == ""
    assert (told["schema"], told["command"], told["ok"], told["exit_code"]) == (
        2,
        "new-handler",
        True,
        0,
    )
    changes = {change["path"]: change for change in told["changes"]}
    config = changes["runtime/services/huddle/config.py"]
    assert (config["action"], config["role"]) == ("create", "owned")
    assert config["added"] > 10
    places = {(each["path"], each["place"]): each for each in told["registrations"]}
    assert places["runtime/integrations/node_handlers.py", "handler"]["key"] == "huddle"
    assert told["next"][0] == "python -m pytest tests/runtime/services/huddle"
    assert isinstance(told["elapsed_ms"], int)


def test_a_refusal_for_machines(scaffold: Run) -> None:
    told = json.loads(scaffold("new-handler", "class", "--json", code=2).stdout)
    assert told["ok"] is False
    assert told["exit_code"] == 2
    assert any("class" in error["message"] for error in told["errors"])


def test_the_project_is_found_from_any_folder_below(
    scaffold: Run, project: Path
) -> None:
    scaffold(*HUDDLE, cwd=project / "runtime" / "services" / "foo")
    assert (project / "runtime/services/huddle/service.py").is_file()
    told = scaffold("list", "-C", str(project / "docs"), cwd=project.parent).stdout
    assert ".huddle()" in told


def test_outside_a_project_it_says_how_to_make_one(
    scaffold: Run, tmp_path: Path
) -> None:
    told = scaffold("check", cwd=tmp_path, code=2).stderr
    assert "not in a project" in told
    assert "scaffold init" in told


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("new-handler",), "NAME or --spec"),
        (("new-handler", "a", "--spec", "nowhere.toml"), "nowhere.toml: No such file"),
        (("new-handler", "a", "--spec", "."), "is not a file"),
        (("new-handler", "a", "--spec", "/dev/zero"), "is not a file"),
        (
            ("new-handler", "a", "--spec", "x.toml", "--field", "a:str"),
            "--spec cannot be combined",
        ),
        (("new-handler", "httpd", "--field", "a:str"), "httpd"),
        (("new-handler", "../evil"), "is not a handler name"),
        (("new-handler", "foo_", "--field", "a:strr"), "strr"),
        (("regenerate",), "--all"),
        (("regenerate", "hipcat"), "did you mean hipchat?"),
        (("check", "nope"), "unknown handler 'nope'"),
        (("nope",), "error: no such command 'nope'\nfix:   scaffold --help"),
        (("new-handler", "--feild", "a"), "no such option '--feild' (did you mean --f"),
        (("chek",), "no such command 'chek' (did you mean check?)"),
        (("list", "x"), "error: got unexpected extra argument (x)"),
        (("new-handler", "Größe"), "did you mean 'grosse'?"),
    ],
)
def test_a_wrong_command_is_refused_with_2(
    scaffold: Run, project: Path, arguments: tuple[str, ...], problem: str
) -> None:
    before = files(project)
    assert problem in scaffold(*arguments, code=2).stderr
    assert files(project) == before


def test_a_held_tree_is_refused_with_6(scaffold: Run, project: Path) -> None:
    with locked_elsewhere(project) as pid:
        assert f"pid {pid}" in scaffold(*HUDDLE, code=6).stderr
        scaffold("check")


def test_a_bug_ends_with_70(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("bug")

    monkeypatch.setattr(checking, "check", fail)
    monkeypatch.setattr(sys, "excepthook", lambda *arguments: None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["check", "-C", str(project)])
    assert ended.value.code == 70


def test_an_interrupted_run_ends_with_130(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    def interrupt(*arguments: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    before = files(project)
    monkeypatch.setattr(transaction, "complete", interrupt)
    with pytest.raises(SystemExit) as ended:
        cli.main([*HUDDLE, "-C", str(project)])
    assert ended.value.code == 130
    assert files(project) == before


def test_a_run_that_was_killed_is_completed_by_the_next_command(
    scaffold: Run, project: Path
) -> None:
    code = (
        "import os, sys\nfrom scaffold import cli\nfrom scaffold.disk import transaction\n"
        "transaction.complete = lambda *a: os.kill(os.getpid(), 9)\n"
        "cli.main(sys.argv[1:])\n"
    )
    subprocess.run(
        [sys.executable, "-P", "-c", code, *HUDDLE], cwd=project, check=False
    )
    assert (project / ".scaffold/txn/commit").is_file()
    before = files(project)
    told = scaffold("check").stderr
    assert "`scaffold recover`" in told
    assert "2 handlers examined, nothing to do" in told
    scaffold("list")
    scaffold(*HUDDLE, "-n")
    scaffold("regenerate", "--all", "-n")
    assert files(project) == before
    assert "nothing to do" in scaffold("regenerate", "--all").stderr
    told = scaffold("check").stderr
    assert "3 handlers examined, nothing to do" in told
    assert "interrupted" not in told


def test_places_and_schema_are_data_on_standard_output(scaffold: Run) -> None:
    assert "runtime/services/{kind}/service.py" in scaffold("places").stdout
    schema = json.loads(scaffold("schema").stdout)
    assert "handler" in schema["properties"]


def test_the_help_of_new_handlers_names_every_type(scaffold: Run) -> None:
    shown = " ".join(scaffold("new-handler", "--help").stdout.split())
    assert f"TYPE is one of {', '.join(FIELD_TYPES)}." in shown


def test_the_list_shows_every_handler(scaffold: Run) -> None:
    rows = scaffold("list").stdout.splitlines()
    assert [row.split()[:2] for row in rows] == [
        ["foo", ".foo()"],
        ["hipchat", ".hipChat()"],
    ]


def test_names_are_completed_by_the_shell(scaffold: Run, project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "scaffold"],
        cwd=project,
        env={
            **os.environ,
            "_SCAFFOLD_COMPLETE": "bash_complete",
            "COMP_WORDS": "scaffold check h",
            "COMP_CWORD": "2",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "plain,hipchat" in done.stdout


def test_another_command_is_no_guess(scaffold: Run) -> None:
    told = scaffold("copy-handler", code=2).stderr
    assert "no such command" in told
    assert "did you mean" not in told


def test_a_dry_run_says_what_it_would_do_and_stops(scaffold: Run) -> None:
    told = scaffold(*HUDDLE, "--dry-run").stderr.splitlines()
    assert told[-2].lstrip().startswith("would ")
    assert told[-1] == "Dry run: nothing was written."


def test_a_dry_run_with_nothing_to_do_is_done(scaffold: Run) -> None:
    told = scaffold("regenerate", "foo", "--dry-run").stderr.splitlines()
    assert told[-2].split()[:4] == ["done", "nothing", "to", "do"]


def test_an_interrupted_command_is_completed_or_undone_not_both(scaffold: Run) -> None:
    for other in ("--abort", "--set-aside"):
        told = scaffold("recover", "--continue", other, code=2).stderr
        assert "--abort and --set-aside exclude each other: give one" in told
    told = scaffold("undo", "--keep-edits", "--discard-edits", code=2).stderr
    assert "--keep-edits and --discard-edits exclude each other: give one" in told
