"""A stranger's checkout is data: it cannot make a command leave the project.

Each case plants, links or changes something of the format of `.scaffold/` and runs a
command. Beside the project lies a folder of canaries: none may be read, written or removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scaffold import cli
from scaffold.disk import machine
from tests.examples import share

CANARY = "canary-9f3a"
HUDDLE = ("new-handler", "huddle", "--field", "channel:str")
READING = (
    ("list",), ("list", "-v"), ("check",), ("check", "foo"), ("diff",), ("places",), ("schema",),
    (*HUDDLE, "-n"), ("regenerate", "--all", "-n", "--diff"), ("regenerate", "--all", "--check"),
)  # fmt: skip
WRITING = (
    HUDDLE, ("regenerate", "--all"), ("regenerate", "foo"), ("recover",),
    ("recover", "--continue"), ("recover", "--abort"),
)  # fmt: skip
FORMAT = (
    ".scaffold", ".scaffold/lock", ".scaffold/.gitignore", ".scaffold/.gitattributes",
    ".scaffold/cache", ".scaffold/cache/check", ".scaffold/kept", ".scaffold/kept/runtime",
    ".scaffold/handlers", ".scaffold/handlers/foo", ".scaffold/handlers/foo/manifest",
    ".scaffold/handlers/foo/generated", ".scaffold/handlers/gone",
    ".scaffold/handlers/gone/manifest", ".scaffold/handlers/gone/generated",
    ".scaffold/txn", ".scaffold/txn/owner", ".scaffold/txn/record", ".scaffold/txn/commit",
    ".scaffold/txn/abort", ".scaffold/txn/new", ".scaffold/txn/new/0", ".scaffold/txn/new/0-x",
    ".scaffold/txn/old", ".scaffold/txn/old/0", ".scaffold/txn/old/0-x",
)  # fmt: skip
# paths that a record of a transaction or a manifest may name
TARGETS = (
    "../outside/new.py", "../outside/file", "/etc/scaffold-canary", "{outside}/new.py",
    "{outside}/file", "docs/../../outside/file", "inner/file", "runtime/services/foo/config.py",
    "./../outside/file", "inner\n/../../outside/file", "\x1b[31mred", "\u202eturned", ".git/config",
)  # fmt: skip


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def snapshot(root: Path, *, links: bool = True) -> dict[str, object]:
    """Everything below a folder: kind, content, permissions, times, number of names."""
    found: dict[str, object] = {}
    for folder, names, files in os.walk(root):
        for name in (*names, *files, ""):
            path = Path(folder) / name
            status = path.lstat()
            found[str(path)] = (
                status.st_mode,
                status.st_mtime_ns,
                status.st_nlink if links and stat.S_ISREG(status.st_mode) else 0,
                path.read_bytes() if stat.S_ISREG(status.st_mode) else b"",
            )
    return found


class Place:
    """A project beside the canaries.

    Attributes:
        root: the project.
        outside: files that must not change.
    """

    def __init__(self, folder: Path, made_project: Path) -> None:
        self.root = folder / "project"
        self.outside = folder / "outside"
        shutil.copytree(made_project, self.root)
        (self.outside / "folder").mkdir(parents=True)
        for name in ("file", "folder/file", "check", "manifest", "lock", "0", "commit"):
            (self.outside / name).write_text(f"{CANARY}\n")
        (self.root / "inner").symlink_to(self.outside)

    def text(self, template: str) -> str:
        return template.replace("{outside}", str(self.outside))

    def clear(self, path: str) -> Path:
        """The place of something to be planted, with nothing there."""
        full = self.root / path
        for parent in reversed(full.relative_to(self.root).parents):
            folder = self.root / parent
            if folder.is_symlink() or not folder.is_dir():
                folder.unlink(missing_ok=True)
                folder.mkdir()
        if full.is_dir() and not full.is_symlink():
            shutil.rmtree(full)
        full.unlink(missing_ok=True)
        return full


Plant = Callable[[Place], None]


def linked(path: str, target: str) -> Plant:
    def plant(place: Place) -> None:
        place.clear(path).symlink_to(place.text(target))

    return plant


def hard_linked(path: str) -> Plant:
    def plant(place: Place) -> None:
        place.clear(path).hardlink_to(place.outside / "file")

    return plant


def special(path: str, kind: str) -> Plant:
    def plant(place: Place) -> None:
        full = place.clear(path)
        match kind:
            case "pipe":
                os.mkfifo(full)
            case "folder":
                full.mkdir()
            case "socket":
                with (
                    socket.socket(socket.AF_UNIX) as own,
                    contextlib.chdir(full.parent),
                ):
                    own.bind(full.name)
            case "device":
                full.symlink_to("/dev/zero")

    return plant


def written(path: str, data: bytes) -> Plant:
    def plant(place: Place) -> None:
        place.clear(path).write_bytes(
            place.text(data.decode("latin-1")).encode("latin-1")
        )

    return plant


def journal(
    name: str, target: str, old: bytes, new: bytes, *, is_old_form: bool
) -> Plant:
    """A transaction that says that it was interrupted."""

    def plant(place: Place) -> None:
        digests = [sha(data) if data else "" for data in (old, new)]
        step = [place.text(target), *digests, 0o644]
        if not is_old_form:
            step.append("0-x")
        record = json.dumps([step]).encode()
        sealed = record if is_old_form else sha(record).encode() + b"\n" + record
        place.clear(f".scaffold/txn/{name}").write_bytes(sealed)
        owner = sha(b"").encode() + b"\na transaction of scaffold"
        place.clear(".scaffold/txn/owner").write_bytes(owner)
        for part, data in (("old", old), ("new", new)):
            # an earlier plant may have left a pipe without a reader there
            for file in ("0", "0-x"):
                place.clear(f".scaffold/txn/{part}/{file}").write_bytes(data)

    return plant


def record(kind: str, target: str, text: str, *, is_old_form: bool = False) -> Plant:
    """A record of a handler that names a file of its own choice."""

    def plant(place: Place) -> None:
        path = place.text(target)
        folder = f".scaffold/handlers/{kind}"
        digest = sha(text.encode())
        if is_old_form:
            lines = f"format 1\ncreate {digest} {path}\n"
            place.clear(f"{folder}/manifest").write_text(lines)
            lines = "\n\t".join([path, *text.split("\n")]) + "\n"
        else:
            lines = "\n|".join([f"create {path} {digest}", *text.split("\n")])
            lines = f"format 2\n{lines}\nend\n"
        place.clear(f"{folder}/generated").write_text(lines)

    return plant


def mutated(kind: str, at: float, new: str) -> Plant:
    """The record of a bundled handler with one line replaced."""

    def plant(place: Place) -> None:
        file = place.root / f".scaffold/handlers/{kind}/generated"
        if file.is_symlink() or not file.is_file():
            return
        lines = file.read_text().splitlines()
        if lines:
            lines[int(at * len(lines))] = place.text(new)
        place.clear(f".scaffold/handlers/{kind}/generated").write_text(
            "\n".join([*lines, ""])
        )

    return plant


PATHS = st.sampled_from(FORMAT)
DATA = st.sampled_from(
    [
        b"", b"\0", b"format 1\n", b"format 2\n", b"format 1\ncreate x y\n", b"\xff\xfe",
        b"a\nb\n", b"[]", b"format 2\nend\n", b"format 1", b"end", b"\x1b[31mpwned\x1b[0m\n", b"{}", b"0" * 64 + b"\n2 handlers, fine\n",
        b'[["../outside/file", "", "", 420]]',
    ]
)  # fmt: skip
CONTENT = st.sampled_from([b"", b"print('owned')\n", f"{CANARY}\n".encode()])
PLANTS = st.one_of(
    st.builds(
        linked,
        PATHS,
        st.sampled_from(
            ["{outside}", "{outside}/folder", "{outside}/file", "../outside", "/", "{outside}/gone"]
        ),
    ),
    st.builds(hard_linked, PATHS),
    st.builds(special, PATHS, st.sampled_from(["pipe", "folder", "socket", "device"])),
    st.builds(written, PATHS, DATA),
    st.builds(
        journal,
        st.sampled_from(["commit", "abort", "record"]),
        st.sampled_from(TARGETS),
        CONTENT,
        CONTENT,
        is_old_form=st.booleans(),
    ),
    st.builds(
        record,
        st.sampled_from(["foo", "gone", "$(id)", "a b", "x\n  done all fine", "\x1b[2J"]),
        st.sampled_from(TARGETS),
        st.sampled_from([CANARY, f"{CANARY}\n", "text", ""]),
        is_old_form=st.booleans(),
    ),
    st.builds(
        mutated, st.sampled_from(["foo", "hipchat"]), st.floats(0, 1, exclude_max=True),
        st.sampled_from(
            ["", "end", "format 2", "format 9", "|", "|\x1b[31m", '"\\u001b[31m"', '"', "\x00",
             "<<<<<<< HEAD", *(f"create {target} {sha(b'')}" for target in TARGETS),
             f"edit ../outside/file place key {sha(b'')}", "edit a b"]
        ),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def fresh(
    made_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], contextlib.AbstractContextManager[Place]]:
    folder = tmp_path_factory.mktemp("places")

    @contextlib.contextmanager
    def make() -> Iterator[Place]:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(folder)
        folder.mkdir()
        yield Place(folder, made_project)

    return make


def run(place: Place, arguments: tuple[str, ...]) -> tuple[int, str]:
    """The exit code of a command, and all that it printed."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main([arguments[0], "-C", str(place.root), *arguments[1:]])
        except SystemExit as ended:
            code = ended.code
    assert isinstance(code, int)
    out.flush()
    return code, out.buffer.getvalue().decode() + err.getvalue()  # type: ignore[attr-defined] # a BytesIO


