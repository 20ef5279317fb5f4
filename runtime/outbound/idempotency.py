"""The key by which an endpoint recognizes a delivery that is tried again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

from runtime.outbound.journal import Journal, journal

# a context variable: the HTTP client finds it, whatever a handler passes on
idempotency_key: ContextVar[str] = ContextVar("idempotency_key", default="")
"""The key of the current delivery, the same for each of its attempts; "" outside of one.

The client sends it as the header `Idempotency-Key`.
"""


@contextlib.contextmanager
def keyed(key: str, record: Journal | None = None) -> Iterator[None]:
    """Deliver with a key, and with a journal if there is one."""
    token, record_token = idempotency_key.set(key), journal.set(record)
    try:
        yield
    finally:
        idempotency_key.reset(token)
        journal.reset(record_token)
