"""Snapshots as plain text files that a reviewer can read."""

from __future__ import annotations

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class TextSnapshot(SingleFileSnapshotExtension):
    """One text file per snapshot, named like its test."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"