def is_printable(text: str) -> bool:
    """True if a terminal would only show it."""
    return all(char.isprintable() or char in "\n\t" for char in text)


@settings(max_examples=share(1 / 2))
@given(
    plants=st.lists(PLANTS, min_size=1, max_size=3),
    command=st.sampled_from([*READING, *WRITING]),
)
@example([linked(".scaffold/txn/new", "{outside}")], ("list",))
@example([linked(".scaffold/txn/new", "{outside}")], HUDDLE)
@example([linked(".scaffold/cache", "{outside}")], ("check",))
@example([linked(".scaffold/handlers", "{outside}/folder")], ("check",))
@example([hard_linked(".scaffold/lock")], HUDDLE)
@example([hard_linked(".scaffold/txn/owner")], HUDDLE)
@example([special(".scaffold/lock", "pipe")], HUDDLE)
@example([record("gone", "../outside/file", f"{CANARY}\n")], ("check",))
def test_nothing_outside_is_read_written_or_removed(
    fresh: Callable[[], contextlib.AbstractContextManager[Place]],
    plants: list[Plant],
    command: tuple[str, ...],
) -> None:
    with fresh() as place:
        for plant in plants:
            plant(place)
        # of a planted hard link a command that writes may remove the name inside
        links = command in READING
        before, inside = snapshot(place.outside, links=links), snapshot(place.root)
        code, said = run(place, command)
        assert snapshot(place.outside, links=links) == before
        assert not Path("/etc/scaffold-canary").exists()
        if command in READING:
            assert snapshot(place.root) == inside
        assert code in (0, 1, 2, 3, 5), said
        assert "Traceback" not in said
        assert CANARY not in said or "--diff" in command or command == ("diff",)
        assert is_printable(said), ascii(said)
        assert "\n        done all fine" not in said


