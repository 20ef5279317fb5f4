"""Loaded definitions and their files, kept over restarts."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from runtime.store.database import Store

_BUCKET = "load"


class Loaded(NamedTuple):
    """A definition that was loaded.

    Attributes:
        file: name of the file; "" if an earlier version loaded it.
        digest: digest of its content.
    """

    file: str = ""
    digest: str = ""


class Ledger:
    """Loaded definitions by key. For the compute thread only."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> dict[str, Loaded]:
        """All definitions that were loaded and not deleted since."""
        return {
            key: _decoded(value) for key, value in self._store.values.items(_BUCKET)
        }

    def put(self, key: str, loaded: Loaded) -> None:
        """Note that a definition was loaded.

        Raises:
            StoreError: the database cannot be written.
        """
        self._store.values.put(_BUCKET, key, msgspec.json.encode(loaded))

    def delete(self, key: str) -> None:
        """Forget a definition that was deleted.

        Raises:
            StoreError: the database cannot be written.
        """
        self._store.values.delete(_BUCKET, key)


def _decoded(value: bytes) -> Loaded:
    if not value:
        return Loaded()
    try:
        return msgspec.json.decode(value, type=Loaded)
    except msgspec.MsgspecError:
        # without a digest it is loaded again
        return Loaded()
