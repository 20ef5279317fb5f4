"""Transactions: order of syncs, restored files, files that are left alone."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from scaffold.change import Change
from scaffold.disk import (
    commit,
    folders,
    last,
    machine,
    platform,
    recovery,
    transaction,
)
from scaffold.errors import (
    Locked,
    PlanError,
    RecoveryFailed,
    StaleTree,
    UnreadableFile,
    WriteFailed,
)
from tests.scaffold.locking import locked_elsewhere

NEW = PurePosixPath("new/deep/file.py")
EDITED = PurePosixPath("edited.py")
STATE = PurePosixPath(".scaffold/handlers/foo/manifest")
CHANGES = (
    Change(NEW, None, b"new\n"),
    Change(EDITED, b"before\n", b"after\n"),
    Change(STATE, b"state\n", b"later\n"),
)
_WAIT_S = 30


class Stopped(BaseException):
    """As if the process had been killed."""


def stop(*arguments: object) -> None:
    raise Stopped


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with the files that change."""
    for change in CHANGES:
        if change.before is not None:
            (tmp_path / change.path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / change.path).write_bytes(change.before)
    (tmp_path / EDITED).chmod(0o750)
    return tmp_path


def texts(root: Path) -> dict[PurePosixPath, bytes]:
    """The files of the changes that exist."""
    files = (change.path for change in CHANGES)
    return {
        path: (root / path).read_bytes() for path in files if (root / path).exists()
    }


BEFORE = {each.path: each.before for each in CHANGES if each.before is not None}
AFTER = {each.path: each.after for each in CHANGES if each.after is not None}


def write(root: Path) -> None:
    with recovery.locked(root):
        commit.apply(root, CHANGES, "change")


def interrupt(root: Path, *, after: bool = False) -> None:
    """Begin to write, and stop before or after the files move."""
    with pytest.MonkeyPatch.context() as patch:
        if after:
            patch.setattr(last, "keep", stop)
        else:
            patch.setattr(transaction, "complete", stop)
        patch.setattr(commit, "_roll_back", stop)
        with pytest.raises(Stopped):
            write(root)


