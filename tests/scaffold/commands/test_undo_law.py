"""Undoing is the inverse of any command, and of itself: on real files, in any sequence."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scaffold.files import files

Run = Callable[..., "subprocess.CompletedProcess[str]"]
KINDS = ("huddle", "cuddle")
COMMANDS = (
    *("new-handler", "regenerate", "remove-handler", "discard", "eject", "revoke"),
    *("adopt", "rename-handler", "add-field", "remove-field"),
)


def arguments(command: str, kind: str, root: Path) -> tuple[str, ...]:
    """A command line; some of them are refused, depending on what is there."""
    service = f"runtime/services/{kind}/service.py"
    record = root / f".scaffold/handlers/{kind}/generated"
    match command:
        case "new-handler":
            return command, kind, "--field", "room:str"
        case "discard":
            return "remove-handler", kind, "--discard-edits"
        case "eject":
            return "eject", service
        case "revoke":
            return "eject", "--revoke", service
        case "adopt":
            record.unlink(missing_ok=True)
            return command, kind
        case "rename-handler":
            return command, kind, "muddle"
        case "add-field":
            return command, kind, "colour:str"
        case "remove-field":
            return command, kind, "colour"
    return command, kind


def edit(root: Path, path: str, mark: str) -> None:
    """Add a line to a file, if it is there."""
    file = root / path
    if file.is_file():
        file.write_text(f"{file.read_text()}# {mark}\n")


@settings(max_examples=6, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(("edit", *COMMANDS)), st.sampled_from(KINDS)),
        min_size=1,
        max_size=5,
    )
)
def test_every_command_can_be_undone_and_repeated(
    made_project: Path, run_in: Run, steps: list[tuple[str, str]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(shutil.copytree(made_project, Path(folder, "project")))
        run_in(root, "new-handler", "huddle", "--field", "channel:str")
        for number, (command, kind) in enumerate(steps):
            if command == "edit":
                for path in ("service.py", "handler.toml", f"{kind}test.py"):
                    edit(root, f"runtime/services/{kind}/{path}", f"mine {number}")
                continue
            line = arguments(command, kind, root)
            before = files(root)
            done = run_in(root, *line, code=None)
            assert done.returncode in (0, 2, 3, 5), done.stderr
            after = files(root)
            if after == before or done.returncode:
                continue
            run_in(root, "undo")
            assert files(root) == before, line
            run_in(root, "undo")
            assert files(root) == after, line
