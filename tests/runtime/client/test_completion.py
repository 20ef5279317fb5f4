"""Completion of `kapacitor` in shells."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.client import __main__ as main
from runtime.client.candidates import SYNTAX
from runtime.client.completion import SCRIPTS

TASK = {
    "type": "stream",
    "dbrps": [{"db": "d", "rp": "r"}],
    "script": "stream|from().measurement('cpu')|alert().crit(lambda: TRUE).topic('t')",
}
HANDLER = {"kind": "log", "options": {"path": "/tmp/x"}}


@pytest.fixture(scope="module")
def server(start_shared_kapacitord: Any) -> Any:
    """A server with two tasks, a topic with a handler, and a topic with a colon."""
    server = start_shared_kapacitord()
    for id in ("cpu_alert", "cpu_deadman", "disk"):
        server.json("POST", "/tasks", {**TASK, "id": id})
    server.json("POST", "/templates", {**TASK, "id": "generic"})
    server.json("POST", "/alerts/topics/cpu/handlers", {**HANDLER, "id": "chat"})
    script = "stream|from().measurement('cpu')|alert().crit(lambda: TRUE).log('/tmp/x')"
    anonymous = {**TASK, "id": "own", "script": script, "status": "enabled"}
    server.json("POST", "/tasks", anonymous)
    return server


@pytest.fixture
def offered(server: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the completions of the last of some words."""
    # a machine that is busy with other things may take long
    monkeypatch.setattr("runtime.client.completion._TIMEOUT_S", 30.0)

    def ask(*words: str) -> list[str]:
        assert main.run(["__complete", "-url", server.url, *words]) == 0
        kind, *found = capsys.readouterr().out.splitlines()
        assert kind in ("words", "files")
        return found if kind == "words" else [kind]

    return ask


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["en"], ["enable"]),
        (["define-t"], ["define-template", "define-topic-handler"]),
        (["-s"], ["-skipVerify"]),
        (["-url", ""], []),
        (["-skipVerify", "en"], ["enable"]),
        (["help", "show-t"], ["show-template", "show-topic", "show-topic-handler"]),
        (["nope", ""], []),
        (["enable", "cpu"], ["cpu_alert", "cpu_deadman"]),
        (["enable", "disk", "cpu_a"], ["cpu_alert"]),
        (["enable", "x"], []),
        (["define", "di"], ["disk"]),
        (["define", "disk", "-t"], ["-template", "-tick", "-type"]),
        (["define", "disk", "-type", ""], ["stream", "batch"]),
        (["define", "disk", "-type=b"], ["-type=batch"]),
        (["define", "disk", "--type=b"], ["--type=batch"]),
        (["define", "disk", "-tick", ""], ["files"]),
        (["define", "disk", "-no-reload", "-template", ""], ["generic"]),
        (["define-topic-handler", ""], ["files"]),
        (["list", "ta"], ["tasks"]),
        (["list", "tasks", "d"], ["disk"]),
        (["list", "deliveries", "-state", "d"], ["dead"]),
        (["list", "service-tests", "hip"], ["hipchat"]),
        (["list", "rejected", ""], []),
        (["delete", "topic-handlers", "cp"], ["cpu"]),
        (["delete", "topic-handlers", "cpu", ""], ["chat"]),
        (["show-topic-handler", "cpu", "c"], ["chat"]),
        (["show-topic-handler", "nope", ""], []),
        (["resend", "-topic", "cpu", "-handler", ""], ["chat"]),
        (["show-topic", "main:o"], ["main:own:alert2"]),
        (["show", "[a-z]"], []),
        (["show", "c p"], []),
        (["level", "e"], ["error"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
    ],
    ids=" ".join,
)
def test_what_is_offered(offered: Any, words: list[str], found: list[str]) -> None:
    assert offered(*words) == found


def test_words_that_a_shell_would_obey_are_not_offered(
    server: Any, offered: Any
) -> None:
    for topic in ("plain-1", "a;reboot", "$(reboot)", "a b", "a\nb", "`id`", "x'y"):
        script = f"stream|from()|alert().crit(lambda: TRUE).topic('''{topic}''')"
        server.json("POST", "/tasks", {**TASK, "id": "hostile", "script": script})
        server.json("PATCH", "/tasks/hostile", {"status": "enabled"})
        server.write("cpu v=1 1", "db=d&rp=r")
        server.json("DELETE", "/tasks/hostile")
    assert "plain-1" in offered("show-topic", "")
    assert all(re.fullmatch(r"[\w:.-]+", each) for each in offered("show-topic", ""))


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nonsense", "http://"])
def test_without_a_server_nothing_is_offered(url: str, capsys: Any) -> None:
    assert main.run(["__complete", "-url", url, "enable", ""]) == 0
    assert capsys.readouterr() == ("words\n", "")


