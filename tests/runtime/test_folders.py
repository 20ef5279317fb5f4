"""What survives a crash: the entries of folders."""

import os
from pathlib import Path

from runtime import folders


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
    folders.make(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert found == [tmp_path.resolve(), (tmp_path / "a").resolve()]


def test_what_is_there_is_left_alone(tmp_path, monkeypatch):
    found = synced(monkeypatch)
    folders.make(tmp_path)
    assert found == []
