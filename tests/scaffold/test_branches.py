"""Branches that each change handlers are merged automatically."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from scaffold import state
from scaffold.branches import Versions, by_entries, by_lines
from scaffold.names import Names
from scaffold.places import places
from scaffold.state import Record
from tests.scaffold.repository import git

Run = Callable[..., "subprocess.CompletedProcess[str]"]
CHANGELOG = PurePosixPath("CHANGELOG.md")
KINDS = PurePosixPath("tests/runtime/test_registration.py")


@pytest.fixture(scope="module")
def branches(
    made_project: Path,
    tmp_path_factory: pytest.TempPathFactory,
    run_in: Run,
) -> Path:
    """A repository with the branches `quokka` and `quoll`, which add a handler each.

    `gone` removes one that the three others have.
    """
    folder = tmp_path_factory.mktemp("branches") / "project"
    shutil.copytree(made_project, folder)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "start")

    def add(kind: str) -> None:
        run_in(folder, "new-handler", kind, "--field", "channel:str")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", f"add {kind}")

    add("numbat")
    for kind in ("quokka", "quoll"):
        git(folder, "checkout", "-q", "-b", kind, "main")
        add(kind)
    git(folder, "checkout", "-q", "-b", "gone", "main")
    git(folder, "revert", "--no-edit", "HEAD")
    git(folder, "checkout", "-q", "main")
    return folder


@pytest.fixture
def repository(branches: Path, tmp_path: Path) -> Path:
    """A clone of one's own, with all branches."""
    clone = tmp_path / "project"
    git(tmp_path, "clone", "-q", str(branches), str(clone))
    for name in ("quokka", "quoll", "gone"):
        git(clone, "branch", name, f"origin/{name}")
    return clone


def assert_whole(root: Path, run_in: Run, kinds: set[str]) -> None:
    """The tree has these handlers and no other one, everywhere."""
    assert "<<<<<<<" not in git(root, "grep", "-h", "<<<<<<<", "--", ".", code=1)
    for command in (("check",), ("regenerate", "--all"), ("check",)):
        assert "nothing to do" in run_in(root, *command).stderr
    listed = run_in(root, "list").stdout.split("\n")
    own = {line.split()[0] for line in listed if line} - {"foo", "hipchat"}
    assert own == kinds
    for kind in ("quokka", "quoll", "numbat"):
        is_named = bool(
            subprocess.run(
                ["git", "grep", "-lwi", "--untracked", f"{kind}\\(Handler\\)\\?"],
                cwd=root,
                capture_output=True,
                check=False,
            ).stdout
        )
        assert is_named == (kind in kinds), kind
        line = f"- {kind.capitalize()}: send alerts with `.{kind}()`"
        assert (root / CHANGELOG).read_text().count(line) == (kind in kinds)


def test_the_driver_leaves_nothing_to_do(repository: Path, run_in: Run) -> None:
    git(repository, "checkout", "-q", "quokka")
    run_in(repository, "merge-driver", "--install")
    git(repository, "merge", "-q", "--no-edit", "quoll")
    assert_whole(repository, run_in, {"quokka", "quoll", "numbat"})
    git(repository, "checkout", "-q", "gone")
    git(repository, "rebase", "-q", "quokka")
    assert_whole(repository, run_in, {"quokka", "quoll"})


@pytest.mark.parametrize(
    ("ours", "command", "theirs", "kinds"),
    [
        ("quokka", "merge", "quoll", {"quokka", "quoll", "numbat"}),
        ("quokka", "rebase", "quoll", {"quokka", "quoll", "numbat"}),
        ("quokka", "merge", "gone", {"quokka"}),
        ("gone", "merge", "quokka", {"quokka"}),
    ],
)
def test_without_the_driver_the_printed_commands_do(
    repository: Path,
    run_in: Run,
    ours: str,
    command: str,
    theirs: str,
    kinds: set[str],
) -> None:
    git(repository, "checkout", "-q", ours)
    git(repository, command, theirs, code=1)
    told = json.loads(run_in(repository, "check", "--json", code=1).stdout)
    [recovery] = told["next"]
    for each in recovery.split("; "):
        program, *arguments = shlex.split(each)
        assert program == "scaffold"
        run_in(repository, *arguments)
    git(repository, "add", "-A")
    git(repository, command, "--continue")
    if theirs == "gone":
        # a line about the removed handler and one about its removal look the same
        file = repository / CHANGELOG
        file.write_text(re.sub("- Numbat:.*\n", "", file.read_text()))
    assert_whole(repository, run_in, kinds)


@pytest.mark.parametrize(
    ("ours", "theirs", "kinds"),
    [
        ("quokka", "quoll", {"quokka", "quoll", "numbat"}),
        ("quokka", "gone", {"quokka"}),
        ("gone", "quokka", {"quokka"}),
    ],
)
def test_a_merge_that_was_committed_first_is_found_and_mended(
    repository: Path, run_in: Run, ours: str, theirs: str, kinds: set[str]
) -> None:
    git(repository, "checkout", "-q", ours)
    git(repository, "merge", theirs, code=1)
    unmerged = git(repository, "diff", "--name-only", "--diff-filter=U").split()
    git(repository, "checkout", "--ours", "--", *unmerged)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "merge by hand")
    told = json.loads(run_in(repository, "check", "--json", code=1).stdout)
    assert told["next"]
    for command in told["next"]:
        run_in(repository, *command.split()[1:])
    if theirs == "gone":
        file = repository / CHANGELOG
        file.write_text(re.sub("- Numbat:.*\n", "", file.read_text()))
    assert_whole(repository, run_in, kinds)


