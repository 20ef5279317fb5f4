"""All changes or none, whatever happens in between."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from scaffold.change import Change
from scaffold.disk import commit, last, machine, platform, recovery, transaction
from scaffold.errors import (
    ForeignTransaction,
    Locked,
    PlanError,
    RecoveryFailed,
    StaleTree,
    UnreadableFile,
    WriteFailed,
)
from tests.draws import drawn
from tests.scaffold.locking import locked_elsewhere

CHANGES = (
    Change(PurePosixPath("new/deep/file.py"), None, b"new\n"),
    Change(PurePosixPath("edited.py"), b"before\n", b"after\n"),
    Change(PurePosixPath("gone.py"), b"gone\n", None),
    Change(PurePosixPath("other/edited.py"), b"x\n", b"y\n"),
    Change(PurePosixPath(".scaffold/handlers/foo/manifest"), None, b"state\n"),
)
_CALLS = (
    "open",
    "write",
    "fsync",
    "fchmod",
    "chmod",
    "replace",
    "mkdir",
    "link",
    "unlink",
    "rmdir",
    "close",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for change in CHANGES:
        if change.before is not None:
            file = tmp_path / change.path
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(change.before)
    (tmp_path / "edited.py").chmod(0o750)
    return tmp_path


def snapshot(root: Path, *, own: bool = False) -> dict[str, tuple[bytes, int]]:
    """Every file with its permissions; without lock and transaction unless `own`."""
    return {
        str(path.relative_to(root)): (
            path.read_bytes(),
            stat.S_IMODE(path.stat().st_mode),
        )
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and (
            own
            or not path.relative_to(root)
            .as_posix()
            .startswith((".scaffold/lock", ".scaffold/undo/"))
        )
    }


def write(
    root: Path, changes: tuple[Change, ...] = CHANGES, command: str = "change"
) -> None:
    with recovery.locked(root):
        commit.apply(root, changes, command)


def test_everything_is_written_with_its_permissions(root: Path) -> None:
    write(root)
    assert snapshot(root) == {
        ".scaffold/handlers/foo/manifest": (b"state\n", 0o644),
        "edited.py": (b"after\n", 0o750),
        "new/deep/file.py": (b"new\n", 0o644),
        "other/edited.py": (b"y\n", 0o644),
    }


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o077, 0o002])
def test_new_files_and_folders_obey_the_umask(root: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(root)
    finally:
        os.umask(before)
    after = snapshot(root)
    assert after["new/deep/file.py"][1] == 0o666 & ~umask
    assert stat.S_IMODE((root / "new").stat().st_mode) == 0o777 & ~umask
    assert after["edited.py"][1] == 0o750


def test_a_file_that_stays_the_same_is_not_touched(root: Path) -> None:
    before = (root / "edited.py").stat()
    write(root, (Change(PurePosixPath("edited.py"), b"before\n", b"before\n"),))
    assert (root / "edited.py").stat() == before


class Interrupting:
    """Makes the n-th call of the system fail."""

    def __init__(self, at: int, error: BaseException) -> None:
        self.at = at
        self.error = error
        self.count = 0

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            if self.count == self.at:
                raise self.error
            return call(*args, **kwargs)

        return wrapped


def attempts(
    root: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> Iterator[tuple[int, BaseException | None]]:
    """Write with a failure at the first call, the second, …, until nothing fails."""
    for at in range(1, 1000):
        failing = Interrupting(at, error)
        raised: BaseException | None = None
        with recovery.locked(root), monkeypatch.context() as patch:
            for name in _CALLS:
                patch.setattr(os, name, failing.wrap(getattr(os, name)))
            try:
                commit.apply(root, CHANGES, "change")
            except BaseException as caught:
                raised = caught
        yield at, raised
        if failing.count < at:
            return
    pytest.fail("never succeeds")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), WriteFailed),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failure_at_any_step_leaves_the_tree_as_it_was(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    expected: type[BaseException],
) -> None:
    before = snapshot(root)
    failures = 0
    for _, raised in attempts(root, monkeypatch, error):
        recovery.recover(root)
        now = snapshot(root)
        if raised is not None and now == before:
            assert isinstance(raised, expected)
            assert not (root / "new").exists()
            failures += 1
            continue
        # Once everything is in its place, clearing up may fail; the change stands.
        assert now["edited.py"][0] == b"after\n"
        assert "gone.py" not in now
        for change in CHANGES:
            file = root / change.path
            if change.before is None:
                file.unlink()
            else:
                file.write_bytes(change.before)
        for folder in (
            "new/deep",
            "new",
            ".scaffold/handlers/foo",
            ".scaffold/handlers",
        ):
            (root / folder).rmdir()
    assert failures > 40


KILLED = """
import os, sys, signal
from pathlib import Path
sys.path.insert(0, {here!r})
from scaffold.disk import commit, platform, recovery, {system}
from test_disk_changes import CHANGES
platform.system = {system}
count = 0
def wrap(call):
    def wrapped(*args, **kwargs):
        global count
        count += 1
        if count == {at}:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*args, **kwargs)
    return wrapped
