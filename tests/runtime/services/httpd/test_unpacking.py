"""Compressed bodies: linear time, bounded results."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import RefusedError
from runtime.services.httpd.messages import status_of
from runtime.services.httpd.unpacking import MAX_MEMBERS, unpacked

EMPTY = gzip.compress(b"", mtime=0)


@given(st.lists(st.binary(max_size=2000) | st.just(b"x" * 70_000), max_size=8))
def test_members_follow_each_other(texts: list[bytes]) -> None:
    packed = b"".join(gzip.compress(text, 1) for text in texts)
    if texts:
        assert unpacked(packed, "gzip") == b"".join(texts)


@given(st.binary(max_size=300), st.integers(1, 40))
def test_what_is_cut_off_is_refused(text: bytes, missing: int) -> None:
    packed = gzip.compress(text) + gzip.compress(text)
    left = packed[: -min(missing, len(gzip.compress(text)) - 1)]
    with pytest.raises(RefusedError, match=r"unexpected EOF|invalid header"):
        unpacked(left, "gzip")


@given(st.binary(max_size=400))
def test_garbage_is_refused_or_unpacked(garbage: bytes) -> None:
    for body in (garbage, EMPTY + garbage, EMPTY[:10] + garbage):
        try:
            assert unpacked(body, "gzip") == gzip.decompress(body)
        except RefusedError as error:
            assert status_of(error) == 400


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "EOF"),
        (b"m v=1", "gzip: invalid header"),
        (EMPTY + b"m v=1", "gzip: invalid header"),
        (EMPTY + b"\0" * 8, "gzip: invalid header"),
        (EMPTY + EMPTY[:5], "unexpected EOF"),
        (zlib.compress(b"m v=1"), "gzip: invalid header"),
        (gzip.compress(b"m v=1", mtime=0)[:-8] + b"\0" * 8, "gzip: invalid checksum"),
        (gzip.compress(b"m v=1", mtime=0)[:-4] + b"\7\0\0\0", "gzip: invalid checksum"),
    ],
)
def test_damaged_bodies(body: bytes, text: str) -> None:
    with pytest.raises(RefusedError) as refused:
        unpacked(body, "gzip")
    assert str(refused.value) == text


def test_many_members_are_refused() -> None:
    assert unpacked(EMPTY * MAX_MEMBERS, "gzip") == b""
    with pytest.raises(RefusedError, match="more than 10000 gzip members") as refused:
        unpacked(EMPTY * 1_000_000, "gzip")
    assert status_of(refused.value) == 413


def test_the_result_is_bounded_over_all_members() -> None:
    member = gzip.compress(b"x" * 600_000)
    with pytest.raises(RefusedError, match="body is too large") as refused:
        unpacked(member * 2, "gzip")
    assert status_of(refused.value) == 413
    assert len(unpacked(gzip.compress(b"x" * 100), "gzip", 100)) == 100
    with pytest.raises(RefusedError, match="body is too large"):
        unpacked(gzip.compress(b"x" * 101), "gzip", 100)


@pytest.mark.parametrize("encoding", ["", "GZIP", "x-gzip", "deflate", "gzip, gzip"])
def test_other_encodings_are_left_alone(encoding: str) -> None:
    assert unpacked(EMPTY, encoding) == EMPTY
