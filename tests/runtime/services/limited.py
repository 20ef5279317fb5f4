"""Asynchronous tests that cannot hang."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

LIMIT_S = 60.0


def running(test: Awaitable[None]) -> None:
    """Run a test, which fails if it takes too long."""

    async def limited() -> None:
        async with asyncio.timeout(LIMIT_S):
            await test

    asyncio.run(limited())