def changelog(*lines: str) -> bytes:
    bullets = "".join(f"- {line}\n" for line in lines)
    return f"# Changelog\n\n## Unreleased\n\n{bullets}\n## 1.0\n\n- old\n".encode()


def kinds(*names: str) -> bytes:
    lines = "".join(f'    "{name}",\n' for name in names)
    lines = f"\n{lines}" if lines else ""
    return f'"""Tests."""\n\nKINDS = [{lines}]\n\n\ndef test() -> None: ...\n'.encode()


@pytest.mark.parametrize(
    ("path", "base", "ours", "theirs", "wanted"),
    [
        (KINDS, kinds("m"), kinds("a", "m"), kinds("b", "m"), kinds("a", "b", "m")),
        (KINDS, kinds("m"), kinds("m", "z"), kinds("m", "x"), kinds("m", "x", "z")),
        (KINDS, kinds("m", "n"), kinds("a", "m", "n"), kinds("n"), kinds("a", "n")),
        (KINDS, kinds("m", "n"), kinds("n"), kinds("m"), kinds()),
        (KINDS, kinds("m"), kinds("a", "m"), kinds("a", "m"), kinds("a", "m")),
        (
            KINDS,
            kinds("m"),
            kinds("a", "m").replace(b"Tests", b"All tests"),
            kinds("b", "m").replace(b"def test", b"def test_it"),
            kinds("a", "b", "m")
            .replace(b"Tests", b"All tests")
            .replace(b"def test", b"def test_it"),
        ),
        (
            CHANGELOG,
            changelog("`.m()`"),
            changelog("`.m()`", "`.a()`: ours"),
            changelog("`.m()`", "`.b()`: theirs"),
            changelog("`.m()`", "`.a()`: ours", "`.b()`: theirs"),
        ),
    ],
)
def test_entries_of_both_are_kept(
    path: PurePosixPath, base: bytes, ours: bytes, theirs: bytes, wanted: bytes
) -> None:
    versions = Versions(base, ours, theirs)
    lines = by_lines(versions)
    merged = by_entries(path, versions, lines, "runtime")
    assert merged == (wanted, True), merged.data.decode()
    # line ends of another system are kept
    crlf = Versions(*(data.replace(b"\n", b"\r\n") for data in versions))
    lines = by_lines(crlf)
    merged = by_entries(path, crlf, lines, "runtime")
    assert merged == (wanted.replace(b"\n", b"\r\n"), True)


@pytest.mark.parametrize(
    ("base", "ours", "theirs"),
    [
        # the same entry, with two texts
        (changelog(), changelog("`.a()`: one"), changelog("`.a()`: two")),
        # removed here, changed there
        (changelog("`.a()`: one"), changelog(), changelog("`.a()`: two")),
        # beside entries, a conflict that no entry explains
        (
            changelog("`.m()`"),
            changelog("`.m()`", "`.a()`").replace(b"# Changelog", b"# Changes"),
            changelog("`.m()`", "`.b()`").replace(b"# Changelog", b"# News"),
        ),
    ],
)
def test_what_only_a_person_can_decide_stays_a_conflict(
    base: bytes, ours: bytes, theirs: bytes
) -> None:
    versions = Versions(base, ours, theirs)
    lines = by_lines(versions)
    assert not lines.is_clean
    assert b"<<<<<<< ours" in lines.data
    assert by_entries(CHANGELOG, versions, lines, "runtime") == lines


def test_records_are_merged_by_their_texts() -> None:
    path = PurePosixPath(".scaffold/handlers/huddle/generated")

    def record(**texts: str) -> bytes:
        files = {PurePosixPath(f"{name}.py"): text for name, text in texts.items()}
        return state.text(Record(files, {"x.py place key": texts["a"]})).encode()

    base = record(a="1\n2\n3\n4\n", b="b\n", c="c\n")
    ours = record(a="0\n2\n3\n4\n", b="b\n", c="ours\n", d="d\n")
    theirs = record(a="1\n2\n3\n5\n", c="theirs\n")
    versions = Versions(base, ours, theirs)
    merged = by_entries(path, versions, by_lines(versions), "runtime")
    assert merged == (record(a="0\n2\n3\n5\n", c="ours\n", d="d\n"), True)


def test_the_driver_says_when_it_cannot_read(tmp_path: Path, run_in: Run) -> None:
    arguments = [str(tmp_path / name) for name in ("base", "ours", "theirs", "x.py")]
    told = run_in(tmp_path, "merge-driver", *arguments, code=2).stderr
    assert f"{tmp_path}/base: No such file or directory" in told
    for wrong in ((), ("one",), ("--install", *arguments)):
        told = run_in(tmp_path, "merge-driver", *wrong, code=2).stderr
        assert "BASE OURS THEIRS PATH or --install is required" in told


def test_every_shared_file_is_named_for_git(project: Path, run_in: Run) -> None:
    git(project, "init", "-q")
    file = project / ".gitattributes"
    made = file.read_text()
    run_in(project, "merge-driver", "--install")
    assert file.read_text() == made  # that of `init` has all of them
    file.write_text("*.png binary")
    for _ in range(2):
        run_in(project, "merge-driver", "--install")
        first, *lines = file.read_text().splitlines()
        assert first == "*.png binary"
        assert set(lines) == {line for line in made.splitlines() if "merge" in line[3:]}
    shared = [str(place.path) for place in places(Names("any", "any"), "runtime")]
    seen = git(project, "check-attr", "merge", *shared)
    assert seen.count("merge: scaffold\n") == len(shared)


def test_the_driver_needs_git(project: Path, run_in: Run) -> None:
    (project / ".gitattributes").unlink()
    told = run_in(project, "merge-driver", "--install", code=2).stderr
    assert "fix:   git init" in told
    assert not (project / ".gitattributes").exists()