for name in {calls!r}:
    setattr(os, name, wrap(getattr(os, name)))
root = Path({root!r})
with recovery.locked(root):
    commit.apply(root, CHANGES, "change")
"""


# `test_stopped` kills whole commands, at each call in its long form
@pytest.mark.parametrize("at", drawn(range(1, 150, 7), 8))
def test_a_killed_run_leaves_all_or_nothing(
    root: Path, tmp_path_factory: pytest.TempPathFactory, system: str, at: int
) -> None:
    write(root, (Change(PurePosixPath("first.py"), None, b"first\n"),), "first")
    before = snapshot(root)
    here = tmp_path_factory.mktemp("modules")
    changes = textwrap.dedent(f"""\
        from pathlib import PurePosixPath
        from scaffold.change import Change
        CHANGES = {CHANGES!r}
        """)
    (here / "test_disk_changes.py").write_text(changes)
    code = KILLED.format(
        here=str(here), at=at, calls=_CALLS, root=str(root), system=system
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode in (0, -signal.SIGKILL)
    recovery.recover(root)
    now = snapshot(root)
    after = {
        "edited.py": b"after\n",
        "new/deep/file.py": b"new\n",
        "other/edited.py": b"y\n",
        "first.py": b"first\n",
    }
    state = {".scaffold/handlers/foo/manifest": b"state\n"}
    assert (
        now == before
        or {name: data for name, (data, _) in now.items()} == after | state
    )
    assert not (root / ".scaffold/txn").exists()
    # and what there is to undo is the last one of those that were made
    kept = last.read(root)
    assert kept is not None
    assert kept.command == ("first" if now == before else "change")
    write(root, kept.changes)
    now = snapshot(root)
    assert now == before or "first.py" not in now


class Stopped(BaseException):
    """As if the process had been killed."""


@pytest.fixture
def interrupted(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree whose change is recorded, and not begun."""

    def stop(*arguments: object) -> None:
        raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(transaction, "complete", stop)
        patch.setattr(commit, "_roll_back", stop)
        with pytest.raises(Stopped):
            write(root)
    return root


def test_recovery_stops_where_somebody_else_wrote(interrupted: Path) -> None:
    root = interrupted
    (root / "edited.py").unlink()
    (root / "edited.py").write_bytes(b"mine\n")
    before = snapshot(root)
    with pytest.raises(RecoveryFailed) as caught:
        recovery.recover(root)
    assert snapshot(root) == before
    versions = (".scaffold/txn/old/1-edited.py", ".scaffold/txn/new/1-edited.py")
    assert caught.value.saved == {"edited.py": versions}
    assert all(path in str(caught.value) for path in ("edited.py", *versions))
    assert [(root / path).read_bytes() for path in versions] == [
        b"before\n",
        b"after\n",
    ]


@pytest.mark.parametrize("choice", ["continue", "abort"])
def test_a_person_chooses_how_to_go_on(
    interrupted: Path, choice: recovery.Choice
) -> None:
    root = interrupted
    (root / "edited.py").unlink()
    (root / "edited.py").write_bytes(b"mine\n")
    assert recovery.recover(root, choice)
    now = {path: data for path, (data, _) in snapshot(root).items()}
    kept = {
        ".scaffold/kept/edited.py.before": b"before\n",
        ".scaffold/kept/edited.py.after": b"after\n",
    }
    others = {
        str(change.path): change.after if choice == "continue" else change.before
        for change in CHANGES
        if change.path.name != "edited.py" or change.path.parent.name
    }
    assert now == kept | {"edited.py": b"mine\n"} | {
        path: data for path, data in others.items() if data is not None
    }
    assert not recovery.recover(root)
    # a completed change can be undone, and leaves the person's file alone
    made = last.read(root)
    assert (made.command if made else "") == ("change" if choice == "continue" else "")
    if made:
        assert made.changes
        assert not made.touched
        write(root, made.changes, "undo")
        assert (root / "edited.py").read_bytes() == b"mine\n"


