"""32-bit hashes by which messages are distributed over partitions."""

from __future__ import annotations

_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Murmur2 as in Kafka's Java client.

    Source: Apache Kafka, Utils.murmur2.
    """
    factor = 0x5BD1E995
    value = 0x9747B28C ^ len(data)
    whole = len(data) - len(data) % 4
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * factor & _MASK
        word = (word ^ word >> 24) * factor & _MASK
        value = value * factor & _MASK ^ word
    if rest := data[whole:]:
        value = (value ^ int.from_bytes(rest, "little")) * factor & _MASK
    value = (value ^ value >> 13) * factor & _MASK
    return value ^ value >> 15


def murmur3(data: bytes) -> int:
    """Murmur3 of 32 bits, with the seed 0."""
    value = 0
    whole = len(data) - len(data) % 4
    for at in range(0, whole, 4):
        value ^= _scrambled(int.from_bytes(data[at : at + 4], "little"))
        value = (_turned(value, 13) * 5 + 0xE6546B64) & _MASK
    if rest := data[whole:]:
        value ^= _scrambled(int.from_bytes(rest, "little"))
    value ^= len(data)
    value = (value ^ value >> 16) * 0x85EBCA6B & _MASK
    value = (value ^ value >> 13) * 0xC2B2AE35 & _MASK
    return value ^ value >> 16


def fnv_1a(data: bytes) -> int:
    """FNV-1a of 32 bits."""
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & _MASK
    return value


def _scrambled(word: int) -> int:
    return _turned(word * 0xCC9E2D51 & _MASK, 15) * 0x1B873593 & _MASK


def _turned(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) & _MASK
