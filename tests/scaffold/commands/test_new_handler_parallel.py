"""Many commands at the same time in one tree."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold.disk import recovery
from tests.scaffold.files import files
from tests.scaffold.locking import locked_elsewhere

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ROOT = Path(__file__).parents[3]
COUNT = 20 if os.environ.get("FAULTS") == "long" else 6
# imports once what all of them need
TOGETHER = """
import json, os, sys
from scaffold.cli import main
def run(*arguments):
    try:
        main(arguments)
    except SystemExit as ended:
        return ended.code or 0
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
run("new-handler", "anything", "--field", "channel:str", "-n", "-q")
children = []
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        os._exit(run("new-handler", name, "--field", "channel:str", "--wait", "200"))
    children.append(child)
codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
print(json.dumps(codes))
"""


def together(root: Path, *names: str) -> list[int]:
    """Make handlers at the same time, each in its own process; their exit codes."""
    done = subprocess.run(
        [sys.executable, "-c", TOGETHER, *names],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=250,
        check=True,
    )
    codes: list[int] = json.loads(done.stdout.splitlines()[-1])
    return codes


def test_parallel_runs_end_as_serial_ones(
    run_in: Run, project: Path, tmp_path: Path
) -> None:
    twin = shutil.copytree(project, tmp_path / "twin")
    names = [f"huddle{number}" for number in range(COUNT)]
    assert together(project, *names) == [0] * COUNT
    registered = (project / "runtime/integrations/node_handlers.py").read_text()
    order = re.findall(r'"(huddle\d+)":', registered)  # of the runs, as it happened
    assert sorted(order) == sorted(names)
    for name in order:
        run_in(twin, "new-handler", name, "--field", "channel:str")
    assert files(project) == files(twin)
    assert "nothing to do" in run_in(project, "check").stderr


def test_of_two_with_one_name_one_is_made(
    run_in: Run, project: Path, tmp_path: Path
) -> None:
    twin = shutil.copytree(project, tmp_path / "twin")
    run_in(twin, "new-handler", "huddle", "--field", "channel:str")
    assert 0 in together(project, "huddle", "huddle")
    assert files(project) == files(twin)


def test_a_name_that_clashes_by_the_time_of_the_lock_is_refused(
    run_in: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = recovery.locked

    def late(root: Path, **options: float) -> contextlib.AbstractContextManager[None]:
        monkeypatch.undo()
        run_in(project, "new-handler", "huddle", "--field", "channel:str")
        return locked(root, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(recovery, "locked", late)
    told = run_in(project, "new-handler", "huddle_config", "--field", "a:str", code=2)
    assert "is the name of a part of the handler 'huddle'" in told.stderr
    assert not (project / "runtime/services/huddle_config").exists()


def test_a_run_waits_as_long_as_it_is_told(run_in: Run, project: Path) -> None:
    with locked_elsewhere(project) as pid:
        for wait in ((), ("--wait", "0.1")):
            told = run_in(project, "undo", *wait, code=6)
            assert (
                f"another scaffold command (pid {pid}) is writing here" in told.stderr
            )