def test_a_record_of_an_earlier_version_is_completed(interrupted: Path) -> None:
    file = interrupted / ".scaffold/txn/commit"
    keys = machine.Keys(interrupted)
    data = keys.unsealed(file.read_bytes())
    assert data is not None
    _, steps = json.loads(data)
    file.write_bytes(keys.seal(json.dumps(steps).encode()))
    assert recovery.recover(interrupted)
    assert (interrupted / "edited.py").read_bytes() == b"after\n"
    assert last.read(interrupted) is None


def test_versions_that_were_kept_before_stay(interrupted: Path) -> None:
    kept = interrupted / ".scaffold/kept/edited.py.before"
    kept.parent.mkdir()
    kept.write_bytes(b"kept before\n")
    (interrupted / "edited.py").unlink()
    recovery.recover(interrupted, "continue")
    assert kept.read_bytes() == b"kept before\n"
    assert kept.with_name("edited.py.before.2").read_bytes() == b"before\n"


@pytest.mark.parametrize("choice", ["", "continue", "abort"])
@pytest.mark.parametrize(
    "path", ["txn", "txn/new", "txn/old", "txn/new/1-edited.py", "txn/old/1-edited.py"]
)
def test_links_in_a_transaction_of_ours_are_not_followed(
    interrupted: Path,
    tmp_path_factory: pytest.TempPathFactory,
    path: str,
    choice: recovery.Choice,
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    for name in ("1-edited.py", "file", "owner", "commit"):
        (outside / name).write_bytes(b"canary\n")
    spoilt = interrupted / ".scaffold" / path
    spoilt.rename(interrupted / "elsewhere")
    spoilt.symlink_to(outside / spoilt.name if spoilt.suffix else outside)
    before = snapshot(outside)
    with contextlib.suppress(PlanError):
        recovery.recover(interrupted, choice)
    assert snapshot(outside) == before
    assert (interrupted / "edited.py").read_bytes() != b"canary\n"
    assert not (interrupted / "edited.py").is_symlink()


def test_what_another_user_or_machine_left_is_not_completed(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any
) -> None:
    before = snapshot(interrupted, own=True)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("another")))
    for choice in ("", "continue", "abort"):
        with pytest.raises(ForeignTransaction, match="not written by you"):
            recovery.recover(interrupted, choice)
    assert not recovery.is_interrupted(interrupted)
    after = snapshot(interrupted, own=True)
    del after[".scaffold/lock"], before[".scaffold/lock"]
    assert after == before


def test_a_home_inside_the_project_keeps_no_key(
    interrupted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(os.environ["XDG_STATE_HOME"], interrupted / "state")
    monkeypatch.setenv("XDG_STATE_HOME", str(interrupted / "state"))
    with pytest.raises(ForeignTransaction):
        recovery.recover(interrupted)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any) -> Path:
    """The folder in which the key is created."""
    state = Path(tmp_path_factory.mktemp("state"))
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    monkeypatch.setattr(platform.system, "SHARED", str(state / "shared"))
    return state / "scaffold/key"


def test_a_seal_is_of_one_text(root: Path, key: Path) -> None:
    keys = machine.Keys(root)
    sealed = keys.seal(b"data")
    assert keys.unsealed(sealed) == b"data"
    assert keys.unsealed(sealed + b"more") is None
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


# on Windows a home is closed to others, and permissions say nothing
@pytest.mark.parametrize("system", ["posix"], indirect=True)
def test_a_key_that_others_may_read_is_not_used(root: Path, key: Path) -> None:
    keys = machine.Keys(root)
    sealed = keys.seal(b"data")
    key.chmod(0o644)
    assert keys.unsealed(sealed) is None
    assert keys.unsealed(keys.seal(b"data")) == b"data"
    key.chmod(0o600)
    assert keys.unsealed(sealed) == b"data"


