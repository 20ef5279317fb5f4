"""Calls from any thread reach the event loop."""

from __future__ import annotations

import asyncio
import threading

from runtime.compute.bridge import Bridge


def test_calls_of_any_thread_are_made_on_the_loop():
    bridge, seen = Bridge(), []

    async def main() -> None:
        here, done = threading.get_ident(), asyncio.Event()
        bridge.start()

        def note(value: int) -> None:
            seen.append((value, threading.get_ident() == here))
            if len(seen) == 100:
                done.set()

        def call() -> None:
            for value in range(100):
                bridge.soon(note, value)

        threading.Thread(target=call).start()
        await asyncio.wait_for(done.wait(), 30)

    asyncio.run(main())
    assert seen == [(value, True) for value in range(100)]


def test_early_calls_wait_for_the_start_and_late_ones_are_dropped():
    bridge, seen = Bridge(), []
    bridge.soon(seen.append, "early")
    assert not bridge.is_open
    assert seen == []

    async def main() -> None:
        bridge.start()
        assert bridge.is_open
        bridge.stop()
        bridge.soon(seen.append, "late")
        await asyncio.sleep(0)

    asyncio.run(main())
    assert seen == ["early"]


def test_a_call_after_the_loop_has_ended_is_dropped():
    bridge = Bridge()

    async def main() -> None:
        bridge.start()

    asyncio.run(main())
    bridge.soon(lambda: None)


def test_tasks_are_kept_until_they_end():
    bridge, seen = Bridge(), []

    async def work() -> None:
        await asyncio.sleep(0)
        seen.append(1)

    async def main() -> None:
        task = bridge.spawn(work())
        assert bridge.tasks == {task}
        await task
        await asyncio.sleep(0)
        assert bridge.tasks == set()

    asyncio.run(main())
    assert seen == [1]
