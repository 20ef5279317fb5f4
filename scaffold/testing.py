"""The commands that run the tests of a project."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

INSTALL = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]'"
_NEEDED = ("pytest", "syrupy")


def commands(folder: Path, tests: str = "") -> list[str]:
    """The command that runs `tests` in `folder`, and the one that it needs before.

    A project that was made by an installed `scaffold` needs an environment of its own:
    the packages for tests are missing in scaffold's, and so is the project's runtime.
    """
    arguments = f"-m pytest {tests}".rstrip()
    if all(find_spec(name) for name in _NEEDED):
        return [f"python {arguments}"]
    run = f".venv/bin/python {arguments}"
    return [run] if (folder / ".venv/bin/python").exists() else [INSTALL, run]
