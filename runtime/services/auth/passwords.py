"""Passwords: hashed with bcrypt, compared in constant time."""

from __future__ import annotations

import functools

import bcrypt

# bcrypt looks at no more; a longer password would be less than it seems
MAX_BYTES = 72


def hashed(password: str, cost: int) -> str:
    """The hash of a password, as it is stored.

    Raises:
        ValueError: it is longer than `MAX_BYTES`, or holds a NUL.
    """
    text = password.encode("utf-8", "surrogateescape")
    if len(text) > MAX_BYTES:
        raise ValueError(f"password length exceeds {MAX_BYTES} bytes")
    if b"\0" in text:
        raise ValueError("password must not contain NUL")
    return bcrypt.hashpw(text, bcrypt.gensalt(cost)).decode()


def matches(password: str, hash: str) -> bool:
    """True if `hash` was made of `password`."""
    text = password.encode("utf-8", "surrogateescape")
    if len(text) > MAX_BYTES or b"\0" in text:
        return False
    return bcrypt.checkpw(text, hash.encode())


@functools.cache
def nobody(cost: int) -> str:
    """A hash that costs as much as a user's, for names that no user has."""
    return hashed("nobody", cost)
