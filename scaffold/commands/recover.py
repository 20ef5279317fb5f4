"""`scaffold recover`: an interrupted command, completed or undone."""

from __future__ import annotations

from scaffold.disk import recovery
from scaffold.project import Project
from scaffold.report import Report


def set_aside(project: Project) -> Report:
    """Move the transactions of other users and machines away."""
    moved = recovery.set_aside(project.root)
    return Report(
        "recover",
        summary="set aside" if moved else "nothing to set aside",
        notes=[f"{path}: was not written by you on this machine" for path in moved],
        next=["scaffold check"] if moved else [],
    )


def recover(project: Project, choice: recovery.Choice) -> Report:
    """Finish an interrupted command."""
    was_interrupted = recovery.recover(project.root, choice)
    done = {"": "recovered", "continue": "completed", "abort": "undone"}[choice]
    return Report(
        "recover",
        summary=(
            f"interrupted command {done}" if was_interrupted else "nothing to recover"
        ),
        next=["scaffold check"] if was_interrupted else [],
    )
