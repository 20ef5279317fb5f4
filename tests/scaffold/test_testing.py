"""The command to run the tests, as the next step prints it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from scaffold import testing


def test_without_pytest_the_next_step_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "syrupy", None)
    monkeypatch.setattr(testing, "source", lambda: "")
    assert testing.commands(tmp_path, "tests/x") == [
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]'",
        ".venv/bin/python -m pytest tests/x",
    ]
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert testing.commands(tmp_path) == [".venv/bin/python -m pytest"]


@pytest.mark.parametrize(
    ("origin", "named"),
    [
        (None, ""),
        ({"url": "file:///src/a%20b", "dir_info": {}}, "'/src/a b' "),
        ({"url": "file:///w/x.whl", "archive_info": {}}, "/w/x.whl "),
        (
            {
                "url": "https://example.com/s.git",
                "vcs_info": {"vcs": "git", "commit_id": "ab12"},
            },
            "'scaffold-alerts @ git+https://example.com/s.git@ab12' ",
        ),
        (
            {"url": "https://example.com/s.whl", "archive_info": {}},
            "'scaffold-alerts @ https://example.com/s.whl' ",
        ),
    ],
    ids=["index", "folder", "wheel", "repository", "address"],
)
def test_pip_is_told_where_scaffold_came_from(
    origin: object, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Installed:
        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return json.dumps(origin) if origin else None

    monkeypatch.setattr("importlib.metadata.distribution", lambda name: Installed())
    start = "python3 -m venv .venv && .venv/bin/pip install -q "
    assert testing.install() == f"{start}{named}-e '.[dev]'"
