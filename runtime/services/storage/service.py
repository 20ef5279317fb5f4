"""The API of the database.

Source: Kapacitor services/storage/api.go.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Any

from runtime.compute.thread import Compute
from runtime.errors import (
    BusyError,
    ConflictError,
    FailedError,
    InvalidError,
    NotFoundError,
    StoreError,
)
from runtime.golang.json_decode import JsonError, decode, string, struct
from runtime.golang.quoting import quote
from runtime.services.httpd.listing import Listed, Page
from runtime.services.httpd.messages import (
    BASE,
    NO_CONTENT,
    Answer,
    Request,
    pretty,
    self_link,
)
from runtime.services.httpd.router import Router
from runtime.store.database import Store

# the names of Kapacitor's stores, which are parts of one database here
STORES = ("tasks", "recordings", "replays", "overrides", "handler-specs", "load")
_PATH = f"{BASE}/storage/stores"
_REJECTED = f"{BASE}/storage/rejected"
_PART_BYTES = 1 << 18
_PREFIX = ".backup-"
# Each backup has a copy of the database on the same disk until it is downloaded.
_BACKUPS_AT_ONCE = 2


def _action(value: Any, name: str, before: Any) -> str:
    if string(value, name, before) != "rebuild":
        raise JsonError(f"unknown StorageAction {value}")
    return str(value)


_BODY = struct("client.StorageActionOptions", {"action": _action})


class StorageService:
    """Answers below `/storage`."""

    def __init__(
        self,
        store: Store,
        compute: Compute,
        rejected_files: Callable[[], Sequence[tuple[str, str, str]]] = lambda: (),
    ) -> None:
        """Create the API.

        Args:
            store: the database.
            compute: compute thread, which uses the store.
            rejected_files: store, name and reason of files that cannot be loaded.
        """
        self._rejected_files = rejected_files
        self._store = store
        self._compute = compute
        self._one_at_a_time = asyncio.Lock()
        self._backups = 0

    def open(self) -> None:
        """Remove the remains of backups that a crash interrupted."""
        if self._store.path is not None:
            for left in self._store.path.parent.glob(f"{_PREFIX}*"):
                left.unlink(missing_ok=True)

    def add_routes(self, router: Router) -> None:
        """Add the routes."""
        router.add("GET", "/storage/stores", self._list)
        router.add("POST", "/storage/stores/", self._act)
        router.add("GET", "/storage/rejected", self._list_rejected)
        router.add("DELETE", "/storage/rejected/", self._delete_rejected)
        router.add("GET", "/storage/backup", self._backup)

    async def _list(self, request: Request) -> Answer:
        stores = [
            {"link": self_link(f"{_PATH}/{name}"), "name": name} for name in STORES
        ]
        return pretty({"link": self_link(_PATH), "storage": stores})

    async def _act(self, request: Request) -> Answer:
        if request.rest not in STORES:
            raise NotFoundError(f"unknown storage {quote(request.rest)}")
        try:
            action = (decode(request.body, _BODY, {}) or {}).get("action")
        except JsonError as error:
            text = f"failed to unmarshal storage action {error}"
            raise InvalidError(text) from None
        if action is None:
            # the misspelling is Kapacitor's
            raise InvalidError('unkown storage action "unknown StorageAction 0"')
        await self._compute.run(self._store.rebuild)
        return NO_CONTENT

    async def _list_rejected(self, request: Request) -> Answer:
        rejected = [*self._store.values.rejected, *self._rejected_files()]
        shown = Page.of(request).pick(rejected)
        listed = Listed(
            {"link": self_link(_REJECTED)}, "rejected", shown, _rejected_tree
        )
        return await listed.answer(self._compute.reader)

    async def _delete_rejected(self, request: Request) -> Answer:
        bucket, _, key = request.rest.partition("/")
        if any((bucket, key) == each[:2] for each in self._rejected_files()):
            raise ConflictError(f"{key} is a file: repair or remove it, and reload")
        if any((bucket, key) == each[:2] for each in self._store.values.rejected):
            await self._compute.run(self._store.values.delete, bucket, key)
        return NO_CONTENT

    async def _backup(self, request: Request) -> Answer:
        if self._backups >= _BACKUPS_AT_ONCE:
            raise BusyError("other backups are being downloaded, try again")
        self._backups += 1
        try:
            async with self._one_at_a_time:
                descriptor = await asyncio.to_thread(self._copied)
        except (OSError, StoreError) as error:
            self._backup_ended()
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise FailedError(f"failed to back up: {reason}") from error
        except BaseException:
            self._backup_ended()
            raise
        headers = {
            "Content-Disposition": 'attachment; filename="kapacitor.db"',
            "Content-Length": str(os.fstat(descriptor).st_size),
        }
        return Answer(
            200,
            content_type="application/octet-stream",
            headers=headers,
            stream=_Parts(descriptor, self._backup_ended),
        )

    def _backup_ended(self) -> None:
        self._backups -= 1

    def _copied(self) -> int:
        """A descriptor of a copy without a name, which needs no clean-up."""
        folder = None if self._store.path is None else self._store.path.parent
        # while the copy has a name, only the server's user may read it
        descriptor, name = tempfile.mkstemp(prefix=_PREFIX, dir=folder)
        path = Path(name)
        try:
            self._store.backup(path)
        except BaseException:
            os.close(descriptor)
            raise
        finally:
            path.unlink(missing_ok=True)
        return descriptor


def _rejected_tree(rejected: tuple[str, str, str]) -> dict[str, Any]:
    bucket, key, reason = rejected
    return {
        "link": self_link(f"{_REJECTED}/{bucket}/{key}"),
        "store": bucket,
        "id": key,
        "error": reason,
    }


class _Parts(AsyncGenerator[bytes, None]):
    """The content of a descriptor, which is always closed at the end."""

    def __init__(self, descriptor: int, closed: Callable[[], None]) -> None:
        self._descriptor: int | None = descriptor
        self._closed = closed

    async def asend(self, value: None) -> bytes:
        """The next part."""
        if self._descriptor is None:
            raise StopAsyncIteration
        part = await asyncio.to_thread(os.read, self._descriptor, _PART_BYTES)
        if not part:
            self._close()
            raise StopAsyncIteration
        return part

    async def athrow(self, *error: Any) -> bytes:
        """End early."""
        self._close()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End early."""
        self._close()

    def __del__(self) -> None:
        self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._closed()