def test_without_a_place_for_a_key_nothing_is_written(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: Any
) -> None:
    file = tmp_path_factory.mktemp("state") / "file"
    file.write_bytes(b"")
    monkeypatch.setenv("XDG_STATE_HOME", str(file))
    monkeypatch.setattr(platform.system, "SHARED", str(file))
    before = snapshot(root)
    with pytest.raises(WriteFailed, match="set XDG_STATE_HOME"):
        write(root)
    assert snapshot(root) == before


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), None])
def test_a_clean_up_that_fails_says_that_the_changes_were_made(
    root: Path, monkeypatch: pytest.MonkeyPatch, error: OSError | None
) -> None:
    def fail(state: object) -> None:
        raise error or KeyboardInterrupt

    with recovery.locked(root), monkeypatch.context() as patch:
        patch.setattr(transaction, "drop", fail)
        if error:
            note = commit.apply(root, CHANGES)
        else:
            with pytest.raises(KeyboardInterrupt) as caught:
                commit.apply(root, CHANGES)
            note = str(caught.value)
    assert "the changes were made" in note
    assert (root / "edited.py").read_bytes() == b"after\n"
    assert recovery.recover(root)
    assert not (root / ".scaffold/txn").exists()
    assert (root / "edited.py").read_bytes() == b"after\n"


def test_a_full_disk_on_the_lock_itself(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(WriteFailed, match="No space left on device; the tree is as"):
        write(root)


def test_a_file_that_changed_since_it_was_read_stops_everything(root: Path) -> None:
    (root / "other/edited.py").write_bytes(b"edited meanwhile\n")
    before = snapshot(root)
    with pytest.raises(StaleTree, match=r"other/edited\.py"):
        write(root)
    assert snapshot(root) == before


def test_a_second_writer_is_told_who_writes(root: Path) -> None:
    with locked_elsewhere(root) as pid:
        with pytest.raises(Locked, match=f"pid {pid}"), recovery.locked(root):
            pass
        (root / ".scaffold/txn").mkdir()
        assert not recovery.is_interrupted(root)
        with pytest.raises(Locked):
            recovery.recover(root)
        (root / ".scaffold/txn").rmdir()
    with recovery.locked(root):
        pass


def test_a_file_system_without_locks_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(descriptor: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    before = snapshot(root)
    monkeypatch.setattr(platform.system, "hold", without)
    with pytest.raises(PlanError, match="cannot be locked: No locks available"):
        write(root)
    assert snapshot(root) == before


def link(root: Path) -> None:
    (root / "edited.py").rename(root / "real.py")
    (root / "edited.py").symlink_to("real.py")


def linked_folder(root: Path) -> None:
    (root / "other").rename(root / "real")
    (root / "other").symlink_to("real")


def hard_link(root: Path) -> None:
    (root / "twin.py").hardlink_to(root / "edited.py")


def pipe(root: Path) -> None:
    (root / "edited.py").unlink()
    os.mkfifo(root / "edited.py")


def folder(root: Path) -> None:
    (root / "edited.py").unlink()
    (root / "edited.py").mkdir()


def file_for_folder(root: Path) -> None:
    (root / "new").write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (link, "edited.py: is a symbolic link"),
        (linked_folder, "other: is a symbolic link"),
        (hard_link, "edited.py: has more than one hard link"),
        (pipe, "edited.py: is not a regular file"),
        (folder, "edited.py: is not a regular file"),
        (file_for_folder, "new: is not a folder"),
    ],
)
def test_what_is_no_plain_file_is_refused(
    root: Path, spoil: Callable[[Path], None], problem: str
) -> None:
    spoil(root)
    before = sorted(root.rglob("*"))
    with pytest.raises(PlanError) as caught:
        write(root)
    assert str(caught.value) == problem
    lock = {root / ".scaffold", root / ".scaffold/lock"}
    assert set(root.rglob("*")) == {*before, *lock}


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everything")
def test_a_file_that_may_not_be_written_is_refused(root: Path) -> None:
    (root / "edited.py").chmod(0o444)
    with pytest.raises(PlanError, match="is not writable"):
        write(root)


@pytest.mark.parametrize("path", ["../evil.py", "/tmp/evil.py"])
def test_a_path_that_leads_out_is_refused(root: Path, path: str) -> None:
    with pytest.raises(UnreadableFile, match="outside"):
        write(root, (Change(PurePosixPath(path), None, b""),))


