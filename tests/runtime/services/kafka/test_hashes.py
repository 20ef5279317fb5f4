"""Hashes by which messages are spread."""

import pytest

from runtime.services.kafka.hashes import fnv_1a, murmur2, murmur3


# of the tests of Kafka's Java client, whose numbers have a sign
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    ],
)
def test_murmur2(data, expected):
    assert murmur2(data) == expected % 2**32


# the reference implementation's, with the seed 0
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (b"a", 0x3C2569B2),
        (b"ab", 0x9BBFD75F),
        (b"abc", 0xB3DD93FA),
        (b"test", 0xBA6BD213),
        (b"Hello, world!", 0xC0363E43),
    ],
)
def test_murmur3(data, expected):
    assert murmur3(data) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", 0x811C9DC5), (b"a", 0xE40C292C), (b"foobar", 0xBF9CF968)],
)
def test_fnv_1a(data, expected):
    assert fnv_1a(data) == expected
