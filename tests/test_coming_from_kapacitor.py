"""The page for users of Kapacitor is correct: its export loads, its spec generates."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parent.parent / "docs/kapacitor.md").read_text()
SCRIPT = "stream|from().measurement('cpu')|alert().crit(lambda: \"idle\" < 10)"
WITH_SOURCE = f'dbrp "telegraf"."autogen"\n{SCRIPT}'
TEMPLATE = (
    "var limit = 10\nstream|from().measurement('cpu')"
    '|alert().crit(lambda: "idle" < limit)'
)
DBRPS = [{"db": "d", "rp": "r"}]


def block(language: str, of: str) -> str:
    """The only block of code that has a text."""
    [found] = [
        each
        for each in re.findall(rf"```{language}\n(.+?)```", PAGE, re.DOTALL)
        if of in each
    ]
    return found


def run(directory: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_a_server_has_is_exported_as_a_load_directory(
    tmp_path: Path, start_kapacitord: Any
) -> None:
    old = start_kapacitord()
    old.json("POST", "/templates", {"id": "t", "type": "stream", "script": TEMPLATE})
    sourced = f'dbrp "telegraf"."autogen"\n{TEMPLATE}'
    old.json("POST", "/templates", {"id": "s", "type": "stream", "script": sourced})
    variables = {"limit": {"type": "int", "value": 20}}
    for task in (
        {"id": "plain", "script": SCRIPT, "dbrps": DBRPS, "status": "enabled"},
        {"id": "sourced", "script": WITH_SOURCE, "status": "enabled"},
        {"id": "made", "template-id": "t", "dbrps": DBRPS, "vars": variables},
        {"id": "made-sourced", "template-id": "s", "status": "enabled"},
    ):
        old.json("POST", "/tasks", {"type": "stream", **task})
    options = {"url": "http://127.0.0.1:1/x"}
    handler = {"id": "h", "kind": "post", "match": "level() == CRITICAL"}
    old.json("POST", "/alerts/topics/sys:cpu/handlers", {**handler, "options": options})

    (tmp_path / "export.py").write_text(block("python", "urllib.request"))
    load = tmp_path / "load"
    assert run(tmp_path, "export.py", old.url, str(load)) == "disabled: made\n"

    new = start_kapacitord(f'[load]\n  enabled = true\n  dir = "{load}"\n')
    assert new.cli("list", "rejected").splitlines()[1:] == []
    tasks = {each["id"]: each for each in new.json("GET", "/tasks")["tasks"]}
    assert {id: each["executing"] for id, each in tasks.items()} == dict.fromkeys(
        ("made", "made-sourced", "plain", "sourced"), True
    )
    assert tasks["made"]["template-id"] == "t"
    assert tasks["made"]["vars"]["limit"]["value"] == 20
    assert tasks["plain"]["dbrps"] == DBRPS
    assert tasks["sourced"]["dbrps"] == [{"db": "telegraf", "rp": "autogen"}]
    kept = new.json("GET", "/alerts/topics/sys:cpu/handlers/h")
    assert {**handler, "options": options} == {
        key: kept[key] for key in ("id", "kind", "match", "options")
    }


def test_the_spec_of_the_page_takes_kapacitors_scripts(
    tmp_path: Path, start_kapacitord: Any
) -> None:
    run(tmp_path, "-m", "scaffold", "init", "alerts")
    project = tmp_path / "alerts"
    (project / "discord.toml").write_text(block("toml", "[handler]"))
    run(project, "-m", "scaffold", "new-handler", "--spec", "discord.toml")
    section = '[[discord]]\n  enabled = true\n  workspace = "w"\n'
    server = start_kapacitord(f'{section}  url = "http://127.0.0.1:1/x"\n', cwd=project)
    properties = ".discord().workspace('w').avatarURL('http://h/p').embedTitle('t')"
    task = {"id": "t", "type": "stream", "dbrps": DBRPS, "script": SCRIPT + properties}
    server.json("POST", "/tasks", {**task, "status": "enabled"})
    assert server.json("GET", "/tasks/t")["executing"]
