"""More events than a handler is to get."""

import asyncio
import dataclasses
import itertools

import pytest

from runtime.alert.types import Event, EventState, Level
from runtime.delivery import Address, Deliverer, Delivery, RetryPolicy
from runtime.delivery.items import Filter
from runtime.errors import DeliveryError, StoreError
from runtime.store import Store
from runtime.units import DAY, SECOND

A = Address("cpu", "chat")
OK, INFO, WARNING, CRITICAL = Level


class Recorder:
    def __init__(self):
        self.events = []
        self.error = None

    async def handle(self, event):
        if self.error is not None:
            raise self.error
        self.events.append(event)

    @property
    def ids(self):
        return [event.state.id for event in self.events]

    @property
    def count(self):
        """How many events it heard of."""
        return sum(event.data.fields.get("count", 1) for event in self.events)


class Clock:
    """A monotonic clock that is moved by hand."""

    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "kapacitor.db")
    yield store
    store.close()


@pytest.fixture
def make(store, clock):
    def make(limit=2, policy=None, **options):
        policy = policy or RetryPolicy(
            base_s=0.0, probe_s=0.0, flood_limit=limit, concurrency=1
        )
        return Deliverer(
            store,
            policy=policy,
            clock=lambda: int(clock() * SECOND),
            monotonic=clock,
            **options,
        )

    return make


def offer(deliverer, handler, *ids, level=CRITICAL, time=0):
    """What one write causes."""
    for each in ids:
        state = EventState(each, f"{each} is {level}", time=time, level=level)
        deliverer.offer(A, Delivery(Event("cpu", state), handler))
    deliverer.keep()
    deliverer.release()


def run(deliverer, met=lambda: True):
    """Deliver until `met` holds."""

    async def main():
        await deliverer.start()
        while not met():
            await asyncio.sleep(0.001)
        return await deliverer.close(5.0)

    return asyncio.run(asyncio.wait_for(main(), 20))


def summaries(handler):
    return [event for event in handler.events if event.state.id == "cpu: summary"]


def test_nothing_is_summarized_unless_a_limit_is_set(make):
    deliverer, handler = make(limit=0), Recorder()
    offer(deliverer, handler, *map(str, range(200)))
    assert run(deliverer) == 0
    assert handler.ids == list(map(str, range(200)))


def test_a_summary_tells_of_what_is_too_much_in_a_minute(make, clock):
    deliverer, handler = make(), Recorder()
    offer(deliverer, handler, "a", "b")
    offer(deliverer, handler, "c<", level=CRITICAL, time=3 * SECOND)
    offer(deliverer, handler, "d", "c<", level=OK, time=5 * SECOND)
    clock.now_s = 60.0
    offer(deliverer, handler, "e")
    assert run(deliverer) == 0
    assert handler.ids == ["a", "b", "cpu: summary", "e"]
    summary = handler.events[2]
    assert summary.topic == "cpu"
    assert summary.state.level is CRITICAL
    assert summary.state.message == (
        "cpu: 3 more events between 1970-01-01T00:00:03Z and 1970-01-01T00:00:05Z: "
        "1 CRITICAL, 2 OK"
    )
    assert summary.state.details == "<ul><li>c&lt; is OK</li><li>d is OK</li></ul>"
    totals, levels = summary.data.result
    assert [*zip(totals.columns, *totals.values, strict=True)] == [
        ("time", 5 * SECOND),
        ("count", 3),
        ("ok", 2),
        ("info", 0),
        ("warning", 0),
        ("critical", 1),
    ]
    assert [tuple(each[1:]) for each in levels.values] == [("c<", "OK"), ("d", "OK")]


def test_what_is_summarized_is_listed_and_counted(make, clock):
    deliverer, handler = make(), Recorder()
    offer(deliverer, handler, *"abcd")
    rows = deliverer.outbox.items("summarized")
    assert [item.event.state.id for item in rows] == ["c", "d"]
    [summary] = {item.summary for item in rows}
    assert deliverer.outbox.get(summary).state == "pending"
    assert deliverer.pending == deliverer.queues()[0].pending == 3
    assert deliverer.counters()[A].summarized == 2
    clock.now_s = 60.0
    assert run(deliverer) == 0
    assert deliverer.counters()[A].delivered == 3
    assert [item.state for item in deliverer.outbox.items()] == ["summarized"] * 2


def test_a_summary_comes_without_another_event(make, clock):
    deliverer, handler = make(), Recorder()
    offer(deliverer, handler, *"abcd")

    async def main():
        await deliverer.start()
        while len(handler.events) < 2:
            await asyncio.sleep(0.001)
        queue = deliverer.queues()[0]
        assert deliverer._finish_summary(queue) == 60.0
        clock.now_s = 60.0
        deliverer.hurry()
        deliverer._advance(queue)
        while len(handler.events) < 3:
            await asyncio.sleep(0.001)
        return await deliverer.close(1.0)

    assert asyncio.run(asyncio.wait_for(main(), 10)) == 0
    assert handler.count == 4


