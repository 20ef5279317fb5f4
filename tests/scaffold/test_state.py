"""Records of generated text stay readable after everyday tools rewrote them."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffold import state
from scaffold.disk import verdicts
from scaffold.errors import StateError
from scaffold.state import Record
from scaffold.tree import MemoryTree
from tests.scaffold.repository import git

Run = Callable[..., "subprocess.CompletedProcess[str]"]
HUDDLE = ("new-handler", "huddle", "--field", "channel:str")
RECORD = PurePosixPath(".scaffold/handlers/huddle/generated")
MANIFEST = RECORD.with_name("manifest")


def strip_trailing_whitespace(data: bytes) -> bytes:
    return re.sub(rb"[ \t\f\v]+(?=\r?$)", b"", data, flags=re.MULTILINE)


def fix_end_of_file(data: bytes) -> bytes:
    rest = data.rstrip(b"\r\n")
    return rest + b"\n" if rest else b""


def use_one_line_end(data: bytes) -> bytes:
    return re.sub(rb"\r\n|\r|\n", b"\n", data)


def use_crlf(data: bytes) -> bytes:
    return re.sub(rb"\r\n|\r|\n", b"\r\n", data)


def replace_tabs(data: bytes) -> bytes:
    return data.replace(b"\t", b"    ")


HOOKS = (
    strip_trailing_whitespace,
    fix_end_of_file,
    use_one_line_end,
    replace_tabs,
    lambda data: data.removeprefix(b"\xef\xbb\xbf"),
)
OTHER_TOOLS = (
    use_crlf,
    lambda data: data.rstrip(b"\n"),
    lambda data: data + b"\n\n  \n",
    lambda data: data.replace(b"\n", b"  \t\n"),
    lambda data: b"\xef\xbb\xbf" + data,
)
TEXT = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            ["", " ", "\t", "a", "a ", "|", '"', "end", "format 2", "\r", "x\r\n", "\f"]
        )
    ).map("\n".join),
    st.sampled_from(["<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n", "a\u2028b\x85\n"]),
)
RECORDS = st.builds(
    lambda files, places: Record(
        {PurePosixPath(f"docs/{name}.md"): text for name, text in files.items()},
        {f"a.py place {name}": text for name, text in places.items()},
    ),
    st.dictionaries(st.sampled_from("abc"), TEXT),
    st.dictionaries(st.sampled_from("abc"), TEXT),
)


@given(RECORDS)
def test_no_hook_changes_a_record(record: Record) -> None:
    data = state.text(record).encode()
    for hook in HOOKS:
        assert hook(data) == data
    assert state.parse(data) == record


@given(RECORDS, st.permutations([*HOOKS, *OTHER_TOOLS]))
def test_whitespace_does_not_matter_to_the_reader(
    record: Record, tools: list[Callable[[bytes], bytes]]
) -> None:
    data = state.text(record).encode()
    for tool in tools:
        data = tool(data)
        assert state.parse(data) == record
    # and does not cause a rewrite
    tree = MemoryTree({RECORD: data})
    assert all(
        change.before == change.after
        for change in state.changes(tree, "huddle", record)
        if change.path == RECORD
    )


@given(RECORDS, st.data())
def test_a_record_is_whole_or_damaged(record: Record, data: st.DataObject) -> None:
    lines = state.text(record).splitlines(keepends=True)
    del lines[data.draw(st.integers(0, len(lines) - 1))]
    try:
        read = state.parse("".join(lines).encode())
    except ValueError:
        return
    assert read == record  # the only line of a text without any


def as_format_1(record: Record) -> dict[PurePosixPath, bytes]:
    """The two files that earlier versions wrote."""
    texts = {f"create {path}": text for path, text in record.files.items()}
    texts |= {f"edit {place}": text for place, text in record.places.items()}
    manifest, generated = ["format 1"], []
    for name, text in texts.items():
        role, words = name.split(" ", 1)
        manifest.append(f"{role} {hashlib.sha256(text.encode()).hexdigest()} {words}")
        generated += [words, *(f"\t{line}" for line in text.split("\n"))]
    return {
        RECORD: "\n".join([*generated, ""]).encode(),
        MANIFEST: "\n".join([*manifest, ""]).encode(),
    }


OLD = Record(
    {PurePosixPath("docs/a.md"): "# A\n\n\ntext\n", PurePosixPath("b.py"): ""},
    {"z.py place key": "    key,\n"},
)


@pytest.mark.parametrize("tools", [(), HOOKS, (*HOOKS, use_crlf)])
def test_the_first_format_is_read_and_replaced(
    tools: tuple[Callable[[bytes], bytes], ...],
) -> None:
    files = as_format_1(OLD)
    for tool in tools:
        # that format was not proof against tabs that become blanks
        if tool is not replace_tabs:
            files = {path: tool(data) for path, data in files.items()}
    tree = MemoryTree(files)
    assert state.read(tree, "huddle") == OLD
    after = {change.path: change.after for change in state.changes(tree, "huddle", OLD)}
    assert after[MANIFEST] is None
    assert after[RECORD] == state.text(OLD).encode()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("format 2", "format 3", "was written by a newer version of scaffold"),
        ("format 2", "format", "is damaged: the format line is missing"),
        ("|text", "|test", "is damaged: the text of docs/a.md has changed"),
        ("|text\n", "", "is damaged: the text of docs/a.md has changed"),
        ("|text\n", "<<<<<<< HEAD\n|text\n", "is damaged: the text of docs/a.md"),
        ("end\n", "", "is damaged: the last line is missing"),
        ("end\n", "=======\nend\n", "is damaged: line 13 is a conflict marker"),
        ("create docs", "make docs", "is damaged: line 4"),
        ("create b.py", "create ../b.py", "is damaged: names a file outside"),
        ("create b.py", "create docs/a.md", "is damaged: "),
    ],
)
def test_a_damaged_record_is_refused_with_a_way_on(
    old: str, new: str, problem: str
) -> None:
    text = state.text(OLD)
    assert old in text
    tree = MemoryTree({RECORD: text.replace(old, new, 1).encode()})
    with pytest.raises(StateError) as caught:
        state.read(tree, "huddle")
    assert f"{RECORD}: {problem}" in str(caught.value)
    assert caught.value.fix in {
        "scaffold adopt huddle",
        "pip install -U scaffold-alerts",
    }


@pytest.fixture
def committed(scaffold: Run, project: Path) -> Path:
    """A project whose first commit went through the hooks."""
    git(project, "init", "-q")
    scaffold(*HUDDLE)
    git(project, "add", "-A")
    for name in git(project, "diff", "--cached", "--name-only").splitlines():
        file = project / name
        data = file.read_bytes()
        for hook in HOOKS:
            data = hook(data) if hook is not replace_tabs else data
        file.write_bytes(data)
    git(project, "add", "-A")
    git(project, "commit", "-qm", "first")
    return project


@pytest.mark.parametrize("settings", [(), ("core.autocrlf=true",), ("core.eol=crlf",)])
def test_hooks_and_checkouts_leave_a_project_as_it_was(
    scaffold: Run, committed: Path, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    assert "3 handlers examined, nothing to do" in scaffold("check").stderr
    clone = tmp_path / "clone"
    flags = [flag for each in settings for flag in ("-c", each)]
    git(tmp_path, "clone", "-q", *flags, str(committed), str(clone))
    assert (clone / RECORD).read_bytes() == (committed / RECORD).read_bytes()
    for arguments in (("check",), ("regenerate", "--all"), ("check",)):
        told = scaffold(*arguments, cwd=clone).stderr
        assert "nothing to do" in told
        assert "edited by hand" not in told
    assert git(clone, "status", "--porcelain") == ""


def test_a_damaged_record_is_made_again_by_the_command_it_comes_with(
    scaffold: Run, project: Path
) -> None:
    scaffold(*HUDDLE)
    scaffold("check")
    file = project / RECORD
    whole = file.read_text()
    file.write_text(whole.replace("|", "|x", 1))
    # the remembered verdict covers the record
    assert verdicts.known(str(project), "check") == []
    for arguments in (("check",), ("regenerate", "--all"), (*HUDDLE,)):
        told = scaffold(*arguments, code=5).stderr
        fix = re.search("^ *fix: +(.*)$", told, re.MULTILINE)
        assert fix, told
    assert fix[1] == "scaffold adopt huddle"
    scaffold("adopt", "huddle")
    assert file.read_text() == whole
