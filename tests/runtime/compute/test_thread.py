"""The compute thread."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runtime.compute.thread import Compute
from runtime.store.database import Store


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


@contextlib.contextmanager
def noted(events: list[str]) -> Iterator[None]:
    yield
    events.append("commit")


def test_writes_go_on_between_the_steps_of_a_long_one() -> None:
    events: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def steps() -> Iterator[None]:
        events.append("begin")
        begun.set()
        assert go_on.wait(10)
        while "small" not in events or "read" not in events:
            yield
        events.append("end")

    async def run() -> None:
        compute = Compute(lambda: noted(events))
        compute.start()
        long = compute.write(steps)
        assert await asyncio.to_thread(begun.wait, 10)
        small = compute.write(events.append, "small")
        read = compute.run(events.append, "read")
        go_on.set()
        async with asyncio.timeout(20):
            await asyncio.gather(small, read)
            assert await long is None
        await compute.close()

    asyncio.run(run())
    assert [each for each in events if each != "commit"] == [
        *("begin", "small", "read", "end")
    ]
    # effects of the first steps are kept before those of the job in between
    assert events[1] == events[-1] == "commit"


def _order(compute: Compute, give_way: Callable[[], None], limit_s: float) -> list[str]:
    """Return the order of work if a long job runs until a write is accepted."""
    done: list[str] = []

    async def run() -> None:
        compute.start()
        begun, go_on = threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            assert go_on.wait(10)
            end = time.monotonic() + limit_s
            while "write" not in done and time.monotonic() < end:
                give_way()
            done.append("long")

        long = compute.run(work)
        assert await asyncio.to_thread(begun.wait, 10)
        others = compute.run(done.append, "other"), compute.write(done.append, "write")
        go_on.set()
        async with asyncio.timeout(20):
            await asyncio.gather(long, *others)
        await compute.close()

    asyncio.run(run())
    return done


def test_a_long_job_gives_way_to_writes_that_wait() -> None:
    compute = Compute()
    assert _order(compute, compute.give_way, 10) == ["write", "long", "other"]


def test_no_write_is_done_inside_of_a_transaction() -> None:
    compute = Compute(in_transaction=lambda: True)
    assert _order(compute, compute.give_way, 0.1) == ["long", "other", "write"]


def test_no_write_is_done_by_another_thread() -> None:
    compute = Compute()

    def elsewhere() -> None:
        thread = threading.Thread(target=compute.give_way)
        thread.start()
        thread.join(10)

    assert _order(compute, elsewhere, 0.1) == ["long", "other", "write"]


def test_long_writes_take_turns_and_a_small_one_ends_its_turn_on_the_loop() -> None:
    ran: list[tuple[str, str]] = []

    def steps(name: str) -> Iterator[None]:
        while len({name for name, _ in ran}) < 3 or ran[-1][1] == "MainThread":
            ran.append((name, threading.current_thread().name))
            yield

    async def run() -> None:
        compute = Compute()
        compute.start()
        # it shows that small ones may be done on the loop
        await compute.write_small(str, 1)
        writes = [compute.write_small(steps, "a"), *map(compute.write, [steps], "b")]
        writes.append(compute.write(steps, "c"))
        async with asyncio.timeout(20):
            await asyncio.gather(*writes)
        await compute.close()

    asyncio.run(run())
    assert ran[0] == ("a", "MainThread")
    assert {name for name, thread in ran if thread == "compute"} == {"a", "b", "c"}


def test_a_long_write_fails_with_its_step_or_its_commit() -> None:
    is_full = threading.Event()

    @contextlib.contextmanager
    def transaction() -> Iterator[None]:
        yield
        if is_full.is_set():
            raise OSError("disk full")

    def failing() -> Iterator[None]:
        yield
        raise ValueError("no")

    def endless() -> Iterator[None]:
        while True:
            is_full.set()
            yield

    async def run() -> None:
        compute = Compute(transaction)
        compute.start()
        async with asyncio.timeout(20):
            with pytest.raises(ValueError, match="no"):
                await compute.write(failing)
            with pytest.raises(OSError, match="disk full"):
                await compute.write(endless)
        await compute.close()

    asyncio.run(run())


def test_what_cannot_begin_fails_and_is_not_tried_for_ever() -> None:
    is_full = threading.Event()

    @contextlib.contextmanager
    def transaction() -> Iterator[None]:
        if is_full.is_set():
            raise OSError("disk full")
        yield

    def steps() -> Iterator[None]:
        is_full.set()
        while True:
            yield

    async def run() -> None:
        compute = Compute(transaction)
        compute.start()
        async with asyncio.timeout(20):
            with pytest.raises(OSError, match="disk full"):
                await compute.write(steps)
            with pytest.raises(OSError, match="disk full"):
                await compute.write(str)
        await compute.close()

    asyncio.run(run())


def test_turns_that_finish_no_write_do_not_wake_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # each step is a turn of its own
    monkeypatch.setattr("runtime.compute.thread.TURN_S", 0)
    monkeypatch.setattr("runtime.compute.thread.SLOW_S", 0)
    ends: list[int] = []

    @contextlib.contextmanager
    def transaction() -> Iterator[None]:
        yield
        ends.append(0)

    def steps() -> Iterator[None]:
        while len(ends) < 20:
            yield

    async def run() -> int:
        loop, woken = asyncio.get_running_loop(), 0
        wake = loop.call_soon_threadsafe

        def counted(*args: Any, **kwargs: Any) -> asyncio.Handle:
            nonlocal woken
            woken += 1
            return wake(*args, **kwargs)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign]
        compute = Compute(transaction)
        compute.start()
        assert await compute.write(steps) is None
        found = woken
        await compute.close()
        return found

    # for the first turn of all writes, which ended without it, and for its result
    assert asyncio.run(run()) <= 2


def test_closing_finishes_long_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    # each step is a turn of its own
    monkeypatch.setattr("runtime.compute.thread.TURN_S", 0)
    monkeypatch.setattr("runtime.compute.thread.SLOW_S", 0)
    done = 0

    def steps() -> Iterator[None]:
        nonlocal done
        for _ in range(60):
            done += 1
            yield

    async def run() -> None:
        compute = Compute()
        compute.start()
        waiting = [compute.write(steps) for _ in range(3)]
        async with asyncio.timeout(20):
            await compute.close()
            await asyncio.gather(*waiting)

    asyncio.run(run())
    assert done == 180


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


def test_a_small_write_does_not_wait_for_who_uses_the_database() -> None:
    store, held, end = Store(), threading.Event(), threading.Event()
    done: list[tuple[str, str]] = []

    def hold() -> None:
        with store.transaction():
            held.set()
            assert end.wait(10)

    def note(name: str) -> None:
        done.append((name, threading.current_thread().name))
        store.values.put("b", name, b"")

    async def run() -> None:
        compute = Compute(store.transaction, store.unless_busy)
        compute.start()
        thread = threading.Thread(target=hold)
        thread.start()
        assert await asyncio.to_thread(held.wait, 10)
        waiting = compute.write_small(note, "a")
        # the loop is free: it can do something else, and let the other one go on
        assert not waiting.done()
        assert not done
        end.set()
        await waiting
        await asyncio.to_thread(thread.join)
        await compute.write_small(note, "b")
        await compute.close()

    asyncio.run(run())
    assert done == [("a", "compute"), ("b", "MainThread")]


def test_what_a_small_write_leaves_to_be_kept_is_kept_on_the_thread() -> None:
    staged: list[str] = []
    kept: list[tuple[str, str]] = []

    @contextlib.contextmanager
    def transaction() -> Iterator[None]:
        yield
        kept.extend((name, threading.current_thread().name) for name in staged)
        staged.clear()

    def fail() -> None:
        staged.append("failed")
        raise ValueError("no")

    async def run() -> None:
        compute = Compute(
            transaction, lambda: contextlib.nullcontext(True), lambda: bool(staged)
        )
        compute.start()
        assert await compute.write_small(str, 5) == "5"
        assert kept == []
        await compute.write_small(staged.append, "a")
        with pytest.raises(ValueError, match="no"):
            await compute.write_small(fail)
        await compute.close()

    asyncio.run(run())
    assert kept == [("a", "compute"), ("failed", "compute")]


def _work(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_after_a_slow_small_write_the_next_ones_take_the_thread() -> None:
    done: list[tuple[str, str]] = []

    def work(name: str, seconds: float) -> None:
        done.append((name, threading.current_thread().name))
        _work(seconds)

    async def run() -> None:
        compute = Compute()
        compute.start()
        # the first may have to build whatever it uses
        await compute.write_small(work, "first", 0)
        await compute.write_small(work, "quick", 0)
        await compute.write_small(work, "slow", 0.02)
        await compute.write_small(work, "next", 0)
        await compute.close()

    asyncio.run(run())
    assert done == [
        ("first", "compute"),
        ("quick", "MainThread"),
        ("slow", "MainThread"),
        ("next", "compute"),
    ]


def test_small_writes_take_the_thread_while_they_may_be_long() -> None:
    heavy: list[str] = []
    done: list[str] = []

    def note() -> None:
        done.append(threading.current_thread().name)

    async def run() -> None:
        compute = Compute(is_heavy=lambda: bool(heavy))
        compute.start()
        await compute.write_small(str)
        heavy.append("a window")
        await compute.write_small(note)
        heavy.clear()
        await compute.write_small(note)
        await compute.close()

    asyncio.run(run())
    assert done == ["compute", "MainThread"]


@pytest.mark.parametrize(
    ("is_small", "thread"), [(True, "compute"), (False, "MainThread")]
)
def test_a_slow_write_keeps_the_next_ones_on_the_thread_if_it_is_small(
    is_small: bool, thread: str
) -> None:
    async def run() -> str:
        compute = Compute()
        compute.start()
        await compute.write_small(str)
        # large work may be slow
        busy = compute.run(_work, 0.001)
        await (compute.write_small if is_small else compute.write)(_work, 0.02)
        await busy
        name = await compute.write_small(lambda: threading.current_thread().name)
        await compute.close()
        return name

    assert asyncio.run(run()) == thread


def test_slices_let_other_work_in_between() -> None:
    done: list[object] = []

    def slices() -> Iterator[int]:
        for number in range(3):
            done.append(number)
            yield number

    async def run() -> list[int]:
        compute = Compute()
        compute.start()
        found = []
        async for number in compute.each(slices()):
            found.append(number)
            await compute.run(done.append, "other")
        await compute.close()
        return found

    assert asyncio.run(run()) == [0, 1, 2]
    assert done == [0, "other", 1, "other", 2, "other"]
