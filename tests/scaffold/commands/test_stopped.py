"""Every command that writes, stopped at any moment, leaves all of its changes or none.

`FAULTS=long` stops at every call that writes, in every way; the short form at some calls,
with the ways in turn.
"""

from __future__ import annotations

import faulthandler
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from scaffold.cli.application import scaffold
from tests.scaffold.commands.stopped import CASES

ROOT = Path(__file__).parents[3]
LONG = os.environ.get("FAULTS") == "long"
LIMIT_S = 7200 if LONG else 270
# they write nothing in a project, or only together with another command
OTHERS = {
    "check",
    "diff",
    "explain",
    "infer",
    "list",
    "merge-driver",
    "places",
    "recover",
    "schema",
    "spec",
}
# the calls of the system, by the names that Python has for them
CALLS = {
    **dict.fromkeys(("open", "openat", "openat2", "creat"), "open"),
    **dict.fromkeys(("rename", "renameat", "renameat2"), "rename"),
    **dict.fromkeys(("link", "linkat"), "link"),
    **dict.fromkeys(("symlink", "symlinkat"), "symlink"),
    **dict.fromkeys(("mkdir", "mkdirat"), "mkdir"),
    **dict.fromkeys(("chmod", "fchmod", "fchmodat", "fchmodat2"), "chmod"),
    **dict.fromkeys(("chown", "fchown", "lchown", "fchownat"), "chown"),
    **dict.fromkeys(("truncate", "ftruncate"), "truncate"),
    **dict.fromkeys(("utime", "utimes", "utimensat", "futimesat"), "utime"),
    **dict.fromkeys(("write", "writev", "pwrite64", "pwritev", "pwritev2"), "write"),
    **{"rmdir": "rmdir", "unlink": "remove", "fallocate": "posix_fallocate"},
    **{"fsync": "fsync", "fdatasync": "fdatasync", "sync": "sync", "syncfs": "sync"},
    **{
        "mknod": "mknod",
        "mknodat": "mknod",
        "sendfile": "sendfile",
        "splice": "splice",
    },
    **{"copy_file_range": "copy_file_range", "sync_file_range": "sync"},
    **dict.fromkeys(("setxattr", "fsetxattr", "lsetxattr"), "setxattr"),
    **dict.fromkeys(("removexattr", "fremovexattr", "lremovexattr"), "removexattr"),
}
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")


def program(project: Path, folder: Path, stops: str, *names: str) -> list[str]:
    """The command line of `stopper`."""
    folder.mkdir()
    module = "tests.scaffold.commands.stopper"
    return [sys.executable, "-m", module, str(project), str(folder), stops, *names]


def groups() -> list[tuple[str, ...]]:
    """Commands that are stopped in one process: starting it costs most of the short form."""
    size = 1 if LONG else 4
    names = [*CASES]
    return [tuple(names[at : at + size]) for at in range(0, len(names), size)]


@pytest.mark.parametrize("names", groups(), ids=", ".join)
def test_a_stopped_command_leaves_all_or_nothing(
    names: tuple[str, ...], made_project: Path, tmp_path: Path
) -> None:
    stops = "all" if LONG else "6"
    if LONG:
        # the process has a limit of its own
        faulthandler.cancel_dump_traceback_later()
    done = subprocess.run(
        program(made_project, tmp_path / "copies", stops, *names),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"name"')]
    told = {each["name"]: each for each in map(json.loads, lines)}
    assert [*told] == [*names]
    for name, each in told.items():
        print(name, each["total"], each["runs"], each["kinds"])
        assert (each["wrong"], each["unknown"]) == ([], [])
        assert each["total"] > 40
        assert each["runs"] == (each["total"] * 6 if LONG else 6)


def test_every_command_that_writes_is_stopped() -> None:
    stopped = {case.arguments[0] for case in CASES.values()}
    assert {*scaffold.commands} - stopped == OTHERS


def has_strace() -> bool:
    """True if there is a `strace` that may trace."""
    if shutil.which("strace") is None:
        return False
    command = ["strace", "-f", "-qq", "-o", os.devnull, "true"]
    done = subprocess.run(command, capture_output=True, timeout=10, check=False)
    return done.returncode == 0


# a second witness where the machine has one; the stopper itself is tested everywhere
@pytest.mark.skipif(not has_strace(), reason="strace is missing or may not trace")
@pytest.mark.parametrize("name", CASES if LONG else ["new-handler", "rename-handler"])
def test_no_call_that_writes_is_overlooked(
    name: str, made_project: Path, tmp_path: Path
) -> None:
    """The calls that the stopper counts are those that the system sees."""
    trace, calls = tmp_path / "trace", tmp_path / "calls"
    folder = tmp_path / "copies"
    tracing = ["strace", "-f", "-y", "-qq", "-s", "0", "-o", str(trace)]
    tracing += ["-e", f"trace={','.join(f'?{call}' for call in (*CALLS, 'unlinkat'))}"]
    done = subprocess.run(
        [*tracing, *program(made_project, folder, f"log={calls}", name)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counted = Counter(json.loads(line)[0] for line in calls.read_text().splitlines())
    assert counted["fsync"] > 10
    assert seen(trace.read_text(), str(folder)) == counted


def seen(trace: str, folder: str) -> Counter[str]:
    """The calls that write below a folder, by kind, between the two marks."""
    _, _, trace = trace.partition('/begin", ')
    trace, _, _ = trace.partition('/end", ')
    found: Counter[str] = Counter()
    for line in trace.splitlines()[:-1]:  # the last one is that of the mark
        match = re.match(r"\d+ +(\w+)\((.*)", line)
        if match is None:
            continue
        # the current folder says nothing about a path from the root
        call, rest = match[1], re.sub(r'AT_FDCWD<[^>]*>, (?="/)', "", match[2])
        # the current folder is one of the copies
        is_relative = re.match(r'"[^/"]', rest) is not None
        if folder not in rest and not is_relative:
            continue
        if call == "unlinkat":
            found["rmdir" if "AT_REMOVEDIR" in rest else "remove"] += 1
        elif not call.startswith("open") or WRITES.search(rest):
            found[CALLS[call]] += 1
    return found