def test_every_command_and_flag_can_be_completed() -> None:
    assert set(SYNTAX) == set(main.MODULES)
    for command, module in main.MODULES.items():
        usage = importlib.import_module(f"runtime.client.{module}").USAGE[command]
        documented = set(re.findall(r"(?<![\w`])-([a-z]+(?:-[a-z]+)*)", usage))
        documented -= {"url"} if command == "completion" else set()
        assert set(SYNTAX[command].flags) == documented, command


@pytest.fixture
def environment(server: Any, tmp_path: Path) -> dict[str, str]:
    """Of a shell that finds `kapacitor` and the server."""
    program = tmp_path / "kapacitor"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runtime.client "$@"\n')
    program.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    python = f"{Path(__file__).parents[3]}"
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    return {**os.environ, **home, "PATH": path, "PYTHONPATH": python,
            "KAPACITOR_URL": server.url}  # fmt: skip


def shell(name: str, environment: dict[str, str], *arguments: str) -> list[str]:
    if shutil.which(name) is None:
        pytest.skip(f"there is no {name}")
    done = subprocess.run(
        [name, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


BASH = """
source <(kapacitor completion bash)
complete -p kapacitor
compopt() { echo "compopt $*"; }
COMP_LINE=$1 COMP_POINT=${#1}
_kapacitor kapacitor
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("kapacitor enable cpu", ["cpu_alert", "cpu_deadman"]),
        ("kapacitor ena", ["enable"]),
        ("kapacitor completion ", ["bash", "zsh", "fish"]),
        ("kapacitor show-topic main:own:a", ["alert2"]),
        ("kapacitor define disk -type=", ["stream", "batch"]),
        ("kapacitor define disk -tick ", ["compopt -o default", ""]),
    ],
)
def test_bash_completes(
    environment: dict[str, str], line: str, found: list[str]
) -> None:
    arguments = ("--norc", "-c", BASH, "bash", line)
    _, *printed = shell("bash", environment, *arguments)
    assert printed == found


def test_bash_3_completes_files(environment: dict[str, str], tmp_path: Path) -> None:
    """It has no `compopt`."""
    (tmp_path / "cpu.tick").touch()
    old = BASH.replace('echo "compopt $*"', "return 127")
    line = f"kapacitor define disk -tick {tmp_path}/cpu"
    _, *printed = shell("bash", environment, "--norc", "-c", old, "bash", line)
    assert printed == [f"{tmp_path}/cpu.tick"]


def test_fish_completes(environment: dict[str, str]) -> None:
    script = "kapacitor completion fish | source; complete -C "
    for line, found in (
        ("kapacitor enable cpu_", ["cpu_alert", "cpu_deadman"]),
        ("kapacitor show-topic main:", ["main:own:alert2"]),
        ("kapacitor define disk -type=", ["-type=stream", "-type=batch"]),
    ):
        printed = shell("fish", environment, "-c", f"{script}'{line}'")
        assert sorted(printed) == sorted(found)


ZSH = """
autoload -Uz compinit && compinit -u -d {home}/dump
source <(kapacitor completion zsh)
compadd() {{ shift; print -l -- "$@" }}
_files() {{ print files }}
words=({line} "{last}") CURRENT={current}
_kapacitor
"""


@pytest.mark.parametrize(
    ("words", "last", "found"),
    [
        ("kapacitor enable", "cpu_", ["cpu_alert", "cpu_deadman"]),
        ("kapacitor completion", "", ["bash", "zsh", "fish"]),
        ("kapacitor define x -tick", "", ["files"]),
    ],
)
def test_zsh_completes(
    environment: dict[str, str], words: str, last: str, found: list[str]
) -> None:
    script = ZSH.format(
        home=environment["HOME"],
        line=words,
        last=last,
        current=len(words.split()) + 1,
    )
    assert shell("zsh", environment, "-f", "-c", script) == found


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_printed(name: str, capsys: Any) -> None:
    assert main.run(["completion", name]) == 0
    assert capsys.readouterr().out == SCRIPTS[name]


@pytest.mark.parametrize("arguments", [[], ["tcsh"], ["bash", "zsh"]])
def test_other_shells_are_refused(arguments: list[str], capsys: Any) -> None:
    assert main.run(["completion", *arguments]) == 2
    assert "Must pass a shell: bash, zsh, fish" in capsys.readouterr().err
