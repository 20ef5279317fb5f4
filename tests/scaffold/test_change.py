"""Changes as patches that git applies."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

import pytest

from scaffold.change import Change, unified

LINES = b"".join(b"line %d\n" % number for number in range(40))
CASES = {
    "new": (None, b"a\nb\n"),
    "new and empty": (None, b""),
    "new without an end": (None, b"a\nb"),
    "gone": (b"a\nb\n", None),
    "gone without an end": (b"a\nb", None),
    "gone and empty": (b"", None),
    "filled": (b"", b"a\n"),
    "emptied": (b"a\n", b""),
    "two hunks": (LINES, LINES.replace(b"line 3\n", b"").replace(b"line 30", b"x")),
    "end lost": (b"a\nb\n", b"a\nb"),
    "end gained": (b"a\nb", b"a\nb\nc\n"),
    "crlf": (b"a\r\nb\r\n", b"a\r\nx\r\nb\r\n"),
    "form feed": (b"a\x0cb\n\x0c\nc\n", b"a\x0cb\n\x0c\nd\n"),
    "no text": (b"\xe9\n", b"\xe9\n\xff\n"),
    "line separator": ("a\u2028b\n".encode(), "a\u2028b\nc\n".encode()),
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_git_applies_a_patch(
    tmp_path: Path, before: bytes | None, after: bytes | None
) -> None:
    file = tmp_path / "some" / "file"
    if before is not None:
        file.parent.mkdir()
        file.write_bytes(before)
    text = unified([Change(PurePosixPath("some/file"), before, after)])
    subprocess.run(
        ["git", "apply", "-p1", "-"],
        input=text.encode("utf-8", "surrogateescape"),
        cwd=tmp_path,
        env={"GIT_CEILING_DIRECTORIES": str(tmp_path.parent), "PATH": "/usr/bin:/bin"},
        check=True,
    )
    assert (file.read_bytes() if file.exists() else None) == after


def test_counts_are_those_of_the_patch() -> None:
    change = Change(PurePosixPath("x"), b"a\nb\n", b"a\nc\nd\n")
    assert change.counts() == (2, 1)


def test_no_change_is_no_patch() -> None:
    assert unified([Change(PurePosixPath("x"), b"a\n", b"a\n")]) == ""
