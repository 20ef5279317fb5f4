"""Output that cannot be written: full disks, closed streams, absent readers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold.escaping import escaped, escaped_lines

HUDDLE = ("new-handler", "huddle", "--field", "channel:str")
Shell = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def shell(project: Path) -> Shell:
    """Runs a command line of the shell in the project; `scaffold` is ours."""

    def run(line: str, cwd: Path = project) -> subprocess.CompletedProcess[str]:
        line = line.replace("scaffold", f"{sys.executable} -P -m scaffold", 1)
        return subprocess.run(
            ["bash", "-c", line],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def has_huddle(project: Path) -> bool:
    return (project / "runtime/services/huddle/service.py").is_file()


def test_status_lines_that_nobody_can_read_change_nothing(
    shell: Shell, project: Path
) -> None:
    done = shell(f"scaffold {' '.join(HUDDLE)} 2>/dev/full")
    assert (done.returncode, done.stderr) == (0, "")
    assert has_huddle(project)
    assert shell("scaffold check 2>/dev/full").returncode == 0
    (project / "runtime/services/huddle/config.py").unlink()
    assert shell("scaffold check 2>/dev/full").returncode == 1
    assert shell("scaffold check 2>&-").returncode == 1
    assert shell("scaffold check nope 2>/dev/full").returncode == 2


@pytest.mark.parametrize(
    ("line", "exit_code"),
    [
        ("scaffold -h >/dev/full", 7),
        ("scaffold check -h >/dev/full", 7),
        ("scaffold --version >/dev/full", 7),
        ("scaffold nosuch --json >/dev/full", 7),
        ("scaffold list --json -C /nosuch >/dev/full", 7),
        ("scaffold nosuch 2>/dev/full", 2),
        ("scaffold regenerate 2>/dev/full", 2),
        ("scaffold nosuch 2>&-", 2),
    ],
)
def test_help_and_misuse_that_nobody_can_read(
    shell: Shell, line: str, exit_code: int
) -> None:
    done = shell(line)
    assert (done.returncode, done.stdout) == (exit_code, "")
    assert "Traceback" not in done.stderr
    assert ("standard output: No space left" in done.stderr) == (exit_code == 7)


def test_data_that_cannot_be_written_is_told_with_what_became_of_the_tree(
    shell: Shell, project: Path
) -> None:
    for end in (">/dev/full", ">&-"):
        done = shell(f"scaffold list {end}")
        assert done.returncode == 7
        assert "the tree is as before" in done.stderr
    done = shell(f"scaffold {' '.join(HUDDLE)} -n --diff >/dev/full")
    assert done.returncode == 7
    assert "the tree is as before" in done.stderr
    assert not has_huddle(project)
    done = shell(f"scaffold {' '.join(HUDDLE)} --json >/dev/full")
    assert done.returncode == 7
    assert "the changes were made" in done.stderr
    assert has_huddle(project)
    assert "Traceback" not in done.stderr


def test_a_reader_that_went_away_changes_no_exit_code(
    shell: Shell, scaffold: Shell, project: Path
) -> None:
    scaffold(*HUDDLE)
    file = project / "runtime/services/huddle/service.py"
    file.write_text("# mine\n" * 50_000)
    line = "scaffold diff | head -c 1 >/dev/null; echo ${PIPESTATUS[0]}"
    done = shell(line)
    assert done.stdout == "1\n"
    assert "Traceback" not in done.stderr


def test_a_reader_of_everything_that_went_away_changes_no_exit_code(
    shell: Shell, project: Path
) -> None:
    for command, exit_code in (
        ("list -h", 0),
        ("--version", 0),
        ("nosuch --json", 2),
        ("check nope --json", 2),
        (" ".join(HUDDLE), 0),
        (f"{' '.join(HUDDLE)} -n --json --exit-code", 0),
        ("check nope", 2),
        ("new-handler class", 2),
    ):
        line = f"scaffold {command} 2>&1 | true; echo ${{PIPESTATUS[0]}}"
        done = shell(line)
        assert done.stdout == f"{exit_code}\n", command
        assert done.stderr == ""
    assert has_huddle(project)


def test_a_folder_that_was_deleted_is_told(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    commands = ("init x", "list", "check", "new-handler a -n", "regenerate --all")
    for command in commands:
        folder.mkdir(exist_ok=True)
        line = f"rmdir {folder}; scaffold {command}"
        done = shell(line, folder)
        assert done.returncode == 2
        assert "the current folder no longer exists" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "-C", "x" * 300),
        ("init", "x" * 300),
        ("new-handler", "--spec", "x" * 300),
    ],
)
def test_names_that_no_file_can_have_are_refused(
    scaffold: Shell, arguments: tuple[str, ...]
) -> None:
    assert "File name too long" in scaffold(*arguments, code=2).stderr


def test_a_folder_may_be_said_before_the_command(
    scaffold: Shell, project: Path
) -> None:
    told = scaffold("-C", str(project), "check", cwd=project.parent).stderr
    assert "2 handlers examined" in told


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert escaped("plain é \u4e2d") == "plain é \u4e2d"
    assert escaped("a\x1b[31m\nb\r\x07\x9b") == r"a\x1b[31m\nb\r\x07\x9b"
    assert escaped("\u202eabc\u2066\u200f\u2028") == r"\u202eabc\u2066\u200f\u2028"
    assert escaped("\udcff") == r"\udcff"
    assert escaped_lines("a\n\tb\x1b") == "a\n\tb\\x1b"


def test_a_terminal_gets_no_escapes_of_a_patch(
    shell: Shell, scaffold: Shell, project: Path
) -> None:
    scaffold(*HUDDLE)
    file = project / "runtime/services/huddle/service.py"
    file.write_text("# \x1b[31mmine\n" + file.read_text())
    assert "+# \x1b[31mmine" in shell("scaffold diff").stdout
    parent, child = os.openpty()
    line = [sys.executable, "-P", "-m", "scaffold", "diff", "--no-color"]
    with subprocess.Popen(
        line, cwd=project, stdout=child, stderr=subprocess.DEVNULL
    ) as running:
        os.close(child)
        said = b""
        try:
            while data := os.read(parent, 65536):
                said += data
        except OSError:  # the other end is closed
            pass
        assert running.wait(60) == 1
    os.close(parent)
    assert b"+# \\x1b[31mmine" in said
    assert b"\x1b" not in said
