"""docs/life.md is correct: its commands run, in its order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parent.parent / "docs/life.md").read_text()
# the package under test is installed, and there is no newer one
UPGRADE = "pip install -U scaffold-alerts"


def test_every_command_of_the_page_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```\n(.+?)^```", PAGE, re.DOTALL | re.MULTILINE)
    script = "".join(blocks)
    assert len(blocks) > 8
    assert UPGRADE in script
    programs = Path(sys.executable).parent
    identity = {
        f"GIT_{who}_{what}": "a@example.com"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    path = f"{programs}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euxo", "pipefail", "-c", script.replace(UPGRADE, "true")],
        cwd=tmp_path,
        env={**os.environ, **identity, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    project = tmp_path / "alerts"
    service = (project / "alerts/services/huddle/service.py").read_text()
    assert "surprising response" in service
    assert "priority" in service
    kinds = {path.name for path in (project / "alerts/services").iterdir()}
    assert {"huddle", "pager"} <= kinds
    assert not {"desk", "ticket"} & kinds
