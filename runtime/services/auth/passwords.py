"""Passwords: hashed with bcrypt, compared in constant time."""

from __future__ import annotations

import functools

import bcrypt

# bcrypt ignores all further bytes, so a longer password would be weaker than it looks
MAX_BYTES = 72


def hashed(password: str, cost: int) -> str:
    """The hash of a password, as it is stored.

    Raises:
        ValueError: the password is longer than `MAX_BYTES`, or contains a NUL.
    """
    text = password.encode("utf-8", "surrogateescape")
    if len(text) > MAX_BYTES:
        raise ValueError(f"password length exceeds {MAX_BYTES} bytes")
    if b"\0" in text:
        raise ValueError("password must not contain NUL")
    return bcrypt.hashpw(text, bcrypt.gensalt(cost)).decode()


def matches(password: str, hash: str) -> bool:
    """True if `hash` is the hash of `password`."""
    text = password.encode("utf-8", "surrogateescape")
    if len(text) > MAX_BYTES or b"\0" in text:
        return False
    return bcrypt.checkpw(text, hash.encode())


@functools.cache
def dummy_hash(cost: int) -> str:
    """A hash that costs as much as a user's, for unknown names."""
    return hashed("no user has this name", cost)
