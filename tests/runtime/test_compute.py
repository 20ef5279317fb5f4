"""The compute thread."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import pytest

from runtime.compute import Compute


def test_results_and_errors_reach_the_caller() -> None:
    async def run() -> None:
        compute = Compute()
        compute.start()
        assert await compute.run(divmod, 7, 2) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            await compute.run(divmod, 7, 0)
        await compute.close()

    asyncio.run(run())


def test_waiting_writes_share_a_commit_and_are_answered_one_by_one() -> None:
    events: list[str] = []
    gate = threading.Event()

    @contextlib.contextmanager
    def transaction() -> Iterator[None]:
        events.append("begin")
        yield
        events.append("commit")

    def write(name: str) -> str:
        events.append(name)
        if name == "bad":
            raise ValueError(name)
        return name

    async def run() -> list[object]:
        compute = Compute(transaction)
        compute.start()
        first = compute.run(gate.wait, 5)
        writes = [compute.write(write, name) for name in ("a", "bad", "b")]
        between = compute.run(events.append, "other")
        writes.append(compute.write(write, "c"))
        gate.set()
        results = await asyncio.gather(*writes, return_exceptions=True)
        await asyncio.gather(first, between)
        await compute.close()
        return list(results)

    results = asyncio.run(run())
    assert [str(each) for each in results] == ["a", "bad", "b", "c"]
    assert isinstance(results[1], ValueError)
    assert events == [
        *("begin", "a", "bad", "b", "commit"),
        "other",
        *("begin", "c", "commit"),
    ]


def test_a_failed_commit_fails_every_write_of_the_pass() -> None:
    @contextlib.contextmanager
    def transaction() -> Iterator[None]:
        yield
        raise OSError("disk full")

    async def run() -> list[object]:
        compute = Compute(transaction)
        compute.start()
        writes = [compute.write(str, number) for number in range(3)]
        results = await asyncio.gather(*writes, return_exceptions=True)
        await compute.close()
        return list(results)

    assert [str(each) for each in asyncio.run(run())] == ["disk full"] * 3


def test_closing_finishes_what_waits() -> None:
    async def run() -> str:
        compute = Compute()
        compute.start()
        waiting = compute.write(str, "done")
        await compute.close()
        with pytest.raises(RuntimeError):
            compute.write(str, "late")
        return await waiting

    assert asyncio.run(run()) == "done"
