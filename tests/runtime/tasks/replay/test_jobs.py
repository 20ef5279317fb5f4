"""Running jobs are completed, however early they end."""

import asyncio

import pytest

from runtime.tasks.replay.jobs import Jobs


class Work:
    """Work that never ends by itself."""

    def __init__(self):
        self.taps = {"a tap"}

    async def run(self):
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.taps.clear()


@pytest.mark.parametrize("steps", [0, 1, 2])
@pytest.mark.parametrize("end", ["cancel", "close"])
def test_work_cleans_up_even_if_it_had_not_begun(steps, end):
    async def run():
        jobs, work = Jobs(), Work()
        jobs.start("recording", "r", work.run())
        for _ in range(steps):
            await asyncio.sleep(0)
        await (jobs.cancel("recording", "r") if end == "cancel" else jobs.close())
        return work.taps

    assert asyncio.run(run()) == set()


def test_what_fails_is_told(caplog):
    async def fails():
        raise ValueError("no")

    async def run():
        jobs = Jobs()
        jobs.start("replay", "r", fails())
        await jobs.close()
        await jobs.cancel("replay", "r")

    asyncio.run(run())
    assert "replay failed" in caplog.text
