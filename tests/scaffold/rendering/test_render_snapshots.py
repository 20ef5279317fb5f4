"""Snapshots of generated files as text, and of all registrations as a patch."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from runtime.testing.snapshots import TextSnapshot
from scaffold import places
from scaffold.flags import Flags
from scaffold.rendering.render import render
from scaffold.spec.parse import from_flags, parse

Run = Callable[..., "subprocess.CompletedProcess[str]"]
SPECS = Path(__file__).parents[1] / "specs"
FLAGS = ("--field", "channel:str")
HANDLERS = {
    "flags": from_flags(Flags("huddle", fields=FLAGS[1:])),
    "everything": parse((SPECS / "everything.toml").read_text()),
    "telegraph": parse((SPECS / "apis/telegraph.toml").read_text()),
}
COMMANDS = {
    "flags": ("huddle", *FLAGS),
    "everything": ("--spec", str(SPECS / "everything.toml")),
    "telegraph": ("--spec", str(SPECS / "apis/telegraph.toml")),
}


class PatchSnapshot(TextSnapshot):
    """A patch, which editors and code review show in colours."""

    file_extension = "diff"


def files() -> Iterator[object]:
    for name, spec in HANDLERS.items():
        for file in places.files(spec.names, "runtime"):
            path = str(file.path).replace("/", ".")
            yield pytest.param(name, file, id=f"{name}-{path}")


@pytest.mark.parametrize(("name", "file"), list(files()))
def test_file(name: str, file: places.File, snapshot: SnapshotAssertion) -> None:
    text = render(file.template, HANDLERS[name], "runtime")
    assert text == snapshot(extension_class=TextSnapshot)


@pytest.fixture(scope="module")
def of_a_user(tmp_path_factory: pytest.TempPathFactory, run_in: Run) -> Path:
    """A project as `init` makes it; nothing here writes to it."""
    folder = tmp_path_factory.mktemp("user")
    run_in(folder, "init", "project", "--package", "alerts")
    return folder / "project"


@pytest.mark.parametrize("name", HANDLERS)
def test_edits(
    name: str, of_a_user: Path, run_in: Run, snapshot: SnapshotAssertion
) -> None:
    done = run_in(of_a_user, "new-handler", *COMMANDS[name], "--dry-run")
    assert done.stdout == snapshot(extension_class=PatchSnapshot)
