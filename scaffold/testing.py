"""The commands that install a project and run its tests."""

from __future__ import annotations

import shlex
from importlib.util import find_spec
from pathlib import Path

DISTRIBUTION = "scaffold-alerts"
"""The name under which pip installs the generator and the runtime."""

_NEEDED = ("pytest", "syrupy")


def install() -> str:
    """The command that makes an environment for a project, and installs it there.

    Where this distribution did not come from an index, pip would not find it there
    either: the command names the checkout, wheel or repository it was installed from.
    """
    origin = source()
    named = f"{shlex.quote(origin)} " if origin else ""
    return f"python3 -m venv .venv && .venv/bin/pip install -q {named}-e '.[dev]'"


def source() -> str:
    """The origin of this distribution, for pip; "": an index.

    Recorded by pip as `direct_url.json` (PEP 610).
    """
    # needed for a new project only, and slow to import
    import json
    from importlib import metadata
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        text = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return ""
    if not text:
        return ""
    origin = json.loads(text)
    url = urlsplit(origin["url"])
    if url.scheme == "file":
        return url2pathname(url.path)
    if "vcs_info" in origin:
        vcs = origin["vcs_info"]
        return f"{DISTRIBUTION} @ {vcs['vcs']}+{origin['url']}@{vcs['commit_id']}"
    return f"{DISTRIBUTION} @ {origin['url']}"


def level(*, is_watched: bool) -> str:
    """The default of `--verify`: `tests` in a terminal."""
    return "tests" if is_watched and can_run() else "none"


def can_run() -> bool:
    """True if generated tests can run in this environment."""
    return all(find_spec(name) for name in _NEEDED)


def commands(folder: Path, tests: str = "") -> list[str]:
    """The command that runs `tests` in `folder`, and the one that it needs before.

    Where the packages for tests are missing beside `scaffold`, the project needs an
    environment of its own.
    """
    arguments = f"-m pytest {tests}".rstrip()
    if can_run():
        return [f"python {arguments}"]
    run = f".venv/bin/python {arguments}"
    return [run] if (folder / ".venv/bin/python").exists() else [install(), run]
