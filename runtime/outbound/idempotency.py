"""The key by which an endpoint recognizes another attempt of a delivery."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from runtime.outbound.journal import Journal, journal

# a context variable, so that the HTTP client finds it without help of the handler
idempotency_key: ContextVar[str] = ContextVar("idempotency_key", default="")
"""The key of the current delivery, the same for each of its attempts; "" outside of one.

The client sends it as the header `Idempotency-Key`.
"""


@contextlib.contextmanager
def keyed(key: str, record: Journal | None = None) -> Iterator[None]:
    """Set the key of a delivery, and its journal if it has one."""
    token, record_token = idempotency_key.set(key), journal.set(record)
    try:
        yield
    finally:
        idempotency_key.reset(token)
        journal.reset(record_token)
