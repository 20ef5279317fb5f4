"""Directories of sideloaded values."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from runtime.services.sideload.sources import (
    MAX_BYTES,
    SideloadError,
    Sources,
    directory_of,
    read,
)


@pytest.fixture
def values(tmp_path: Path) -> Path:
    root = tmp_path / "values"
    for name, text in {
        "host/a.yml": "key: 5\nonly: a\nempty: null\n",
        "host/b.yaml": "key: text\n",
        "default.json": '{"key": 1, "a/b": true, "huge": 18446744073709551616}',
        "notes.txt": "key: 7\n",
        "none.yml": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_the_first_file_that_has_the_key_wins(values: Path) -> None:
    source = Sources().open(f"file://{values}")
    order = ["host/a.yml", "default.json"]
    assert source.lookup(order, "key") == 5
    assert source.lookup(order[::-1], "key") == 1
    assert source.lookup(order, "a//b") is True
    assert source.lookup(order, "nope") is None
    # a file that has the key without a value has it
    assert source.lookup(["host/a.yml", "host/b.yaml"], "empty") is None
    assert source.lookup(["notes.txt", "none.yml", "../x", ""], "key") is None


def test_hidden_files_are_left_out_and_links_are_followed(values: Path) -> None:
    # the way Kubernetes mounts a config map
    (values / "..2026").mkdir()
    (values / "..2026" / "map.yml").write_text("key: mounted\n")
    (values / "..data").symlink_to("..2026")
    (values / "map.yml").symlink_to("..data/map.yml")
    found = read(str(values))
    assert found["map.yml"] == {"key": "mounted"}
    assert not any(name.startswith(".") for name in found)


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("x.yml", "a: [", "failed to unmarshal yaml values "),
        ("x.yml", "- a\n", "the file is not a mapping of keys to values"),
        ("x.json", "{", "failed to unmarshal json values "),
        ("x.json", "[" * 100_000, "failed to unmarshal json values "),
        ("x.json", '"\udcff"', "failed to unmarshal json values "),
        ("x.json", " " * (MAX_BYTES + 1), "it contains more than 10000 files or "),
    ],
)
def test_a_bad_file_is_named(values: Path, name: str, text: str, fault: str) -> None:
    (values / name).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SideloadError) as caught:
        read(str(values))
    shown = str(caught.value)
    assert shown.startswith(
        f'failed to update sideload cache for source file "{values}": '
    )
    assert fault in shown


def test_a_pipe_is_not_waited_for(values: Path) -> None:
    os.mkfifo(values / "pipe.yml")
    with pytest.raises(SideloadError, match="is not a regular file"):
        read(str(values))


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(SideloadError, match=r"open .*no: no such file or directory"):
        Sources().open(f"file://{tmp_path}/no")


@pytest.mark.parametrize(
    ("source", "directory"),
    [
        ("file:///a/b/", "/a/b"),
        ("file:///a/../b", "/b"),
        ("file:////a", "/a"),
        ("file:///a%20b", "/a b"),
        ("file://host/a", "/a"),
    ],
)
def test_sources_are_directories(source: str, directory: str) -> None:
    assert directory_of(source) == directory


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("ftp://a/b", "unsupported source scheme \"ftp\", must be 'file', 'http', or"),
        ("file:a", 'sideload source path must be absolute "a"'),
        ("file://host", 'sideload source path must be absolute ""'),
        ("http://a/b", 'sideload source "http://a/b" is not supported'),
        ("endpoint", 'sideload source "endpoint" is not supported'),
        ("", 'sideload source "" is not supported'),
    ],
)
def test_other_sources_are_refused(source: str, fault: str) -> None:
    with pytest.raises(SideloadError) as caught:
        directory_of(source)
    assert str(caught.value).startswith(fault)


def test_a_source_is_shared_until_its_last_user_is_gone(values: Path) -> None:
    sources = Sources()
    one, other = sources.open(f"file://{values}"), sources.open(f"file://{values}/")
    assert one is other
    assert sources.directories == [str(values)]
    sources.close(one)
    (values / "host/a.yml").write_text("key: 6\n")
    fresh: Any = {str(values): read(str(values)), "/gone": {}}
    sources.replace(fresh)
    assert other.lookup(["host/a.yml"], "key") == 6
    sources.close(other)
    assert sources.directories == []
