"""The commands that `stopper` stops, each with its preparation."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.scaffold.files import SERVICE, SPEC, edit

Command = Callable[[Path, tuple[str, ...]], int]
NEW = ("new-handler", "huddle", "--field", "channel:str")
CONFIG = "runtime/services/huddle/config.py"
PLAN = "plan.json"


Step = tuple[str, ...] | Callable[[Path], None]


class Case(NamedTuple):
    """A command that is stopped.

    Attributes:
        arguments: its command line.
        earlier: command lines that come before it, and what a person does there.
        code: its exit code.
    """

    arguments: tuple[str, ...]
    earlier: tuple[Step, ...] = ()
    code: int = 0

    def prepare(self, project: Path, root: Path, run: Command) -> None:
        """Make the folder that the command is run in."""
        if self.arguments[0] == "init":
            root.mkdir()
            return
        shutil.copytree(project, root)
        for step in self.earlier:
            if callable(step):
                step(root)
            else:
                code = run(root, step)
                assert code in (0, 3), (step, code)


def edited_spec(root: Path) -> None:
    """Another spec, and code that is not as it was generated."""
    edit(root, SPEC, "test huddle message", "another message")
    edited_code(root)


def edited_code(root: Path) -> None:
    """Code with a line of one's own, and a file with permissions of its own."""
    service = root / SERVICE
    service.write_text(f"{service.read_text()}# mine\n")
    (root / CONFIG).chmod(0o640)


def contradicting(root: Path) -> None:
    """An edit and a change of the spec at one place."""
    edit(root, SERVICE, '"test huddle message"', '"mine"')
    edit(root, SPEC, "test huddle message", "another message")


def lost_record(root: Path) -> None:
    """No record."""
    shutil.rmtree(root / ".scaffold/handlers/huddle")


REGENERATE = ("regenerate", "huddle")
TORN: tuple[Step, ...] = (NEW, contradicting, REGENERATE)
ROOM = (*NEW, "--field", "room:str")
CASES = {
    "init": Case(("init", ".")),
    "new-handler": Case(NEW),
    "regenerate": Case(REGENERATE, (NEW, edited_spec)),
    "regenerate in conflict": Case(REGENERATE, TORN[:2], 3),
    "resolve": Case(("resolve", SERVICE, "--take", "generated"), TORN),
    "accept": Case(("accept", SERVICE), TORN),
    "add-field": Case(("add-field", "huddle", "room:str"), (NEW, edited_code)),
    "rename-field": Case(
        ("rename-field", "huddle", "channel", "room"), (NEW, edited_code)
    ),
    "remove-field": Case(("remove-field", "huddle", "room"), (ROOM, edited_code)),
    "remove-handler": Case(("remove-handler", "huddle"), (NEW, edited_code)),
    "rename-handler": Case(("rename-handler", "huddle", "parley"), (NEW, edited_code)),
    "undo": Case(("undo",), (NEW, ("remove-handler", "huddle"))),
    "adopt": Case(("adopt",), (NEW, lost_record)),
    "eject": Case(("eject", SERVICE), (NEW,)),
    "override": Case(("override", "create/docs/handlers/KIND.md.j2")),
    "apply": Case(("apply", PLAN), ((*NEW, "--plan", PLAN),)),
}
