"""The disk without descriptors of folders."""

from __future__ import annotations

import os
import signal
import stat
import threading
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any

import pytest

from scaffold.change import Change
from scaffold.disk import folders, posix, recovery, scratch, windows
from scaffold.disk.folders import NotPlainError
from scaffold.errors import Locked
from tests.scaffold.locking import locked_elsewhere

pytestmark = pytest.mark.parametrize("system", ["windows"], indirect=True)

JUNCTION, CLOUD = 0xA000_0003, 0x9000_001A


def reparsed(monkeypatch: pytest.MonkeyPatch, path: Path, tag: int) -> None:
    """Let a file or folder look as a reparse point does."""
    real = os.lstat

    def lstat(each: Any, **options: Any) -> Any:
        status = real(each, **options)
        if Path(each) != path:
            return status

        class Reparsed(SimpleNamespace):
            def __getitem__(self, part: slice) -> Any:
                return status[part]

        names = [name for name in dir(status) if name.startswith("st_")]
        values = {name: getattr(status, name) for name in names}
        return Reparsed(**values, st_reparse_tag=tag)

    monkeypatch.setattr(os, "lstat", lstat)


def test_a_junction_is_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/file").write_bytes(b"text")
    with folders.opened(tmp_path) as top:
        assert folders.read(top, "inner/file") == b"text"
        reparsed(monkeypatch, tmp_path / "inner", JUNCTION)
        with pytest.raises(NotPlainError, match="inner: is a symbolic link"):
            folders.read(top, "inner/file")
        status = top.status("inner")
        assert status is not None
        assert stat.S_ISLNK(status.st_mode)
        assert folders.names(top, "inner") == []


def test_a_file_kept_in_a_cloud_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"text")
    reparsed(monkeypatch, tmp_path / "file", CLOUD)
    with folders.opened(tmp_path) as top:
        assert folders.read(top, "file") == b"text"


@pytest.mark.parametrize("name", ["a\\b", "..\\b", "C:b", "b:stream", "a\0b"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with folders.opened(tmp_path) as top:
        for path in (name, f"inner/{name}", f"{name}/inner"):
            (tmp_path / "inner").mkdir(exist_ok=True)
            with pytest.raises(NotPlainError, match="is outside the project"):
                folders.read(top, path)


@pytest.mark.parametrize("moved", ["inner", "inner/deep"])
def test_a_folder_that_is_replaced_while_it_is_open_is_not_used(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, moved: str
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    for folder in (tmp_path / "inner/deep", outside / "deep"):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"canary")
    with folders.opened(tmp_path) as top, top.at(("inner", "deep")) as open_folder:
        (tmp_path / moved).rename(tmp_path / "elsewhere")
        (tmp_path / moved).symlink_to(outside if moved == "inner" else outside / "deep")
        uses = [
            lambda: open_folder.read("file"),
            lambda: open_folder.write("file", b"x"),
            lambda: open_folder.unlink("file"),
            lambda: open_folder.names(),
            lambda: open_folder.made("new"),
            lambda: open_folder.rename("file", open_folder, "other"),
            lambda: open_folder.sync("file"),
        ]
        for use in uses:
            with pytest.raises(OSError, match="was replaced at the same time"):
                use()
    assert (outside / "deep/file").read_bytes() == b"canary"
    assert sorted(os.listdir(outside / "deep")) == ["file"]  # noqa: PTH208


def test_a_file_that_is_replaced_while_it_is_opened_is_not_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "canary").write_bytes(b"canary")
    real = os.open

    def swapped(path: Any, *rest: Any, **options: Any) -> int:
        if Path(path).name == "file":
            (tmp_path / "file").unlink()
            (tmp_path / "file").symlink_to("canary")
        return real(path, *rest, **options)

    with folders.opened(tmp_path) as top:
        monkeypatch.setattr(os, "open", swapped)
        with pytest.raises(OSError, match="is not a regular file"):
            top.write("file", b"new")
    assert (tmp_path / "canary").read_bytes() == b"canary"


def test_both_ways_to_lock_keep_each_other_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        locked_elsewhere(tmp_path) as pid,  # it uses `posix`
        pytest.raises(Locked, match=f"pid {pid}"),
        recovery.locked(tmp_path),
    ):
        pass
    with recovery.locked(tmp_path):
        lock = os.open(tmp_path / ".scaffold/lock", os.O_RDWR)
        assert posix.is_held(lock)
        assert not posix.hold(lock)
        assert windows.is_held(lock)
        os.close(lock)
    with recovery.locked(tmp_path):
        pass


def test_a_project_is_copied_where_links_are_not_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/file").write_bytes(b"text")
    (tmp_path / "file").write_bytes(b"text")

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(os, "symlink", refuse)
    with scratch.changed(tmp_path, [Change(PurePosixPath("new"), None, b"")]) as copy:
        assert (copy / "file").read_bytes() == b"text"
        assert (copy / "inner/file").read_bytes() == b"text"
        (copy / "inner/file").write_bytes(b"other")
    assert (tmp_path / "inner/file").read_bytes() == b"text"


def test_signals_are_held_back_and_then_handled() -> None:
    handled: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: handled.append(number))
    try:
        with windows.uninterrupted():
            signal.raise_signal(signal.SIGTERM)
            assert handled == []
        assert handled == [signal.SIGTERM]
        signal.raise_signal(signal.SIGTERM)
        assert len(handled) == 2
    finally:
        signal.signal(signal.SIGTERM, before)


def test_only_the_main_thread_has_signals_to_hold_back() -> None:
    done = threading.Event()

    def run() -> None:
        with windows.uninterrupted():
            done.set()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert done.is_set()


def test_homes_are_where_windows_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALAPPDATA", "/users/me/local")
    assert windows.home(".cache") == "/users/me/local"
    monkeypatch.delenv("LOCALAPPDATA")
    assert windows.home(".cache") == str(Path("~/.cache").expanduser())
