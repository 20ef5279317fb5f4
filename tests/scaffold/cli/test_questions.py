"""Questions about a new handler, asked only in a terminal."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold import cli, testing, verify

NAME = "Name of the handler"
TEST_NOTHING = ("--verify", "none", "--no-color")
Talk = Callable[..., tuple[int, str]]


@pytest.fixture
def talk(project: Path, monkeypatch: pytest.MonkeyPatch) -> Talk:
    """Runs `new-handler` in a terminal where these lines are typed.

    Returns the exit code, and what is seen there.
    """

    def run(answers: str, *arguments: str) -> tuple[int, str]:
        parent, child = os.openpty()
        seen: list[bytes] = []

        def read() -> None:
            with contextlib.suppress(OSError):  # the other end is closed
                while data := os.read(parent, 65536):
                    seen.append(data)

        reader = threading.Thread(target=read)
        reader.start()
        os.write(parent, answers.encode())
        try:
            with (
                contextlib.chdir(project),
                os.fdopen(child, "r+b", buffering=0) as device,
                io.TextIOWrapper(device, "utf-8", write_through=True) as stream,  # type: ignore[type-var] # a raw device
                monkeypatch.context() as patch,
            ):
                for name in ("stdin", "stderr"):
                    patch.setattr(sys, name, stream)
                patch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "utf-8"))
                with pytest.raises(SystemExit) as ended:
                    cli.main(["new-handler", *arguments])
        finally:
            reader.join(10)
            os.close(parent)
        assert isinstance(ended.value.code, int)
        return ended.value.code, b"".join(seen).decode().replace("\r\n", "\n")

    return run


def has(project: Path, kind: str) -> bool:
    return (project / f"runtime/services/{kind}/service.py").is_file()


def spec(project: Path, kind: str) -> str:
    return (project / f"runtime/services/{kind}/handler.toml").read_text()


def test_every_question_has_a_default(talk: Talk, project: Path) -> None:
    code, seen = talk("\n\n\n\n\n", *TEST_NOTHING)
    assert code == 0, seen
    assert f"{NAME} [huddle]: " in seen
    assert "First field (- for none) [channel]: " in seen
    assert "Type of channel [str]: " in seen
    assert "Another field [-]: " in seen
    assert "Write these changes? (y/n) [y]: " in seen
    # the changes are shown before the last question, and not written yet
    preview, after = seen.split("Write these changes?")
    assert "create runtime/services/huddle/service.py" in preview
    assert "Dry run: nothing was written." in preview
    assert "create runtime/services/huddle/service.py" in after
    assert "channel" in spec(project, "huddle")


def test_answers_follow_the_rules_of_the_flags(talk: Talk, project: Path) -> None:
    typed = [
        "class", "hipchat", "foo_", "json_util", "wombat",  # names
        "enabled", "room", "strr", "url",  # a field and its type
        "room", "retries:int=3", "big:int=x", "-", "maybe", "y",
    ]  # fmt: skip
    (project / "runtime/services/json_util.py").write_text("")
    code, seen = talk("\n".join([*typed, ""]), *TEST_NOTHING)
    assert code == 0, seen
    assert seen.count(NAME) == 5
    assert "'class'" in seen
    assert "the handler 'hipchat' already exists" in seen
    assert "a module of this name already exists" in seen
    assert "'enabled'" in seen
    assert "'strr'" in seen
    made = spec(project, "wombat")
    assert "room" in made
    assert 'type = "url"' in made
    assert "retries" in made
    assert "big" not in made


def test_flags_that_are_given_are_not_asked_for(talk: Talk, project: Path) -> None:
    flags = ("--field", "room:str", "--title", "Wombats", *TEST_NOTHING)
    code, seen = talk("wombat\ny\n", *flags)
    assert code == 0, seen
    assert "field (" not in seen
    assert "Wombats" in spec(project, "wombat")
    code, seen = talk("", "quokka", "--field", "room:str", *TEST_NOTHING)
    assert code == 0
    assert NAME not in seen


@pytest.mark.parametrize(
    ("answers", "exit_code"),
    [("\x04", 2), ("huddle\n\x04", 2), ("\n\n\n\n\x04", 2), ("\n\n\n\nn\n", 130)],
)
def test_who_stops_finds_the_tree_as_it_was(
    talk: Talk, project: Path, answers: str, exit_code: int
) -> None:
    code, seen = talk(answers)
    assert code == exit_code, seen
    assert not has(project, "huddle")
    if exit_code == 2:
        assert "end of input; describe the handler with NAME and --field" in seen
    else:
        assert "interrupted: the tree is as before" in seen


def test_ctrl_c_ends_with_130(project: Path) -> None:
    parent, child = os.openpty()

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(child, termios.TIOCSCTTY, 0)

    with subprocess.Popen(
        [sys.executable, "-P", "-m", "scaffold", "new-handler"],
        cwd=project,
        stdin=child,
        stderr=child,
        stdout=subprocess.DEVNULL,
        preexec_fn=own_terminal,
    ) as running:
        os.close(child)
        seen = b""
        while NAME.encode() not in seen:
            seen += os.read(parent, 65536)
        os.write(parent, b"\x03")
        assert running.wait(30) == 130
    os.close(parent)
    assert not has(project, "huddle")


@pytest.mark.parametrize("why", ["ci", "stdin", "stderr", "json"])
def test_nobody_is_asked_who_could_not_answer(
    talk: Talk,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    why: str,
    scaffold: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    flags = "NAME or --spec FILE is required (fields: --field NAME:TYPE)"
    if why == "ci":
        monkeypatch.setenv("CI", "true")
        code, seen = talk("\n\n\n\n\n")
        assert code == 2
        assert flags in seen
    elif why == "json":
        code, seen = talk("\n\n\n\n\n", "--json")
        assert code == 2
        assert NAME not in seen
    else:
        told = scaffold("new-handler", code=2).stderr
        assert flags in told
        assert "fix:   scaffold new-handler huddle --field channel:str" in told
    assert not has(project, "huddle")


def test_generated_tests_run_where_a_person_waits(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(verify, "imports", lambda *arguments: None)
    monkeypatch.setattr(verify, "tests_pass", lambda *arguments: ran.append("tests"))
    assert talk("", "huddle", "--field", "channel:str")[0] == 0
    assert ran == ["tests"]
    assert talk("", "quokka", "--field", "channel:str", *TEST_NOTHING)[0] == 0
    monkeypatch.setenv("CI", "1")
    assert talk("", "wombat", "--field", "channel:str")[0] == 0
    assert ran == ["tests"]
    # without pytest, nothing is promised
    monkeypatch.setitem(sys.modules, "syrupy", None)
    assert testing.level(is_watched=True) == "none"


EXAMPLE = (
    "curl https://chat.example.io/x -d text=Hi -d 'note=by the bot' -d priority=high"
)


def test_guesses_of_a_curl_example_are_asked_about(talk: Talk, project: Path) -> None:
    arguments = ("wombat", "--from-curl", EXAMPLE, *TEST_NOTHING)
    code, seen = talk("what\no\n\n", *arguments)
    assert code == 0, seen
    reason = "the example does not show whether this text varies"
    assert f"form.note = 'by the bot': {reason}" in seen
    assert "form.priority = 'high'" in seen
    assert "[m]essage, [o]ption, [s]ecret, [c]onstant [c]: " in seen
    assert "[m]essage, [o]ption, [s]ecret, [c]onstant, [k]eep as level [k]: " in seen
    made = spec(project, "wombat")
    assert 'note = "${opt.note}"' in made
    assert 'priority = "${level.priority}"' in made


def test_the_test_of_a_curl_example_keeps_empty_values(
    talk: Talk, project: Path
) -> None:
    example = "curl https://chat.example.io/x -d text=Hi -d flag="
    code, seen = talk("", "wombat", "--from-curl", example, *TEST_NOTHING)
    assert code == 0, seen
    path = project / "tests/runtime/services/wombat/test_wombat_service.py"
    assert "parse_qsl(request.text, keep_blank_values=True)" in path.read_text()


def test_the_end_of_input_leaves_a_curl_example_unused(
    talk: Talk, project: Path
) -> None:
    code, seen = talk("\x04", "wombat", "--from-curl", EXAMPLE)
    assert code == 2
    assert "fix:   scaffold infer huddle --from-curl @example.txt" in seen
    assert not has(project, "wombat")
