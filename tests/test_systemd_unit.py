"""The unit lets the service write to all paths that the documents name."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path, PurePosixPath

import pytest

from runtime.server.flags import RUN_FLAGS, flags

ROOT = Path(__file__).parent.parent
# Parents of the folders that systemd creates for a directive.
PARENTS = {
    "StateDirectory": "/var/lib",
    "LogsDirectory": "/var/log",
    "RuntimeDirectory": "/run",
}
# Kapacitor's own file, and the file of its package, have these.
KAPACITORS = (
    "/var/lib/kapacitor/kapacitor.db",
    "/var/lib/kapacitor/replay",
    "/var/log/kapacitor/kapacitor.log",
    "/run/kapacitor/kapacitor.pid",
)


@pytest.fixture(scope="module")
def unit() -> dict[str, str]:
    """The last value of each directive."""
    text = (ROOT / "etc/kapacitor.service").read_text()
    lines = [line for line in text.splitlines() if line[:1] not in ("", "#", "[")]
    return dict(line.split("=", 1) for line in lines)


def is_writable(path: str, unit: dict[str, str]) -> bool:
    made = [f"{PARENTS[name]}/{unit[name]}" for name in PARENTS]
    return any(PurePosixPath(path).is_relative_to(folder) for folder in made)


def test_all_but_a_few_folders_are_read_only(unit: dict[str, str]) -> None:
    assert unit["ProtectSystem"] == "strict"
    for path in ("/etc/kapacitor/kapacitor.conf", "/var/lib/other", "/opt/kapacitor"):
        assert not is_writable(path, unit)


def test_the_sample_configuration_can_be_written_to(unit: dict[str, str]) -> None:
    sample = tomllib.loads((ROOT / "etc/kapacitor.conf").read_text())
    paths = sample["data_dir"], sample["storage"]["boltdb"], sample["replay"]["dir"]
    assert [path for path in paths if not is_writable(path, unit)] == []
    assert sample["logging"]["file"] == "STDERR"
    assert [path for path in KAPACITORS if not is_writable(path, unit)] == []


def test_what_the_documents_write_to_can_be_written_to(unit: dict[str, str]) -> None:
    text = (ROOT / "docs/production.md").read_text()
    paths = re.findall(r"(?<![\w.])/(?:var|run)/[\w./-]*\w", text)
    assert len(paths) > 4
    assert [path for path in paths if not is_writable(path, unit)] == []


def test_its_command_line_is_one(unit: dict[str, str]) -> None:
    program, *arguments = unit["ExecStart"].split()
    assert PurePosixPath(program).name == "kapacitord"
    given = flags(arguments, RUN_FLAGS)
    assert given["config"] == "/etc/kapacitor/kapacitor.conf"
    # the user of the service may write the folder that it starts in
    assert "no-project" in given
