"""The command line, from outside."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold import cli, testing
from scaffold.commands import check as checking
from scaffold.disk import transaction

Run = Callable[..., "subprocess.CompletedProcess[str]"]
HUDDLE = ("new-handler", "huddle", "--field", "channel:str")


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and "__pycache__" not in path.parts
        and not path.relative_to(root)
        .as_posix()
        .startswith((".scaffold/lock", ".scaffold/cache", ".git/"))
    }


def test_a_new_handler_is_told_file_by_file(scaffold: Run) -> None:
    told = scaffold(*HUDDLE).stderr.splitlines()
    assert "      create runtime/services/huddle/service.py" in told
    assert any(
        line.startswith("    register runtime/integrations/services.py:")
        and line.endswith(" service `huddle`")
        for line in told
    )
    assert any(
        line.startswith("        done 16 create, 14 register in ") for line in told
    )
    assert "       next: python -m pytest tests/runtime/services/huddle" in told


def test_without_pytest_the_next_step_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "syrupy", None)
    monkeypatch.setattr(testing, "source", lambda: "")
    assert testing.commands(tmp_path, "tests/x") == [
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]'",
        ".venv/bin/python -m pytest tests/x",
    ]
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert testing.commands(tmp_path) == [".venv/bin/python -m pytest"]


@pytest.mark.parametrize(
    ("origin", "named"),
    [
        (None, ""),
        ({"url": "file:///src/a%20b", "dir_info": {}}, "'/src/a b' "),
        ({"url": "file:///w/x.whl", "archive_info": {}}, "/w/x.whl "),
        (
            {
                "url": "https://example.com/s.git",
                "vcs_info": {"vcs": "git", "commit_id": "ab12"},
            },
            "'scaffold-alerts @ git+https://example.com/s.git@ab12' ",
        ),
        (
            {"url": "https://example.com/s.whl", "archive_info": {}},
            "'scaffold-alerts @ https://example.com/s.whl' ",
        ),
    ],
    ids=["index", "folder", "wheel", "repository", "address"],
)
def test_pip_is_told_where_scaffold_came_from(
    origin: object, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Installed:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return json.dumps(origin) if origin else None

    monkeypatch.setattr("importlib.metadata.distribution", lambda name: Installed())
    start = "python3 -m venv .venv && .venv/bin/pip install -q "
    assert testing.install() == f"{start}{named}-e '.[dev]'"


def test_the_tests_of_a_new_handler_pass(scaffold: Run, project: Path) -> None:
    # pytest would collect the class `TestrailServer` if nobody told it not to
    scaffold("new-handler", "testrail", "--field", "channel:str")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    subprocess.run(
        [
            *command,
            "tests/runtime/services/testrail",
            "tests/runtime/test_registration.py",
        ],
        cwd=project,
        check=True,
        timeout=120,
    )


def test_the_same_again_writes_nothing(scaffold: Run, project: Path) -> None:
    scaffold(*HUDDLE)
    times = {path: path.stat().st_mtime_ns for path in project.rglob("*.*")}
    before = files(project)
    told = scaffold(*HUDDLE).stderr
    assert "nothing to do" in told
    assert files(project) == before
    assert {path: path.stat().st_mtime_ns for path in times} == times


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
    assert told["next"] == [f"scaffold {command}".strip() + " -h"]


def test_a_file_of_somebody_else_in_the_way_comes_with_a_way_out(
    scaffold: Run, project: Path
) -> None:
    mine = project / "examples/huddle/huddle.tick"
    mine.parent.mkdir()
    mine.write_text("mine\n")
    told = json.loads(scaffold(*HUDDLE, "--json", code=3).stdout)
    assert told["errors"] == [
        {
            "severity": "error",
            "message": "is there already, with other text; left alone",
            "path": "examples/huddle/huddle.tick",
            "line": 0,
        }
    ]
    assert told["conflicts"] == ["examples/huddle/huddle.tick"]
    [fix] = told["next"]
    subprocess.run(fix, shell=True, cwd=project, check=True)
    scaffold(*HUDDLE)
    assert mine.with_suffix(".tick.mine").read_text() == "mine\n"


def test_flags_that_disagree_with_the_spec_are_refused(
    scaffold: Run, project: Path
) -> None:
    scaffold(*HUDDLE)
    before = files(project)
    told = scaffold("new-handler", "huddle", "--field", "channel:int", code=2).stderr
    assert "config.channel" in told
    assert "runtime/services/huddle/handler.toml" in told
    assert "scaffold regenerate huddle" in told
    assert files(project) == before


def test_a_dry_run_tells_what_a_run_does(scaffold: Run, project: Path) -> None:
    before = files(project)
    dry = scaffold(*HUDDLE, "--dry-run", "--diff")
    assert files(project) == before
    assert "Dry run: nothing was written." in dry.stderr
    real = scaffold(*HUDDLE)
    after = files(project)
    kept = [
        line
        for line in dry.stderr.splitlines()
        if not line.startswith(("Dry", "        done"))
    ]
    assert kept == [
        line for line in real.stderr.splitlines() if not line.startswith("        done")
    ]
    # The patch that the dry run printed makes the same tree.
    other = project.parent / "other"
    other.mkdir()
    for path, data in before.items():
        (other / path).parent.mkdir(parents=True, exist_ok=True)
        (other / path).write_bytes(data)
    subprocess.run(
        ["git", "apply", "-"],
        input=dry.stdout,
        text=True,
        cwd=other,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(other.parent)},
        check=True,
    )
    assert files(other) == after


def test_a_dry_run_shows_the_patch_of_files_that_are_there(scaffold: Run) -> None:
    shown = scaffold(*HUDDLE, "-n").stdout
    assert "+++ b/runtime/integrations/services.py" in shown
    assert "services/huddle/config.py\n" not in shown


def test_a_dry_run_can_end_with_1(scaffold: Run) -> None:
    scaffold(*HUDDLE, "-n", "--exit-code", code=1)


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
    scaffold(*HUDDLE, cwd=project / "runtime" / "nodes")
    assert (project / "runtime/services/huddle/service.py").is_file()
    told = scaffold("list", "-C", str(project / "docs"), cwd=project.parent).stdout
    assert ".huddle()" in told


def test_outside_a_project_it_says_how_to_make_one(
    scaffold: Run, tmp_path: Path
) -> None:
    told = scaffold("check", cwd=tmp_path, code=2).stderr
    assert "not in a project" in told
    assert "scaffold init" in told


def test_a_spec_from_a_file_or_standard_input_is_kept_as_it_is(
    scaffold: Run, project: Path, tmp_path: Path
) -> None:
    scaffold(*HUDDLE)
    spec = (project / "runtime/services/huddle/handler.toml").read_text()
    mine = "# mine\n" + spec.replace("huddle", "cuddle").replace("Huddle", "Cuddle")
    scaffold("new-handler", "cuddle", "--spec", "-", text=mine)
    assert (project / "runtime/services/cuddle/handler.toml").read_text() == mine
    file = tmp_path / "muddle.toml"
    file.write_text(mine.replace("cuddle", "muddle").replace("Cuddle", "Muddle"))
    scaffold("new-handler", "--spec", str(file))
    assert "nothing to do" in scaffold("new-handler", "--spec", str(file)).stderr
    scaffold("check")


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
        (("check", "nope"), "there is no handler 'nope'"),
        (("nope",), "No such command"),
    ],
)
def test_a_wrong_command_is_refused_with_2(
    scaffold: Run, project: Path, arguments: tuple[str, ...], problem: str
) -> None:
    before = files(project)
    assert problem in scaffold(*arguments, code=2).stderr
    assert files(project) == before


@pytest.mark.parametrize(
    "left",
    [
        "runtime/services/huddle/__pycache__/service.cpython-311.pyc",
        "runtime/services/huddle/service.pyc",
        "runtime/services/huddle/data/notes.txt",
        "runtime/services/huddle.pyc",
        "runtime/services/huddle.md",
        "tests/runtime/services/huddle/__pycache__/x.pyc",
        ".scaffold/handlers/.DS_Store",
        ".scaffold/handlers/huddle/.DS_Store",
    ],
)
def test_what_is_left_over_is_no_service(
    scaffold: Run, project: Path, left: str
) -> None:
    (project / left).parent.mkdir(parents=True, exist_ok=True)
    (project / left).write_bytes(b"old")
    assert "2 handlers examined, nothing to do" in scaffold("check").stderr
    scaffold(*HUDDLE)


@pytest.mark.parametrize(
    "module",
    [
        "huddle.py",
        "Huddle.py",
        "huddle.pyi",
        "huddle.abi3.so",
        "huddle/service.py",
        "huddle/inner/module.py",
    ],
)
def test_a_module_is_never_hidden(scaffold: Run, project: Path, module: str) -> None:
    file = project / "runtime/services" / module
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_text("mine = 1\n")
    before = files(project)
    told = scaffold(*HUDDLE, code=2).stderr
    assert "there is a module of this name already: runtime/services/" in told
    assert files(project) == before


def test_a_file_in_the_way_is_a_conflict(scaffold: Run, project: Path) -> None:
    (project / "examples/huddle").mkdir()
    (project / "examples/huddle/README.md").write_text("mine\n")
    before = files(project)
    told = scaffold(*HUDDLE, code=3).stderr
    assert "examples/huddle/README.md" in told
    assert files(project) == before


def test_a_missing_place_is_told_with_the_snippet(scaffold: Run, project: Path) -> None:
    file = project / "runtime/integrations/services.py"
    file.write_text(file.read_text().replace("SERVICES:", "OTHERS:"))
    before = files(project)
    told = scaffold(*HUDDLE, code=5).stderr
    where = "runtime/integrations/services.py: the dict literal SERVICES"
    assert f"{where}: not found" in told
    assert '"huddle": HuddleService' in told
    assert files(project) == before


def test_a_registration_that_a_person_wrote_is_kept(
    scaffold: Run, project: Path
) -> None:
    file = project / "tests/runtime/test_registration.py"
    text = file.read_text().replace(
        '    "hipchat",\n', '    "hipchat",\n    "huddle",  # mine\n'
    )
    file.write_text(text)
    scaffold(*HUDDLE)
    assert file.read_text() == text


def test_a_name_of_another_handler_in_another_form_is_refused(scaffold: Run) -> None:
    assert "hipchat" in scaffold("new-handler", "hip_chat", code=2).stderr


def test_a_held_tree_is_refused_with_6(scaffold: Run, project: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom scaffold.disk import recovery\n"
        "with recovery.locked(Path(sys.argv[1])):\n"
        "    print('locked', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(project)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert f"pid {other.pid}" in scaffold(*HUDDLE, code=6).stderr
        scaffold("check")
        other.kill()


def test_what_does_not_import_is_found_before_anything_is_written(
    scaffold: Run, project: Path
) -> None:
    file = project / "runtime/integrations/services.py"
    file.write_text(file.read_text() + "\nundefined_name\n")
    before = files(project)
    told = scaffold(*HUDDLE, "--verify", "import", code=4).stderr
    assert "undefined_name" in told
    assert files(project) == before


def test_generated_tests_can_be_run_before_anything_is_written(
    scaffold: Run, project: Path
) -> None:
    file = project / "runtime/outbound/client.py"
    whole = file.read_text()
    file.write_text(whole + "\n\nRequest.__init__ = None\n")
    before = files(project)
    told = scaffold(*HUDDLE, "--verify", "tests", code=4).stderr
    assert "test_huddle_service.py" in told
    assert files(project) == before
    file.write_text(whole)
    scaffold(*HUDDLE, "--verify", "tests")


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


@pytest.mark.parametrize("locale", ["C", "tr_TR.UTF-8"])
def test_the_same_bytes_on_every_machine(
    scaffold: Run, project: Path, tmp_path: Path, locale: str
) -> None:
    other = tmp_path / "other"
    shutil.copytree(project, other)
    scaffold(*HUDDLE)
    environment = {
        "PATH": os.environ["PATH"],
        "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"],
        "LC_ALL": locale,
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Kathmandu",
        "PYTHONIOENCODING": "ascii",
    }
    subprocess.run(
        [sys.executable, "-P", "-m", "scaffold", *HUDDLE],
        cwd=other,
        env=environment,
        check=True,
        capture_output=True,
    )
    assert files(other) == files(project)
