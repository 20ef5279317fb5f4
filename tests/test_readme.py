"""The README is true: its commands run, its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def command(name: str) -> str:
    found = re.search(rf"<!-- command: {name} -->\n```sh\n(.+)\n```", README)
    assert found, f"the README has no command {name!r}"
    return found[1]


def test_the_main_job_shows_the_messages_that_arrive(tmp_path: Path) -> None:
    """The command's last part, with this interpreter in the place of the new one."""
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
        ".venv/bin/python -m pytest -q"
    )


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *map(str, ROOT.glob("docs/**/*.md"))]
)
def test_links_lead_to_files(page: str) -> None:
    path = ROOT / page
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())
    missing = [each for each in targets if not (path.parent / each).exists()]
    assert missing == []