def without_a_file(place: Place) -> None:
    (place.root / "runtime/services/foo/config.py").unlink()


def without_an_entry(place: Place) -> None:
    file = place.root / "runtime/integrations/configuration.py"
    text = file.read_text()
    assert '    "foo": "runtime.services.foo.config:Config",\n' in text
    file.write_text(
        text.replace('    "foo": "runtime.services.foo.config:Config",\n', "")
    )


@settings(max_examples=share(1 / 4))
@given(
    plants=st.lists(PLANTS, max_size=2),
    spoil=st.sampled_from([without_a_file, without_an_entry]),
)
def test_nothing_planted_makes_a_broken_tree_clean(
    fresh: Callable[[], contextlib.AbstractContextManager[Place]],
    plants: list[Plant],
    spoil: Plant,
) -> None:
    with fresh() as place:
        spoil(place)
        for plant in plants:
            plant(place)
        code, said = run(place, ("check",))
        assert code != 0, said
        assert "nothing to do" not in said


def test_what_nobody_spoilt_works(
    fresh: Callable[[], contextlib.AbstractContextManager[Place]],
) -> None:
    with fresh() as place:
        for command in (*READING, *WRITING):
            code, said = run(place, command)
            assert code == 0, (command, said)


def test_a_planted_journal_is_refused_with_a_way_on(
    fresh: Callable[[], contextlib.AbstractContextManager[Place]],
) -> None:
    with fresh() as place:
        journal("commit", "../outside/new.py", b"", b"owned", is_old_form=False)(place)
        for command in READING:
            code, said = run(place, command)
            assert code in (0, 1, 2, 5)
            assert "interrupted" not in said
        for command in WRITING:
            code, said = run(place, command)
            assert code == 5
            assert "fix:   scaffold recover --set-aside" in said
        code, said = run(place, ("recover", "--set-aside"))
        assert code == 0
        assert ".scaffold/kept/txn: was not written by you" in said
        assert (place.root / ".scaffold/kept/txn/commit").exists()
        for command in WRITING:
            assert run(place, command)[0] == 0
        assert not (place.outside / "new.py").exists()