def test_ten_thousand_events_and_two_crashes_are_told_of_exactly(make, clock):
    handler = Recorder()
    number = 0
    for _ in range(3):
        deliverer = make(limit=60)
        deliverer.resume(A, handler, {})
        for _ in range(40):
            ids = [f"host{(number + each) % 500}" for each in range(100)]
            offer(deliverer, handler, *ids if number < 10_000 else [])
            number += len(ids)
            clock.now_s += 1.0
        # what is offered and not kept is no more: nobody was told it was taken
        deliverer.offer(A, Delivery(Event("cpu", EventState("lost")), handler))
        run(deliverer)
    deliverer = make(limit=60)
    deliverer.resume(A, handler, {})
    assert run(deliverer, lambda: not deliverer.pending) == 0
    assert handler.count == 10_000
    assert len(summaries(handler)) <= 6
    assert len(handler.events) <= 6 * 61
    assert "lost" not in handler.ids


def test_a_failed_write_counts_once(make, clock, store, monkeypatch):
    deliverer, handler = make(limit=1), Recorder()
    offer(deliverer, handler, "a", "b")

    def failing(*arguments):
        raise StoreError("disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(store, "execute_many", failing)
        with pytest.raises(StoreError):
            offer(deliverer, handler, "c")
        clock.now_s = 60.0
        # what is not kept is not told
        assert deliverer._finish_summary(deliverer.queues()[0]) == 0.0
    offer(deliverer, handler, "d")
    assert run(deliverer) == 0
    assert handler.ids == ["a", "cpu: summary", "d"]
    assert handler.count == 4


@pytest.mark.parametrize(("limit", "told"), [(0, 10_000), (60, 61)])
def test_ten_thousand_events_in_ten_seconds_leave_at_the_rate_that_is_set(
    make, clock, limit, told
):
    policy = RetryPolicy(rate=1.0, flood_limit=limit, concurrency=4)
    deliverer, handler = make(policy=policy, buffer_size=20_000), Recorder()
    for _ in range(10):
        offer(deliverer, handler, *(f"host{each}" for each in range(1000)))
        clock.now_s += 1.0
    queue, left_at_s = deliverer.queues()[0], []
    while deliverer.pending > len(left_at_s):
        deliverer._finish_summary(queue)
        while (item := queue.take(clock.now_s)) is not None:
            left_at_s.append(clock.now_s)
            queue.done(item, clock.now_s)
        clock.now_s += max(queue.wait_s(clock.now_s) or 1.0, 0.001)
    assert len(left_at_s) == told
    gaps = [after - before for before, after in itertools.pairwise(left_at_s)]
    assert min(gaps) >= 0.999
    assert sum(gaps) == pytest.approx(told - 1, abs=50)


@pytest.mark.parametrize("is_restarted", [False, True])
def test_an_event_comes_after_the_summary_of_older_ones_of_its_id(
    make, clock, is_restarted
):
    deliverer, handler = make(limit=1), Recorder()
    offer(deliverer, handler, "a", "b", "a", level=CRITICAL)
    clock.now_s = 60.0
    offer(deliverer, handler, "b", level=OK)
    clock.now_s = 120.0
    offer(deliverer, handler, "x", level=OK)
    if is_restarted:
        deliverer = make()
        deliverer.resume(A, handler, {})
    run(deliverer, lambda: not deliverer.pending)
    ids = handler.ids
    assert ids.index("a") < ids.index("cpu: summary") < ids.index("b")


def test_an_id_that_fails_holds_up_its_summary_and_no_other_id(make, clock):
    class Stubborn(Recorder):
        async def handle(self, event):
            if event.state.id == "bad":
                raise DeliveryError("not now", retry=True, status=503)
            await super().handle(event)

    deliverer, handler = make(limit=1), Stubborn()
    offer(deliverer, handler, "bad", "bad", "c")
    clock.now_s = 60.0
    offer(deliverer, handler, "other")
    clock.now_s = 120.0
    offer(deliverer, handler, "c")
    run(deliverer, lambda: len(handler.events) == 1)
    assert handler.ids == ["other"]


def test_a_deleted_handler_gets_its_summary_at_once(make):
    deliverer, handler = make(limit=1), Recorder()
    offer(deliverer, handler, *"abc")
    deliverer.retire(A)
    assert run(deliverer, lambda: not deliverer.pending) == 0
    assert handler.count == 3


def test_the_summary_of_a_deleted_handler_that_fails_is_cancelled(make):
    deliverer, handler = make(limit=1), Recorder()
    handler.error = DeliveryError("not now", retry=True)
    offer(deliverer, handler, *"abc")
    deliverer.queues()[0].note(0.0, None, None)
    deliverer._policy = dataclasses.replace(deliverer._policy, drain_s=0.0)
    deliverer.retire(A)
    assert run(deliverer, lambda: not deliverer.pending) == 0
    states = [item.state for item in deliverer.outbox.items()]
    assert states == ["cancelled", "cancelled", "summarized", "summarized"]


def test_a_growing_summary_cannot_be_discarded(make, clock):
    deliverer, handler = make(limit=1), Recorder()
    offer(deliverer, handler, "a", "b")
    [summary] = [item for item in deliverer.outbox.items() if item.is_summary]
    assert not deliverer.discard(summary)
    clock.now_s = 60.0
    deliverer._finish_summary(deliverer.queues()[0])
    assert deliverer.discard(summary)
    assert run(deliverer) == 0
    assert handler.ids == ["a"]


def test_a_summary_grows_on_while_older_events_are_sent_again(make, clock):
    deliverer, handler = make(limit=1), Recorder()
    handler.error = DeliveryError("no such room", retry=False)

    async def until(met):
        while not met():
            await asyncio.sleep(0.001)

    async def main():
        await deliverer.start()
        offer(deliverer, handler, "a")
        await until(lambda: deliverer.outbox.count("dead"))
        handler.error = None
        offer(deliverer, handler, "b", "c")
        assert sum(deliverer.resend(Filter())) == 1
        await until(lambda: handler.events)
        assert handler.ids == ["a"]
        offer(deliverer, handler, "d")
        clock.now_s = 60.0
        offer(deliverer, handler, "e")
        await until(lambda: not deliverer.pending)
        return await deliverer.close(5.0)

    assert asyncio.run(asyncio.wait_for(main(), 20)) == 0
    assert handler.ids == ["a", "cpu: summary", "e"]
    assert handler.count == 5


def test_a_summary_beyond_the_buffer_is_read_with_its_ids(make, clock):
    deliverer, handler = make(limit=4, buffer_size=3), Recorder()
    for minute in range(4):
        clock.now_s = 60.0 * minute
        offer(deliverer, handler, *"abcdefgh", level=Level(minute))
    clock.now_s = 240.0
    assert run(deliverer, lambda: not deliverer.pending) == 0
    assert handler.ids == [*"abcd", "cpu: summary"] * 4
    assert handler.count == 32
    assert [e.state.level for e in summaries(handler)] == [OK, INFO, WARNING, CRITICAL]


def test_what_tells_of_too_many_ids_is_two(make, clock, monkeypatch):
    monkeypatch.setattr("runtime.delivery.floods.MAX_IDS", 3)
    monkeypatch.setattr("runtime.delivery.floods.SHOWN_IDS", 2)
    deliverer, handler = make(limit=1), Recorder()
    offer(deliverer, handler, *"abcdefg")
    clock.now_s = 60.0
    assert run(deliverer, lambda: not deliverer.pending) == 0
    assert [event.data.fields["count"] for event in summaries(handler)] == [3, 3]
    assert handler.events[1].state.details == (
        "<ul><li>d is CRITICAL</li><li>c is CRITICAL</li><li>and 1 more</li></ul>"
    )


def test_a_handler_that_gives_events_to_topics_gets_all(make):
    class Internal(Recorder):
        is_limited = False

    deliverer, handler = make(), Internal()
    offer(deliverer, handler, *"abcdef")
    assert run(deliverer) == 0
    assert handler.ids == [*"abcdef"]


def test_what_is_summarized_is_sent_again_only_when_asked_for(make, clock):
    deliverer, handler = make(limit=1), Recorder()
    offer(deliverer, handler, *"abc")
    clock.now_s = 60.0
    handler.error = DeliveryError("no such room")
    run(deliverer, lambda: deliverer.outbox.count("dead") == 2)
    handler.error = None
    again = make(limit=1)
    again.resume(A, handler, {})
    assert sum(again.resend(Filter())) == 2
    run(again, lambda: not again.pending)
    assert handler.ids == ["a", "cpu: summary"]
    again = make(limit=1)
    again.resume(A, handler, {})
    assert sum(again.resend(Filter("summarized"))) == 2
    run(again, lambda: not again.pending)
    assert handler.ids == ["a", "cpu: summary", "b", "c"]


def test_what_a_waiting_summary_tells_of_is_not_forgotten(make, clock):
    deliverer, handler = make(limit=1, max_ended=1), Recorder()
    offer(deliverer, handler, *"abcd")
    outbox = deliverer.outbox
    assert sum(outbox.purge(DAY, 1)) == 0
    assert outbox.count("summarized") == 3
    clock.now_s = 60.0
    run(deliverer, lambda: not deliverer.pending)
    assert sum(outbox.purge(0, 1)) == 0
    assert [item.event.state.id for item in outbox.items()] == ["d"]