def test_state_that_leads_out_is_refused(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (root / ".scaffold").symlink_to(tmp_path_factory.mktemp("outside"))
    with pytest.raises(UnreadableFile, match="symbolic link"):
        write(root)


def test_a_new_key_never_overwrites_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder = tmp_path / "state/scaffold"
    folder.mkdir(parents=True)
    os.link(victim, folder / f"key.{os.getpid()}")
    assert machine.Keys(tmp_path / "project").seal(b"x")
    assert victim.read_text() == "precious"


def test_what_is_written_is_on_the_disk_before_what_depends_on_it(
    root: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    calls: list[str] = []

    def path_of(descriptor: int) -> str:
        link = Path(f"/proc/self/fd/{descriptor}").readlink()
        return str(link).removeprefix(f"{root}/")

    def fsync(descriptor: int, call: Callable[[int], None] = os.fsync) -> None:
        calls.append(f"sync {path_of(descriptor)}")
        call(descriptor)

    def replace(
        old: str, new: str, call: Callable[..., None] = os.replace, **folders: int
    ) -> None:
        whole = f"{path_of(folders['dst_dir_fd'])}/{new}" if folders else new
        calls.append(f"move {whole.removeprefix(f'{root}/')}")
        call(old, new, **folders)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write(root)
    txn = ".scaffold/txn"
    committed = calls.index(f"move {txn}/commit")
    # the undo folder is moved when everything is on the disk
    assert calls.pop() == "move .scaffold/undo"
    targets = [
        number
        for number, call in enumerate(calls)
        if call.startswith("move") and number != committed
    ]
    assert {
        PurePosixPath(calls[number].removeprefix("move ")).name for number in targets
    } == {
        "file.py",
        "edited.py",
        "manifest",
    }
    staged = [f"{txn}/owner", f"{txn}/record"]
    staged += [f"{txn}/new/{name}" for name in ("0-file.py", "1-edited.py")]
    staged += [f"{txn}/old/{name}" for name in ("1-edited.py", "2-gone.py")]
    assert {f"sync {path}" for path in staged} <= {*calls[:committed]}
    between = calls[committed + 1 : targets[0]]
    if system == "windows":  # folders cannot be synced there
        return
    folders = [f"{txn}/new", f"{txn}/old", txn, ".scaffold"]
    assert {f"sync {path}" for path in folders} <= {*calls[:committed]}
    assert f"sync {txn}" in between
    parents = ["new/deep", "new", "other", ".scaffold/handlers/foo", ".scaffold"]
    assert {f"sync {path}" for path in [*parents, str(root)]} <= {*calls[targets[-1] :]}


@pytest.mark.parametrize("system", ["posix"], indirect=True)
def test_what_is_put_back_is_on_the_disk_before_its_record_goes(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(root)
    calls: list[str] = []

    def path_of(descriptor: int, name: str = "") -> str:
        link = Path(f"/proc/self/fd/{descriptor}").readlink() / name
        return link.relative_to(root).as_posix()

    def fsync(descriptor: int, call: Callable[[int], None] = os.fsync) -> None:
        calls.append(f"sync {path_of(descriptor)}")
        call(descriptor)

    def replace(
        old: str, new: str, call: Callable[..., None] = os.replace, **folders: int
    ) -> None:
        calls.append(f"move {path_of(folders['dst_dir_fd'], new)}")
        if calls[-1] == "move .scaffold/handlers/foo/manifest":
            raise OSError(errno.EIO, "Input/output error")
        call(old, new, **folders)

    def unlink(
        name: str, call: Callable[..., None] = os.unlink, dir_fd: int = 0
    ) -> None:
        calls.append(f"remove {path_of(dir_fd, name)}")
        call(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(WriteFailed):
        write(root)
    assert snapshot(root) == before
    aborted = calls.index("move .scaffold/txn/abort")
    back = [
        number
        for number, call in enumerate(calls[aborted + 1 :], aborted + 1)
        if call.split()[0] != "sync" and ".scaffold" not in call
    ]
    assert "sync .scaffold/txn" in calls[aborted : back[0]]
    dropped = calls.index("remove .scaffold/txn/record")
    assert back[-1] < dropped
    assert {"sync .", "sync other"} <= {*calls[back[-1] : dropped]}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_waits_until_everything_is_put_back(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    before = snapshot(root)
    moves = 0

    def replace(
        old: str, new: str, call: Callable[..., None] = os.replace, **folders: int
    ) -> None:
        nonlocal moves
        moves += 1
        if moves == 4:  # the record, two targets, and now the third
            raise OSError(errno.ENOSPC, "No space left on device")
        if moves > 5:  # the record is that of an undone change
            # to this thread: what is held back is held back for it alone
            signal.pthread_kill(threading.get_ident(), number)
        call(old, new, **folders)

    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    handler = signal.signal(number, interrupt)
    try:
        with recovery.locked(root), monkeypatch.context() as patch:
            patch.setattr(os, "replace", replace)
            with pytest.raises((WriteFailed, KeyboardInterrupt)):
                commit.apply(root, CHANGES)
            assert snapshot(root) == before
            assert not (root / ".scaffold/txn").exists()
    finally:
        signal.signal(number, handler)
    assert moves > 5