@pytest.mark.parametrize("plant", ["link", "hanging link", "pipe", "folder"])
def test_settings_are_a_plain_file(
    fresh: Callable[[], contextlib.AbstractContextManager[Place]], plant: str
) -> None:
    with fresh() as place:
        file = place.root / "pyproject.toml"
        if plant == "link":
            shutil.move(file, place.outside / "pyproject.toml")
            file.symlink_to(place.outside / "pyproject.toml")
        else:
            file.unlink()
            if plant == "pipe":
                os.mkfifo(file)
            elif plant == "folder":
                file.mkdir()
            else:
                file.symlink_to(place.outside / "nothing")
        problem = "is a symbolic link" if "link" in plant else "is not a regular file"
        for command in (("list",), ("check",), HUDDLE, ("recover",)):
            code, said = run(place, command)
            assert code == 5, said
            assert f"pyproject.toml: {problem}" in said


@pytest.mark.parametrize(
    ("text", "exit_code", "cause"),
    [
        ('tool = "scaffold"', 2, "not in a project"),
        ('[[tool]]\nscaffold = "x"', 2, "not in a project"),
        ("[tool]\nscaffold = [1]", 2, "not in a project"),
        ("# scaffold\na = " + "[" * 9_000, 5, "is nested too deeply"),
        ("# scaffold\na = " + "{b = " * 9_000, 5, "is nested too deeply"),
        ("# scaffold\na = " + "9" * 5_000, 5, "invalid TOML"),
        ("[tool.scaffold]\npackage = '../x'", 2, "the name of an import package"),
    ],
    ids=["text", "tables", "list", "lists", "inline", "digits", "path"],
)
def test_settings_of_any_form_are_refused_with_their_cause(
    fresh: Callable[[], contextlib.AbstractContextManager[Place]],
    text: str,
    exit_code: int,
    cause: str,
) -> None:
    with fresh() as place:
        (place.root / "pyproject.toml").write_text(f"{text}\n")
        for command in (("list",), ("check",), HUDDLE):
            code, said = run(place, command)
            assert code == exit_code, said
            assert cause in said


@pytest.mark.parametrize("command", [("check",), ("regenerate", "--all")])
def test_a_memo_inside_the_project_is_not_believed(
    scaffold: Callable[..., object], project: Path, command: tuple[str, ...]
) -> None:
    memo = Path(machine.memo(str(project), command[0]))
    scaffold(*command)
    for folder in (".scaffold/cache", ".scaffold", ".cache/scaffold"):
        planted = project / folder / command[0] / memo.name
        planted.parent.mkdir(parents=True)
        shutil.copy(memo, planted)
    memo.unlink()
    config = project / "runtime/services/hipchat/config.py"
    config.unlink()
    scaffold("check", code=1)
    scaffold("regenerate", "--all")
    assert config.is_file()


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME"])
def test_a_home_inside_the_project_keeps_no_memo(
    scaffold: Callable[..., object],
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv(variable, str(project / "home"))
    scaffold("check")
    assert not (project / "home").exists()


def test_what_is_left_of_a_strange_handler_can_be_pasted(
    fresh: Callable[[], contextlib.AbstractContextManager[Place]],
) -> None:
    with fresh() as place:
        record("$(touch x)", "gone", "")(place)
        empty = "format 2\nend\n"
        (place.root / ".scaffold/handlers/$(touch x)/generated").write_text(empty)
        said = run(place, ("check",))[1]
        assert "scaffold remove-handler '$(touch x)'" in said
        assert run(place, ("regenerate", "$(touch x)"))[0] == 0
        assert "$(touch x)" not in run(place, ("check",))[1]
