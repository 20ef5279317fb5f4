"""Annotations of GitHub Actions: their escapes, their paths."""

from __future__ import annotations

from pathlib import PurePosixPath

from scaffold.annotations import of_findings, of_problems
from scaffold.errors import Problem
from scaffold.findings import Finding

HERE = PurePosixPath()


def finding(code: str, path: str, line: int, message: str, fix: str = "") -> Finding:
    return Finding(code, PurePosixPath(path), line, message, fix)


def test_a_finding_is_an_error_beside_its_line() -> None:
    found = finding(
        "SC101", "a/kinds.py", 7, "`a`: is missing", "scaffold regenerate a"
    )
    assert list(of_findings([found], PurePosixPath("sub/dir"))) == [
        "::error file=sub/dir/a/kinds.py,line=7,title=SC101 registration-missing"
        "::`a`: is missing%0Afix: scaffold regenerate a"
    ]


def test_information_is_a_notice_and_a_whole_file_has_no_line() -> None:
    found = finding("SC105", "a.py", 0, "was edited by hand; kept")
    assert list(of_findings([found], HERE)) == [
        "::notice file=a.py,title=SC105 file-edited::was edited by hand; kept"
    ]


def test_nothing_in_a_finding_ends_its_command_or_begins_another() -> None:
    found = finding("SC104", "a,b:c%.py", 1, "100%\r\n::error::x, y: z\x1b[31m")
    assert list(of_findings([found], HERE)) == [
        "::error file=a%2Cb%3Ac%25.py,line=1,title=SC104 file-missing"
        "::100%25\\r%0A::error::x, y: z\\x1b[31m"
    ]


def test_the_text_to_paste_comes_along() -> None:
    found = finding("SC101", "a.py", 0, "not found")._replace(paste='"a",')
    [command] = of_findings([found], HERE)
    assert command.endswith('::not found%0Apaste:%0A"a",')


def test_an_error_without_a_file_has_no_file() -> None:
    problems = [Problem("unknown handler 'x'"), Problem("is a link", "a.py", 3)]
    assert list(of_problems(problems, "scaffold list", HERE)) == [
        "::error title=scaffold::unknown handler 'x'%0Afix: scaffold list",
        "::error file=a.py,line=3,title=scaffold::is a link%0Afix: scaffold list",
    ]
