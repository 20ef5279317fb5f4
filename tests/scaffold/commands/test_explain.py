"""Explanations of findings, on the command line and in the documentation."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scaffold.codes import CODES
from scaffold.commands import explain

PAGE = Path(__file__).parents[3] / "docs/findings.md"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_explained(scaffold: Run, code: str) -> None:
    told = scaffold("explain", code.lower()).stdout
    assert told.startswith(f"{code} {CODES[code].name} ({CODES[code].severity})\n")
    for text in (CODES[code].meaning, CODES[code].example, CODES[code].remedy):
        assert text in told.replace("\n", " ")
    assert max(map(len, told.splitlines())) <= 80


def test_all_codes_are_listed(scaffold: Run) -> None:
    lines = scaffold("explain").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(CODES)
    told = json.loads(scaffold("explain", "--json").stdout)
    assert [each["code"] for each in told["codes"]] == list(CODES)


def test_a_code_for_machines(scaffold: Run) -> None:
    told = json.loads(scaffold("explain", "SC105", "--json").stdout)
    assert (told["name"], told["severity"]) == ("file-edited", "info")
    assert told["remedy"] == CODES["SC105"].remedy


@pytest.mark.parametrize("code", ["SC999", "sc1011"])
def test_an_unknown_code_is_refused(scaffold: Run, code: str) -> None:
    told = scaffold("explain", code, code=2).stderr
    assert f"unknown code '{code.upper()}'" in told
    assert "fix:   scaffold explain" in told


def test_the_page_of_the_documentation_has_the_same_texts() -> None:
    assert (
        PAGE.read_text() == explain.page()
    ), "write it with: python -m tests.scaffold.commands.test_explain"


if __name__ == "__main__":
    PAGE.write_text(explain.page())