def test_a_sync_ends_when_the_last_file_is_on_the_disk(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, waited_for = threading.Event(), threading.Event()
    done: list[str] = []

    class File:
        """Takes its time where another thread syncs it: until it is waited for."""

        def sync(self, name: str) -> None:
            if threading.current_thread() is threading.main_thread():
                assert begun.wait(_WAIT_S)
            else:
                begun.set()
                assert waited_for.wait(_WAIT_S)
            done.append(name)

    def join(thread: threading.Thread, call: Callable[..., None]) -> None:
        waited_for.set()
        call(thread, _WAIT_S)

    plain = threading.Thread.join
    monkeypatch.setattr(threading.Thread, "join", lambda self: join(self, plain))
    try:
        transaction._sync([(File(), "first"), (File(), "second")])  # type: ignore[list-item]
        assert sorted(done) == ["first", "second"]
    finally:
        waited_for.set()


def test_the_first_failure_of_a_sync_is_raised() -> None:
    class Broken:
        def sync(self, name: str) -> None:
            raise OSError(name)

    files = [(Broken(), name) for name in ("a", "b", "c")]
    with pytest.raises(OSError, match=r"^[abc]$"):
        transaction._sync(files)  # type: ignore[arg-type]


def test_new_folders_go_when_a_command_is_put_back(root: Path) -> None:
    interrupt(root, after=True)
    assert texts(root) == AFTER
    assert recovery.recover(root, "abort")
    assert texts(root) == BEFORE
    assert not (root / "new").exists()
    assert stat.S_IMODE((root / EDITED).stat().st_mode) == 0o750
    assert last.read(root) is None


def test_a_completed_command_is_completed_again(root: Path) -> None:
    interrupt(root, after=True)
    assert recovery.recover(root)
    assert texts(root) == AFTER
    kept = last.read(root)
    assert kept is not None
    assert kept.command == "change"


def test_a_damaged_version_is_not_moved_into_place(root: Path) -> None:
    interrupt(root)
    (root / ".scaffold/txn/new/1-edited.py").write_bytes(b"damaged\n")
    with pytest.raises(
        PlanError, match=r"\.scaffold/txn/new/1-edited\.py: is damaged$"
    ):
        recovery.recover(root)
    assert (root / EDITED).read_bytes() == b"before\n"


def test_a_file_written_at_the_last_moment_stays(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def complete(
        made: transaction.Transaction,
        steps: list[transaction.Step],
        call: Callable[..., None] = transaction.complete,
    ) -> None:
        (root / EDITED).unlink()
        (root / EDITED).write_bytes(b"mine\n")
        call(made, steps)

    monkeypatch.setattr(transaction, "complete", complete)
    with pytest.raises(RecoveryFailed) as caught:
        write(root)
    versions = (".scaffold/txn/old/1-edited.py", ".scaffold/txn/new/1-edited.py")
    assert caught.value.saved == {"edited.py": versions}
    assert (root / EDITED).read_bytes() == b"mine\n"


def test_state_can_be_read_while_a_command_is_interrupted(root: Path) -> None:
    interrupt(root)
    with folders.opened(root) as top:
        assert folders.read(top, str(STATE)) == b"state\n"


@pytest.mark.parametrize("can_link", [True, False])
def test_what_a_file_was_is_kept_with_its_permissions(
    root: Path, monkeypatch: pytest.MonkeyPatch, can_link: bool
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    same = (root / EDITED).stat().st_ino
    machine.Keys(root).seal(b"")  # made before links are refused
    if not can_link:
        monkeypatch.setattr(os, "link", refuse)
    write(root)
    kept = last.read(root)
    assert kept is not None
    [edited] = [each for each in kept.changes if each.path == EDITED]
    assert (edited.after, edited.mode) == (b"before\n", 0o750)
    status = (root / ".scaffold/undo/old/1-edited.py").stat()
    assert (status.st_ino == same) is can_link


def test_an_interrupted_command_is_seen_unless_another_one_writes(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    interrupt(root)
    other = tmp_path_factory.mktemp("other")
    with locked_elsewhere(other):
        (root / ".scaffold/txn").rename(other / ".scaffold/txn")
        assert not recovery.is_interrupted(other)
    assert recovery.is_interrupted(other)
    (other / ".scaffold/lock").unlink()
    assert recovery.is_interrupted(other)
    assert not recovery.is_interrupted(root)


def test_no_descriptor_is_left_open(root: Path) -> None:
    def is_open(descriptor: int) -> bool:
        try:
            os.fstat(descriptor)
        except OSError:
            return False
        return True

    def descriptors() -> list[int]:
        return [*filter(is_open, range(256))]

    known = descriptors()
    interrupt(root)
    assert recovery.is_interrupted(root)
    assert descriptors() == known
    recovery.recover(root, "abort")
    write(root)
    assert descriptors() == known


def test_a_file_with_permissions_is_private_until_it_is_whole(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = platform.system.Place
    seen: list[tuple[int, int]] = []

    def permit(self: object, name: str, descriptor: int, mode: int) -> None:
        seen.append((stat.S_IMODE(os.fstat(descriptor).st_mode), mode))

    monkeypatch.setattr(place, "permit", permit)
    with folders.opened(root) as top:
        top.write("a", b"x", 0o751)
    assert seen == [(0o600, 0o751)]


@pytest.mark.parametrize("gone", ["edited.py", ".scaffold/handlers"])
def test_a_file_that_went_since_it_was_read_stops_everything(
    root: Path, gone: str
) -> None:
    (root / gone).rename(root / "elsewhere")
    with pytest.raises(StaleTree):
        write(root)
    assert not (root / "new").exists()


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("edited.py", "edited.py: is not writable"),
        ("", "new/deep/file.py: its folder is not writable"),
    ],
)
def test_what_cannot_be_written_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch, name: str, problem: str
) -> None:
    def is_writable(place: object, asked: str) -> bool:
        return asked != name

    # permissions do not stop the superuser
    monkeypatch.setattr(platform.system.Place, "is_writable", is_writable)
    with pytest.raises(PlanError) as caught:
        write(root)
    assert str(caught.value) == problem
    assert texts(root) == BEFORE


@pytest.mark.parametrize("system", ["posix"], indirect=True)
@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser gives files away")
def test_a_changed_file_keeps_its_owner(root: Path) -> None:
    os.chown(root / EDITED, 12, 34)
    write(root)
    status = (root / EDITED).stat()
    assert (status.st_uid, status.st_gid) == (12, 34)
    assert (root / NEW).stat().st_uid == 0


@pytest.mark.parametrize(
    ("there", "here", "given"),
    [
        ((1, 2), (1, 2), False),
        ((1, 2), (3, 2), True),
        ((1, 2), (1, 3), True),
        (None, (1, 2), False),
    ],
    ids=["same", "user", "group", "new"],
)
def test_an_owner_is_given_to_a_file_that_had_another_one(
    there: tuple[int, int] | None, here: tuple[int, int], given: bool
) -> None:
    done: list[object] = []

    class Folder:
        """A folder with a file of some owner."""

        def __init__(self, owner: tuple[int, int] | None) -> None:
            self.place = self
            self._status = owner and os.stat_result((0, 0, 0, 0, *owner, 0, 0, 0, 0))

        def status(self, name: str) -> os.stat_result | None:
            return self._status

        def give(self, name: str, owner: os.stat_result) -> None:
            done.append((name, (owner.st_uid, owner.st_gid)))

        def rename(self, name: str, folder: object, target: str) -> None:
            done.append((name, target))

    transaction._replace(Folder(here), "1-a", Folder(there), "a")  # type: ignore[arg-type]
    assert done == [*([("1-a", there)] if given else []), ("1-a", "a")]


def test_a_lock_with_a_second_name_is_not_emptied(root: Path) -> None:
    (root / "victim").write_bytes(b"precious\n")
    (root / ".scaffold/lock").hardlink_to(root / "victim")
    with pytest.raises(UnreadableFile, match="lock: has more than one hard link"):
        write(root)
    assert (root / "victim").read_bytes() == b"precious\n"


def test_a_file_that_grows_while_it_is_read_is_read_to_its_end(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(
        descriptor: int, size: int, call: Callable[[int, int], bytes] = os.read
    ) -> bytes:
        monkeypatch.setattr(os, "read", call)
        with (root / EDITED).open("ab") as file:
            file.write(b"more\n")
        return call(descriptor, size)

    with folders.opened(root) as top:
        monkeypatch.setattr(os, "read", read)
        assert top.read("edited.py") == b"before\nmore\n"


def test_a_file_that_the_user_named_is_whole_or_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "plan.json"
    commit.create(file, b"first\n")
    assert file.read_bytes() == b"first\n"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stop)
        with pytest.raises(Stopped):
            commit.create(file, b"second\n")
    assert file.read_bytes() == b"first\n"
    assert [each.name for each in tmp_path.iterdir()] == ["plan.json"]


@pytest.mark.parametrize("before", [b"", b" 12345678901234567\n", b"\xff\xfe\n"])
def test_a_lock_names_its_process_alone(root: Path, before: bytes) -> None:
    (root / ".scaffold/lock").write_bytes(before)
    with (
        locked_elsewhere(root) as pid,
        pytest.raises(Locked, match=rf"\bpid {pid}\b"),
        recovery.locked(root),
    ):
        pass
    (root / ".scaffold/lock").write_bytes(before)
    with recovery.locked(root):
        held = (root / ".scaffold/lock").read_bytes()
    assert held[1:] == f"{os.getpid()}\n".encode()


@pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="descriptors are unknown"
)
def test_a_lock_that_was_written_over_is_still_one(root: Path) -> None:
    with locked_elsewhere(root):
        (root / ".scaffold/lock").write_bytes(b" \xff\xfe\n")
        known = len([*Path("/proc/self/fd").iterdir()])
        with pytest.raises(Locked, match=r"\bpid unknown\b"), recovery.locked(root):
            pass
        assert len([*Path("/proc/self/fd").iterdir()]) == known


def test_an_empty_file_of_the_state_is_put_back(root: Path) -> None:
    (root / STATE).write_bytes(b"")
    with recovery.locked(root):
        commit.apply(root, [Change(STATE, b"", b"later\n")], "change")
    kept = last.read(root)
    assert kept is not None
    assert [each.after for each in kept.changes] == [b""]


def test_a_folder_that_cannot_be_removed_stops_everything(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "tools").mkdir()
    (root / "tools/run").write_bytes(b"text\n")
    gone = Change(PurePosixPath("tools/run"), b"text\n", None)

    def rmdir(name: str, call: Callable[..., None] = os.rmdir, **folders: int) -> None:
        if Path(name).name == "tools":
            raise OSError(errno.EIO, "Input/output error")
        call(name, **folders)

    with recovery.locked(root), monkeypatch.context() as patch:
        patch.setattr(os, "rmdir", rmdir)
        with pytest.raises(WriteFailed, match="Input/output error; the tree is as"):
            commit.apply(root, [*CHANGES, gone], "change")
    assert texts(root) == BEFORE
    assert (root / "tools/run").read_bytes() == b"text\n"


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_a_lock_may_be_taken_by_who_may_write(root: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with recovery.locked(root):
            mode = stat.S_IMODE((root / ".scaffold/lock").stat().st_mode)
    finally:
        os.umask(before)
    assert mode == 0o666 & ~umask


@pytest.mark.parametrize("path", ["", ".", "..", "/", "a//b", "./a", "a/..", "a/../b"])
def test_a_path_is_followed_by_the_names_of_entries_alone(
    root: Path, path: str
) -> None:
    (root / "a").mkdir()
    (root / "b").write_bytes(b"")
    with (
        folders.opened(root) as top,
        pytest.raises(folders.NotPlainError, match=r"is outside the project$"),
    ):
        folders.read(top, path)


@pytest.mark.parametrize("name", ["new/deep", "a\0b", "/"])
def test_a_part_of_a_path_is_one_name(root: Path, name: str) -> None:
    (root / "new/deep").mkdir(parents=True)
    with (
        folders.opened(root) as top,
        pytest.raises(folders.NotPlainError, match=r"is outside the project$"),
    ):
        top.at([name])


@pytest.mark.parametrize("system", ["windows"], indirect=True)
@pytest.mark.parametrize("name", ["C:", "file:stream", "new\\deep"])
def test_drives_and_streams_are_no_names(root: Path, name: str) -> None:
    with (
        folders.opened(root) as top,
        pytest.raises(folders.NotPlainError, match=r"is outside the project$"),
    ):
        folders.read(top, name)


# the folder that users share is one of POSIX systems
@pytest.mark.parametrize("system", ["posix"], indirect=True)
class TestKeys:
    @pytest.fixture
    def base(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The folder in which keys are made: in `scaffold`, else in that of all users."""
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        monkeypatch.setattr(platform.system, "SHARED", str(tmp_path))
        return tmp_path

    @pytest.mark.parametrize("length", [0, 31, 33])
    def test_a_key_of_another_length_is_not_used(
        self, root: Path, base: Path, length: int
    ) -> None:
        keys = machine.Keys(root / "project")
        sealed = keys.seal(b"data")
        key = base / "state/scaffold/key"
        assert [*key.parent.iterdir()] == [key]
        key.write_bytes((key.read_bytes() + b"x")[:length])
        assert keys.unsealed(sealed) is None
        assert keys.unsealed(keys.seal(b"data")) == b"data"
        assert self.shared(base).exists()

    def test_a_pipe_is_no_key(self, root: Path, base: Path) -> None:
        (base / "state/scaffold").mkdir(parents=True)
        os.mkfifo(base / "state/scaffold/key")
        keys = machine.Keys(root / "project")
        assert keys.unsealed(keys.seal(b"data")) == b"data"
        assert self.shared(base).exists()

    def test_a_shared_folder_that_others_may_write_has_no_key(
        self, root: Path, base: Path
    ) -> None:
        (base / "state").write_bytes(b"")  # no folder there
        keys = machine.Keys(root / "project")
        sealed = keys.seal(b"data")
        assert keys.unsealed(sealed) == b"data"
        self.shared(base).parent.chmod(0o777)
        assert keys.unsealed(sealed) is None
        with pytest.raises(OSError):
            keys.seal(b"data")

    @pytest.mark.parametrize("named", [None, "", "relative"])
    def test_the_key_is_below_the_home_if_no_folder_is_named(
        self, base: Path, monkeypatch: pytest.MonkeyPatch, named: str | None
    ) -> None:
        monkeypatch.setenv("HOME", str(base / "home"))
        monkeypatch.delenv("XDG_STATE_HOME")
        if named is not None:
            monkeypatch.setenv("XDG_STATE_HOME", named)
        keys = machine.Keys(base / "project")
        assert keys.unsealed(keys.seal(b"data")) == b"data"
        key = base / "home/.local/state/scaffold/key"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700

    def test_a_home_inside_the_project_has_no_key(
        self, base: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("XDG_STATE_HOME")
        for home in ("project/home", "project"):
            monkeypatch.setenv("HOME", str(base / home))
            machine.Keys(base / "project").seal(b"data")
            assert not (base / home / ".local").exists()
        assert self.shared(base).exists()

    def shared(self, base: Path) -> Path:
        return base / f"scaffold-{os.getuid()}/key"
