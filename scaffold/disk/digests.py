"""Digests of files that a command read, to notice later changes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def digest(data: bytes | None) -> str:
    """The digest of a file; "" for one that does not exist."""
    return "" if data is None else hashlib.sha256(data).hexdigest()


def digest_of_names(names: Sequence[str]) -> str:
    """The digest of a folder: that of the names in it, which are sorted."""
    return digest("\n".join(names).encode("utf-8", "surrogateescape"))
