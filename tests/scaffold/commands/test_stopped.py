"""Every command that writes, stopped at any moment, leaves all of its changes or none.

`FAULTS=long` stops at every call that writes; the short form at some of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).parents[3]
FOLDER = "runtime/services/huddle"
SERVICE = f"{FOLDER}/service.py"
LONG = os.environ.get("FAULTS") == "long"
LIMIT_S = 3600 if LONG else 270
NEW = ("new-handler", "huddle", "--field", "channel:str")


def edited_spec(root: Path) -> None:
    spec = root / FOLDER / "handler.toml"
    spec.write_text(spec.read_text().replace("test huddle message", "another message"))


def edited_code(root: Path) -> None:
    service = root / SERVICE
    service.write_text(f"{service.read_text()}# mine\n")
    (root / FOLDER / "config.py").chmod(0o640)


def lost_record(root: Path) -> None:
    shutil.rmtree(root / ".scaffold/handlers/huddle")


def nothing(root: Path) -> None:
    assert root.is_dir()


COMMANDS = {
    "new-handler": ((), nothing, NEW),
    "regenerate": ((NEW,), edited_spec, ("regenerate", "huddle")),
    "remove-handler": ((NEW,), edited_code, ("remove-handler", "huddle")),
    "undo": ((NEW, ("remove-handler", "huddle")), nothing, ("undo",)),
    "eject": ((NEW,), nothing, ("eject", SERVICE)),
    "adopt": ((NEW,), lost_record, ("adopt",)),
}


@pytest.mark.timeout(LIMIT_S + 20)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_stopped_command_leaves_all_or_nothing(
    name: str, project: Path, run_in: Run, tmp_path: Path
) -> None:
    earlier, then, arguments = COMMANDS[name]
    for command in earlier:
        run_in(project, *command)
    then(project)
    folder = tmp_path / "copies"
    folder.mkdir()
    step = "1" if LONG else "37"
    program = [sys.executable, "-m", "tests.scaffold.commands.stopper"]
    done = subprocess.run(
        [*program, str(project), str(folder), step, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["wrong"] == []
    assert told["total"] > 10
