"""The last command that wrote is kept, and can be taken back."""

from __future__ import annotations

import stat
from pathlib import Path, PurePosixPath

import pytest

from scaffold.change import Change
from scaffold.disk import commit, last, recovery
from scaffold.errors import ForeignTransaction, PlanError, UnreadableFile

FILE = PurePosixPath("tools/run.py")


def write(root: Path, changes: tuple[Change, ...], command: str = "first") -> str:
    with recovery.locked(root):
        return commit.apply(root, changes, command)


def kept(root: Path) -> last.Last:
    found = last.read(root)
    assert found is not None
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree from which a program of two files was removed, with their folders."""
    for name in ("run.py", "data"):
        (tmp_path / "tools").mkdir(exist_ok=True)
        (tmp_path / "tools" / name).write_bytes(b"text\n")
    (tmp_path / FILE).chmod(0o751)
    gone = [
        Change(FILE.with_name(name), b"text\n", None) for name in ("run.py", "data")
    ]
    write(tmp_path, tuple(gone))
    return tmp_path


def test_nothing_is_kept_at_first(tmp_path: Path) -> None:
    assert last.read(tmp_path) is None


def test_folders_go_with_their_last_file_and_come_back(root: Path) -> None:
    assert not (root / "tools").exists()
    write(root, kept(root).changes)
    assert (root / FILE).read_bytes() == b"text\n"
    assert stat.S_IMODE((root / FILE).stat().st_mode) == 0o751


def test_what_python_made_of_a_module_goes_with_it(tmp_path: Path) -> None:
    cache = tmp_path / "app/inner/__pycache__"
    cache.mkdir(parents=True)
    (tmp_path / "app/inner/a.py").write_bytes(b"")
    (cache / "a.cpython-311.pyc").write_bytes(b"")
    gone = Change(PurePosixPath("app/inner/a.py"), b"", None)
    write(tmp_path, (gone,))
    assert not (tmp_path / "app").exists()


def test_a_folder_with_anything_else_stays(tmp_path: Path) -> None:
    cache = tmp_path / "app/__pycache__"
    cache.mkdir(parents=True)
    (tmp_path / "app/a.py").write_bytes(b"")
    for name in ("a.cpython-311.pyc", "ab.cpython-311.pyc", "a.txt"):
        (cache / name).write_bytes(b"")
    write(tmp_path, (Change(PurePosixPath("app/a.py"), b"", None),))
    assert sorted(path.name for path in cache.iterdir()) == [
        "a.txt",
        "ab.cpython-311.pyc",
    ]


def test_only_the_last_one_is_kept(root: Path) -> None:
    write(root, (Change(PurePosixPath("b"), None, b"b"),), "second")
    found = kept(root)
    assert found.command == "second"
    assert found.changes == (Change(PurePosixPath("b"), b"b", None),)
    write(root, found.changes, "undo")
    assert kept(root).changes == (Change(PurePosixPath("b"), None, b"b", 0o644),)


def test_a_change_without_a_command_leaves_it(root: Path) -> None:
    write(root, (Change(PurePosixPath("b"), None, b"b"),), "")
    assert kept(root).command == "first"


def test_files_that_changed_since_are_named(root: Path) -> None:
    (root / "tools").mkdir()
    (root / FILE).write_bytes(b"mine\n")
    [touched] = kept(root).touched
    assert touched.change == Change(FILE, b"mine\n", b"text\n", touched.change.mode)
    assert touched.kept.as_posix() == ".scaffold/kept/tools/run.py.before"
    (root / FILE).write_bytes(b"text\n")
    found = kept(root)
    assert [change.path.name for change in found.changes] == ["data"]
    assert not found.touched


def test_a_version_is_kept_under_a_name_that_is_free(root: Path) -> None:
    (root / "tools").mkdir()
    (root / FILE).write_bytes(b"mine\n")
    folder = root / ".scaffold/kept/tools"
    folder.mkdir(parents=True)
    for name in ("run.py.before", "run.py.before.2", "run.py.before.3"):
        [touched] = kept(root).touched
        assert root / touched.kept == folder / name
        (folder / name).write_bytes(b"")


def test_a_damaged_version_is_refused(root: Path) -> None:
    (root / ".scaffold/undo/old/0-run.py").write_bytes(b"damaged\n")
    with pytest.raises(PlanError, match=r"undo/old/0-run\.py: is damaged"):
        last.read(root)


def test_another_user_or_machine_takes_nothing_back(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with monkeypatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(elsewhere))
        with pytest.raises(
            ForeignTransaction, match=r"\.scaffold/undo: was not written"
        ):
            last.read(root)
        # but it does not keep anybody from working
        assert not write(root, (Change(PurePosixPath("b"), None, b"b"),), "second")
        assert kept(root).command == "second"


def test_a_link_in_its_place_is_not_followed(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (root / ".scaffold/undo").rename(outside / "undo")
    before = sorted(outside.rglob("*"))
    (root / ".scaffold/undo").symlink_to(outside / "undo")
    with pytest.raises(UnreadableFile, match="symbolic link"):
        last.read(root)
    note = write(root, (Change(PurePosixPath("b"), None, b"b"),), "second")
    assert note == (
        "the changes were made, but cannot be undone: .scaffold/undo: is a symbolic link"
    )
    assert sorted(outside.rglob("*")) == before
    assert not (root / ".scaffold/txn").exists()


def test_files_of_others_in_its_place_stay(root: Path) -> None:
    (root / ".scaffold/undo/notes").write_bytes(b"mine\n")
    note = write(root, (Change(PurePosixPath("b"), None, b"b"),), "second")
    assert "cannot be undone: .scaffold/undo: Directory not empty" in note
    assert (root / ".scaffold/undo/notes").read_bytes() == b"mine\n"
    assert last.read(root) is None


def test_git_does_not_see_it(root: Path) -> None:
    assert (root / ".scaffold/undo/.gitignore").read_text() == "*\n"
