import asyncio

import pytest

from runtime.errors import StoreError
from runtime.services.alert.loop import Loop


@pytest.mark.parametrize("fault", [StoreError("disk is full"), ValueError("a bug")])
def test_a_timer_that_fails_is_told_and_stops_nothing(caplog, fault):
    fired = []

    def fail():
        fired.append(1)
        raise fault

    async def main():
        loop = Loop()
        loop.start(asyncio.to_thread)
        loop.later(0.0, fail)
        while not fired:
            await asyncio.sleep(0.001)
        await loop.close()

    asyncio.run(asyncio.wait_for(main(), 30))
    [record] = caplog.records
    assert record.getMessage().startswith("failed to run a timer of a handler")
    assert str(fault) in caplog.text or str(fault) == record.err
