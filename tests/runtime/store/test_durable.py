"""Durable files and entries of folders."""

import os
from pathlib import Path

import pytest

from runtime.store import durable


def synced(monkeypatch):
    """The folders that the disk is told to keep, as they are."""
    found = []
    real = os.fsync

    def note(descriptor):
        found.append(Path(f"/proc/self/fd/{descriptor}").resolve())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    return found


def test_each_folder_that_is_made_is_kept_by_the_one_it_is_in(tmp_path, monkeypatch):
    found = synced(monkeypatch)
    durable.make(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert found == [tmp_path.resolve(), (tmp_path / "a").resolve()]


def test_what_is_there_is_left_alone(tmp_path, monkeypatch):
    found = synced(monkeypatch)
    durable.make(tmp_path)
    assert found == []


def test_a_file_is_written_whole_and_kept(tmp_path, monkeypatch):
    path = tmp_path / "f"
    (tmp_path / "f.part").write_text("what a crash left")
    found = synced(monkeypatch)
    durable.write(path, b"new")
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"new", [path])
    assert found == [tmp_path.resolve() / "f.part", tmp_path.resolve()]


def test_a_file_that_cannot_be_written_stays_what_it_was(tmp_path, monkeypatch):
    path = tmp_path / "f"
    path.write_bytes(b"old")

    def fail(descriptor):
        raise OSError("no space")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        durable.write(path, b"new")
    assert path.read_bytes() == b"old"


def test_who_may_read_a_file_is_said_from_the_start(tmp_path):
    durable.write(tmp_path / "f", b"secret", 0o600)
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600
