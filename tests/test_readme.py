"""The README is correct: its commands run, its links have targets."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def command(name: str) -> str:
    found = re.search(rf"<!-- command: {name} -->\n```sh\n(.+)\n```", README)
    assert found, f"the README has no command {name!r}"
    return found[1]


def test_the_main_job_shows_the_messages_that_arrive(tmp_path: Path) -> None:
    """Return the command's last part, with this interpreter instead of the new one."""
    *set_up, job = command("main").split(" && ")
    assert set_up == ["python3 -m venv .venv", ".venv/bin/pip install -q ."]
    program, *arguments = job.split()
    assert program == ".venv/bin/python"
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"message":"web1 is CRITICAL: 3% idle"' in done.stdout
    assert '"message":"web1 is OK: 60% idle"' in done.stdout


def test_the_test_command_is_the_one_that_runs_here() -> None:
    assert command("tests") == (
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && "
        ".venv/bin/python -m pytest -q -n auto --dist loadfile"
    )


def test_a_first_integration_in_five_minutes(
    tmp_path: Path, start_kapacitord: Any
) -> None:
    section = README.partition("## A first integration")[2].partition("\n## ")[0]
    *generating, serving = re.findall(r"```sh\n(.+)\n```", section)
    [configuration] = re.findall(r"```toml\n(.+?)```", section, re.DOTALL)
    [script] = re.findall(r"```\n(stream.+?)```", section, re.DOTALL)
    programs = Path(sys.executable).parent

    def run(directory: Path, *commands: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],
            cwd=directory,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert " passed" in run(tmp_path, *generating)
    project = tmp_path / "alerts"
    (project / "kapacitor.conf").write_text(configuration)
    assert serving == "kapacitord -config kapacitor.conf"
    shown = run(project, serving.replace(" -config", " config -config"))
    assert 'channel = "general"' in shown
    rest = ["regenerate huddle", "check", "list", "places", "diff", "schema"]
    run(project, *(f"scaffold {each}" for each in rest))

    huddle = configuration[configuration.index("[huddle]") :]
    server = start_kapacitord(huddle, cwd=project)
    (project / "cpu.tick").write_text(script)
    [using] = re.findall(r"```\n(kapacitor define.+?)```", section, re.DOTALL)
    define, enable, write, deliveries = map(shlex.split, using.splitlines())
    server.cli(*define[1:])
    server.cli(*enable[1:])
    assert "cpu stream    enabled   true" in server.cli("list", "tasks")
    [curl, url, data, points] = write
    assert (curl, data) == ("curl", "-d")
    server.write(points, url.partition("?")[2])
    assert "huddle" in server.cli(*deliveries[1:])


def slugs(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in titles}


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *map(str, ROOT.glob("docs/**/*.md"))]
)
def test_links_lead_to_files_and_headings(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", path.read_text())
    targets = [(path.parent / name if name else path, to) for name, to in links]
    assert [each for each, _ in targets if not each.exists()] == []
    assert [(each, to) for each, to in targets if to and to not in slugs(each)] == []
