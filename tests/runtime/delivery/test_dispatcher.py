import asyncio
import logging

import pytest

from runtime.alert.types import Event, EventData, EventState, Level, Recipient, Row
from runtime.delivery import Address, Backlog, Dispatcher, RetryPolicy
from runtime.errors import BusyError, DeliveryError, StoreError
from runtime.outbound.idempotency import idempotency_key
from runtime.server.logs import LogfmtFormatter
from runtime.testing.clock import ManualClock
from runtime.units import DAY, HOUR, SECOND

A, B = Address("t", "a"), Address("t", "b")
AT_ONCE = RetryPolicy(base_s=0.0, probe_s=0.0)


class Recorder:
    """A handler that fails for the first `failures` attempts at each of some ids."""

    def __init__(self, error=None, failures=0, ids=None):
        self.ids = []
        self.events = []
        self.keys = []
        self.error = error
        self.left = dict.fromkeys(ids or [], failures)

    async def handle(self, event):
        self.ids.append(event.state.id)
        self.events.append(event)
        self.keys.append(idempotency_key.get())
        await asyncio.sleep(0)
        if self.left.get(event.state.id, 0):
            self.left[event.state.id] -= 1
            raise self.error
        if self.error is not None and not self.left:
            raise self.error


class Hanging:
    async def handle(self, event):
        await asyncio.Event().wait()


@pytest.fixture
def make(store):
    def make(**options):
        ends = {"time_limit_s", "retention", "max_ended"} & options.keys()
        of_ends = {name: options.pop(name) for name in ends}
        backlog = Backlog(store, **{"policy": AT_ONCE, **options})
        return Dispatcher(backlog, **of_ends)

    return make


def offer(dispatcher, address, handler, *ids):
    taken = [
        dispatcher.backlog.offer(
            address, Event("t", EventState(each)), Recipient(handler)
        )
        for each in ids
    ]
    dispatcher.backlog.keep()
    dispatcher.backlog.release()
    return taken


def run(dispatcher, until=None, limit_s=30.0):
    """Deliver what was offered; how many events still wait then."""

    async def main():
        await dispatcher.start()
        while until is not None and not until():
            await asyncio.sleep(0.001)
        return await dispatcher.close(limit_s)

    return asyncio.run(asyncio.wait_for(main(), 60))


def retry(text="no", **more):
    return DeliveryError(text, retry=True, **more)


def test_each_handler_gets_its_events_in_order(make):
    dispatcher, first, second = make(), Recorder(), Recorder()
    offer(dispatcher, A, first, "1", "2", "1", "3")
    offer(dispatcher, B, second, "1", "2")
    assert run(dispatcher) == 0
    assert [each for each in first.ids if each == "1"] == ["1", "1"]
    assert (sorted(first.ids), second.ids) == (["1", "1", "2", "3"], ["1", "2"])
    assert dispatcher.backlog.queues.counters()[A].delivered == 4
    assert dispatcher.backlog.outbox.lookup.messages() == []


def test_nothing_is_delivered_before_the_release(make):
    dispatcher, handler = make(), Recorder()
    dispatcher.backlog.offer(A, Event("t", EventState("1")), Recipient(handler))
    assert run(dispatcher) == 0
    assert handler.ids == []


def test_what_waits_is_delivered_after_a_restart(make, store):
    event = Event(
        "t",
        EventState("1", "message", "details", 7, 5, Level.CRITICAL),
        EventData(
            "m",
            "task",
            tags={"h": "a"},
            fields={"f": 1.0, "i": 2, "s": "x", "b": True},
            result=[Row("m", {}, ("time", "f"), [[7, 1.0]])],
        ),
        Level.WARNING,
    )
    before = make()
    before.backlog.offer(A, event, Recipient(Recorder()))
    before.backlog.keep()
    before.backlog.release()

    after, handler = make(), Recorder()
    after.backlog.resume(A, Recipient(handler))
    offer(after, A, handler, "2")
    assert run(after) == 0
    assert handler.ids == ["1", "2"]
    [kept, _] = handler.events
    assert kept.state == event.state
    assert kept.data.fields == event.data.fields
    assert [type(value) for value in kept.data.fields.values()] == [
        float,
        int,
        str,
        bool,
    ]
    assert kept.previous_level is Level.WARNING
    assert [list(each) for each in kept.data.result[0].values] == [[7, 1.0]]
    assert store.query("SELECT * FROM deliveries") == []


def test_an_event_is_in_the_transaction_of_its_write(make, store):
    dispatcher = make()
    dispatcher.backlog.offer(A, Event("t", EventState("1")), Recipient(Recorder()))
    with pytest.raises(StoreError):
        write_and_fail(store, dispatcher)
    assert store.query("SELECT * FROM deliveries") == []
    with store.transaction():
        dispatcher.backlog.keep()
    assert len(store.query("SELECT * FROM deliveries")) == 1


def write_and_fail(store, dispatcher):
    with store.transaction():
        dispatcher.backlog.keep()
        store.execute("INSERT INTO nowhere VALUES (1)")


def test_a_delivery_keeps_its_key_over_attempts_and_restarts(make, store):
    before, handler = make(), Recorder(retry(), 2, ["1"])
    offer(before, A, handler, "1", "2")
    run(before, lambda: len(handler.keys) == 4)
    first, second, third, other = handler.keys
    assert len({first, handler.keys[handler.ids.index("2")]}) == 2
    assert len({first, second, third, other}) == 2

    after, again = make(), Recorder()
    offer(after, A, again, "1")
    run(after)
    assert again.keys[0] not in handler.keys


def test_a_crash_while_delivering_repeats_the_delivery_with_the_same_key(make, store):
    before, hanging = make(), Hanging()
    offer(before, A, hanging, "1")
    key = before.backlog.outbox.key(before.backlog.outbox.lookup.messages()[0])
    assert run(before, limit_s=0.01) == 1

    after, handler = make(), Recorder()
    after.backlog.resume(A, Recipient(handler))
    assert run(after) == 0
    assert handler.keys == [key]


def test_a_failure_that_may_pass_is_tried_again_in_the_order_of_its_id(make):
    dispatcher, handler = make(), Recorder(retry(), 3, ["a"])
    offer(dispatcher, A, handler, "a", "a", "b")
    run(dispatcher, lambda: dispatcher.backlog.queues.counters()[A].delivered == 3)
    assert [each for each in handler.ids if each == "a"] == ["a"] * 5
    assert handler.ids[-1] != "b" or handler.ids.count("b") == 1
    assert dispatcher.backlog.queues.counters()[A].failed == 3


def test_another_id_does_not_wait_for_one_that_fails(make):
    policy = RetryPolicy(base_s=1000.0, cap_s=1000.0)
    dispatcher, handler = make(policy=policy), Recorder(retry(), 1, ["a"])
    offer(dispatcher, A, handler, "a", "a", "b", "c")
    assert run(dispatcher) == 2
    assert handler.ids == ["a", "b", "c"]
    assert [
        message.attempts for message in dispatcher.backlog.outbox.lookup.messages()
    ] == [
        1,
        0,
    ]


def test_a_failure_for_good_is_a_dead_letter(make, caplog):
    dispatcher = make()
    handler = Recorder(DeliveryError("invalid token"), 1, ["1"])
    event = Event("t", EventState("1"))
    dispatcher.backlog.offer(A, event, Recipient(handler, context={"task": "cpu"}))
    offer(dispatcher, A, handler, "2")
    assert run(dispatcher) == 0
    assert handler.ids == ["1", "2"]
    [dead] = dispatcher.backlog.outbox.lookup.messages("dead")
    assert (dead.event.state.id, dead.error, dead.attempts) == ("1", "invalid token", 1)
    assert "failed to deliver event" in caplog.text
    assert dispatcher.backlog.queues.counters()[A].dead == 1


def test_a_failure_is_logged_with_its_context(make, caplog):
    dispatcher, handler = make(), Recorder(DeliveryError("boom"))
    event = Event("t", EventState("1"))
    dispatcher.backlog.offer(A, event, Recipient(handler, context={"task": "cpu"}))
    offer(dispatcher, A, handler)
    dispatcher.backlog.queues.by_address[A].recipient = Recipient(
        handler, context={"task": "cpu"}
    )
    run(dispatcher)
    line = LogfmtFormatter().format(caplog.records[0])
    assert line.endswith(
        ' lvl=error msg="failed to deliver event" service=delivery task=cpu topic=t '
        'handler=a event=1 attempts=1 then="dead letter" err=boom'
    )


def test_an_event_that_got_too_old_is_given_up(make):
    now_s = [0.0]
    dispatcher, handler = make(monotonic=lambda: now_s[0]), Recorder(retry())
    offer(dispatcher, A, handler, "1")
    now_s[0] = DAY / SECOND
    assert run(dispatcher) == 0
    assert [
        message.error for message in dispatcher.backlog.outbox.lookup.messages("dead")
    ] == ["no"]


def test_a_hung_handler_delays_no_other(make):
    dispatcher, good = make(), Recorder()
    offer(dispatcher, A, Hanging(), "1", "2")
    offer(dispatcher, B, good, "1", "2")
    assert run(dispatcher, limit_s=0.05) == 2
    assert good.ids == ["1", "2"]


def test_a_handler_that_takes_too_long_is_tried_again(make, caplog):
    dispatcher = make(time_limit_s=0.01)
    offer(dispatcher, A, Hanging(), "1")
    run(dispatcher, lambda: dispatcher.backlog.queues.counters()[A].failed == 2)
    assert caplog.records[0].err == "no result within 0.01s"


def test_the_text_of_an_unexpected_exception_is_not_logged(make, caplog):
    caplog.set_level(logging.DEBUG)
    dispatcher, handler = make(), Recorder(ValueError("hush"))
    offer(dispatcher, A, handler, "1")
    run(dispatcher)
    record = caplog.records[-1]
    assert record.err.startswith("handler raised ValueError in handle")
    assert "hush" not in caplog.text + str(vars(record))
    assert "hush" not in dispatcher.backlog.outbox.lookup.messages("dead")[0].error


def test_events_offered_while_running_are_delivered(make):
    dispatcher, handler = make(), Recorder()

    async def main():
        await dispatcher.start()
        await asyncio.to_thread(offer, dispatcher, A, handler, "1", "2")
        while len(handler.ids) < 2:
            await asyncio.sleep(0)
        return await dispatcher.close(1)

    assert asyncio.run(asyncio.wait_for(main(), 30)) == 0
    assert handler.ids == ["1", "2"]


def test_events_beyond_the_buffer_wait_on_disk(make, store):
    dispatcher, handler = make(buffer_size=3), Recorder()
    ids = [str(number) for number in range(20)]
    offer(dispatcher, A, handler, *ids)
    assert len(dispatcher.backlog.queues.by_address[A]) == 3
    assert run(dispatcher) == 0
    assert handler.ids == ids


def test_a_full_outbox_takes_no_more(make):
    dispatcher, handler = make(quota=2), Recorder()
    offer(dispatcher, A, handler, "1")
    dispatcher.backlog.check_room()
    offer(dispatcher, A, handler, "2")
    with pytest.raises(BusyError, match=r"too many deliveries are pending \(2\)"):
        dispatcher.backlog.check_room()
    assert run(dispatcher) == 0
    dispatcher.backlog.check_room()
    assert handler.ids == ["1", "2"]


def test_a_full_database_takes_no_more(make):
    now_s = [0.0]
    dispatcher = make(quota_bytes=1, monotonic=lambda: now_s[0])
    with pytest.raises(BusyError, match="the database is full"):
        dispatcher.backlog.check_room()
    dispatcher.backlog.outbox.used_bytes = lambda: 0
    now_s[0] = 2.0
    dispatcher.backlog.check_room()


def test_a_new_handler_takes_over_what_waits(make):
    policy = RetryPolicy(base_s=1000.0, cap_s=1000.0)
    dispatcher, bad, good = make(policy=policy), Recorder(retry(), 1, ["1"]), Recorder()

    async def main():
        await dispatcher.start()
        offer(dispatcher, A, bad, "1")
        while dispatcher.backlog.queues.counters()[A].failed < 1:
            await asyncio.sleep(0.001)
        dispatcher.backlog.resume(A, Recipient(good))
        while dispatcher.backlog.queues.counters()[A].delivered < 1:
            await asyncio.sleep(0.001)
        return await dispatcher.close(1)

    assert asyncio.run(asyncio.wait_for(main(), 30)) == 0
    assert (bad.ids, good.ids) == (["1"], ["1"])


def test_what_failed_is_tried_at_once_when_its_reason_may_be_gone(make):
    policy = RetryPolicy(base_s=1e6, cap_s=1e6)
    dispatcher = make(policy=policy)
    handler = Recorder(retry("service is not enabled"), 1, ["1"])

    async def main():
        await dispatcher.start()
        offer(dispatcher, A, handler, "1", "1")
        while (
            not dispatcher.backlog.outbox.lookup.messages()
            or not dispatcher.backlog.outbox.lookup.messages()[0].attempts
        ):
            await asyncio.sleep(0.001)
        while len(handler.ids) < 3:
            dispatcher.backlog.retry_now()
            await asyncio.sleep(0.001)
        return await dispatcher.close(1)

    assert asyncio.run(asyncio.wait_for(main(), 30)) == 0


async def until(met):
    while not met():
        await asyncio.sleep(0.001)


def test_what_waits_for_a_deleted_handler_is_delivered_if_that_is_quick(make):
    dispatcher, handler = make(), Recorder()
    offer(dispatcher, A, handler, *map(str, range(20)))
    dispatcher.backlog.retire(A)
    assert run(dispatcher) == 0
    assert sorted(handler.ids, key=int) == list(map(str, range(20)))


def test_what_waits_for_a_deleted_handler_that_fails_is_cancelled(make, caplog):
    policy = RetryPolicy(base_s=1e6, cap_s=1e6)
    dispatcher, handler = make(policy=policy, buffer_size=2), Recorder(retry())
    offer(dispatcher, A, handler, *"12345")

    async def main():
        await dispatcher.start()
        await until(lambda: dispatcher.backlog.queues.counters()[A].failed >= 1)
        dispatcher.backlog.retire(A)
        await until(lambda: dispatcher.backlog.queues.former.cancelled == 5)
        return await dispatcher.close(1)

    assert asyncio.run(asyncio.wait_for(main(), 30)) == 0
    messages = dispatcher.backlog.outbox.lookup.messages("cancelled")
    assert [message.event.state.id for message in messages] == list("12345")
    assert {message.error for message in messages} <= {
        "the handler was deleted",
        "the handler was deleted; before: no",
        "no",
    }
    assert A not in dispatcher.backlog.queues.counters()
    assert "cancelled deliveries" in caplog.text


def test_what_waits_for_a_deleted_handler_that_hangs_is_cancelled(make):
    policy = RetryPolicy(concurrency=1, drain_s=0.01)
    dispatcher = make(policy=policy, time_limit_s=0.2)
    offer(dispatcher, A, Hanging(), *"123")

    async def main():
        await dispatcher.start()
        await until(lambda: dispatcher.backlog.queues.all()[0].in_flight)
        dispatcher.backlog.retire(A)
        await until(lambda: dispatcher.backlog.outbox.lookup.count("cancelled") == 2)
        assert dispatcher.backlog.outbox.lookup.count("pending") == 1
        await until(lambda: dispatcher.backlog.outbox.lookup.count("cancelled") == 3)
        return await dispatcher.close(1)

    assert asyncio.run(asyncio.wait_for(main(), 30)) == 0
    assert dispatcher.backlog.queues.all() == []


def test_a_handler_that_is_defined_again_gets_what_waited(make):
    policy = RetryPolicy(base_s=1e6, cap_s=1e6)
    dispatcher, bad, good = make(policy=policy), Recorder(retry(), 1, ["1"]), Recorder()
    offer(dispatcher, A, bad, "1")
    dispatcher.backlog.retire(A)
    dispatcher.backlog.resume(A, Recipient(good))
    assert run(dispatcher) == 0
    assert good.ids == ["1"]


def test_what_an_earlier_run_left_for_handlers_that_are_gone_is_cancelled(make):
    before = make()
    offer(before, A, Recorder(), "1", "2")
    offer(before, B, Recorder(), "3")
    after = make()
    assert after.backlog.orphans.cancel_unless(lambda address: address == B) == 2
    assert [each.address for each in after.backlog.orphans.all()] == [B]
    assert (after.backlog.outbox.lookup.count("cancelled"), after.backlog.pending) == (
        2,
        1,
    )
    [first, _] = after.backlog.outbox.lookup.messages("cancelled")
    assert first.error == "the handler no longer exists"
    after.backlog.retire(B)
    assert run(after) == 0
    assert after.backlog.outbox.lookup.count("cancelled") == 3


def test_a_damaged_row_is_a_dead_letter(make, store):
    dispatcher, handler = make(), Recorder()
    offer(dispatcher, A, handler, "1", "2")
    store.execute("UPDATE deliveries SET event = x'00' WHERE event_id = '1'")
    after = make()
    after.backlog.resume(A, Recipient(handler))
    assert run(after) == 0
    assert handler.ids == ["2"]
    assert (
        after.backlog.outbox.lookup.messages("dead")[0].error
        == "the stored event is damaged"
    )


def test_an_outbox_that_cannot_be_read_delays_but_forgets_nothing(
    make, store, monkeypatch
):
    monkeypatch.setattr("runtime.delivery.dispatcher.AGAIN_S", 0.001)
    offer(make(), A, Recorder(), "1", "2")
    dispatcher, handler = make(), Recorder()
    pending, failures = dispatcher.backlog.outbox.pending, [
        StoreError("disk I/O error")
    ]

    def failing(*arguments):
        if failures:
            raise failures.pop()
        return pending(*arguments)

    monkeypatch.setattr(dispatcher.backlog.outbox, "pending", failing)
    dispatcher.backlog.resume(A, Recipient(handler))
    assert run(dispatcher, until=lambda: len(handler.ids) == 2) == 0


@pytest.mark.parametrize("fault", [StoreError("disk is full"), ValueError("a bug")])
def test_an_outbox_that_cannot_be_written_delays_but_repeats_nothing(
    make, store, monkeypatch, fault
):
    monkeypatch.setattr("runtime.delivery.commits.AGAIN_S", 0.001)
    dispatcher, handler = make(), Recorder()
    offer(dispatcher, A, handler, "1", "2")
    record, failures = dispatcher.backlog.outbox.record, [fault] * 3

    def failing(*arguments):
        if failures:
            raise failures.pop()
        record(*arguments)

    monkeypatch.setattr(dispatcher.backlog.outbox, "record", failing)
    assert run(dispatcher) == 0
    assert handler.ids == ["1", "2"]


@pytest.mark.parametrize(
    ("attempts", "asked_s", "chance", "delay_s"),
    [
        (1, None, 1.0, 1.0),
        (2, None, 1.0, 2.0),
        (4, None, 0.5, 4.0),
        (20, None, 1.0, 300.0),
        (2000, None, 1.0, 300.0),
        (1, 7.0, 0.5, 7.0),
        (1, 1e9, 0.0, 3600.0),
    ],
)
def test_delays_grow_with_jitter_and_heed_the_endpoint(
    attempts, asked_s, chance, delay_s
):
    assert RetryPolicy().delay_s(attempts, asked_s, lambda: chance) == delay_s


def test_a_handler_nobody_answers_is_only_probed_now_and_then(make):
    now_s = [0.0]
    policy = RetryPolicy(base_s=0.0, probe_s=30.0)
    dispatcher = make(policy=policy, monotonic=lambda: now_s[0])
    handler = Recorder(retry(), 1000, map(str, range(50)))
    offer(dispatcher, A, handler, *map(str, range(50)))
    run(dispatcher, lambda: dispatcher.backlog.queues.counters()[A].failed >= 5)
    # those that were under way when the fifth failed have failed as well
    assert 5 <= len(handler.ids) < 5 + RetryPolicy().concurrency
    assert dispatcher.backlog.queues.counters()[A].reasons == {
        "unreachable": len(handler.ids)
    }


def test_an_endpoint_that_answers_is_not_paused(make):
    dispatcher = make(policy=RetryPolicy(base_s=0.0, probe_s=1000.0))
    handler = Recorder(retry(status=503), 8, ["1"])
    offer(dispatcher, A, handler, "1")
    run(dispatcher, lambda: dispatcher.backlog.queues.counters()[A].delivered == 1)
    assert len(handler.ids) == 9


def test_a_text_that_is_too_long_is_shortened_once(make):
    class Strict(Recorder):
        async def handle(self, event):
            self.events.append(event)
            if len(event.state.message) > 1000:
                raise DeliveryError("too long", status=413)

    dispatcher, handler = make(), Strict()
    event = Event("t", EventState("1", "x" * 2000))
    dispatcher.backlog.offer(A, event, Recipient(handler))
    offer(dispatcher, A, handler)
    assert run(dispatcher) == 0
    assert [len(each.state.message) for each in handler.events] == [2000, 1000]
    assert dispatcher.backlog.outbox.lookup.messages() == []


def test_refused_credentials_cost_no_event(make):
    dispatcher = make(policy=RetryPolicy(base_s=0.0, auth_probe_s=1000.0))
    handler = Recorder(DeliveryError("unauthorized", status=401), 4, ["1"])
    handler.left = {str(number): 1 for number in range(100)}
    offer(dispatcher, A, handler, *map(str, range(100)))

    async def main():
        await dispatcher.start()
        await until(lambda: dispatcher.backlog.queues.counters()[A].failed >= 4)
        await asyncio.sleep(0.01)
        assert len(handler.ids) == 4  # those that were under way at once
        handler.left = {"none": 1}
        dispatcher.backlog.retry_now()
        await until(lambda: dispatcher.backlog.queues.counters()[A].delivered == 100)
        return await dispatcher.close(1)

    assert asyncio.run(asyncio.wait_for(main(), 30)) == 0
    assert dispatcher.backlog.outbox.lookup.messages() == []


def test_what_the_endpoint_may_have_is_marked(make):
    dispatcher = make(
        time_limit_s=0.01, policy=RetryPolicy(base_s=1000.0, cap_s=1000.0)
    )
    offer(dispatcher, A, Hanging(), "1")
    run(dispatcher, lambda: dispatcher.backlog.queues.counters()[A].failed == 1)
    [message] = dispatcher.backlog.outbox.lookup.messages()
    assert message.maybe_duplicate


def test_the_schedule_outlives_a_restart(make):
    policy = RetryPolicy(base_s=0.0, retry_after_cap_s=1000.0)
    before = make(policy=policy)
    handler = Recorder(retry(status=503, retry_after_s=500.0), 1, ["1"])
    offer(before, A, handler, "1")
    run(before, lambda: before.backlog.queues.counters()[A].failed == 1)
    after, again = make(policy=policy), Recorder()
    after.backlog.resume(A, Recipient(again))
    assert run(after, limit_s=0.1) == 1
    assert again.ids == []
    [message] = after.backlog.outbox.lookup.messages()
    assert message.attempts == 1
    assert 400 < (message.due - message.created) / SECOND < 600


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_clock_that_jumps_neither_skips_nor_hurries(make, jump):
    clock, now_s = ManualClock(100 * DAY), [0.0]
    policy = RetryPolicy(base_s=1000.0, cap_s=1000.0)
    dispatcher = make(policy=policy, clock=clock, monotonic=lambda: now_s[0])
    handler = Recorder(retry(), 1, ["1"])

    async def main():
        await dispatcher.start()
        offer(dispatcher, A, handler, "1", "2")
        await until(lambda: len(handler.ids) == 2)
        clock.now += jump
        offer(dispatcher, A, handler, "1")
        await asyncio.sleep(0.01)
        assert handler.ids == ["1", "2"]
        now_s[0] = 1000.0
        offer(dispatcher, A, handler, "3")
        await until(lambda: dispatcher.backlog.queues.counters()[A].delivered == 4)
        return await dispatcher.close(1)

    assert asyncio.run(asyncio.wait_for(main(), 30)) == 0
    assert handler.ids.count("1") == 3


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_a_clock_that_jumps_over_a_restart_delays_nothing_for_long(make, jump):
    before = make(clock=ManualClock(100 * DAY), policy=RetryPolicy(base_s=0.0))
    handler = Recorder(retry(retry_after_s=10.0), 1, ["1"])
    offer(before, A, handler, "1")
    run(before, lambda: before.backlog.queues.counters()[A].failed == 1)
    now_s, again = [0.0], Recorder()
    after = make(clock=ManualClock(100 * DAY + jump), monotonic=lambda: now_s[0])
    after.backlog.resume(A, Recipient(again))

    async def main():
        await after.start()
        await until(lambda: len(after.backlog.queues.all()[0]) or again.ids)
        now_s[0] = 3600.0
        offer(after, A, again, "2")
        await until(lambda: after.backlog.queues.counters()[A].delivered == 2)
        return await after.close(1)

    assert asyncio.run(asyncio.wait_for(main(), 30)) == 0


@pytest.mark.parametrize("jump", [25 * HOUR, -25 * HOUR])
def test_a_clock_that_is_wrong_after_a_restart_makes_nothing_old(make, jump):
    before = make(clock=ManualClock(100 * DAY))
    offer(before, A, Recorder(), "1", "2")
    after = make(clock=ManualClock(100 * DAY + jump))
    handler = Recorder(retry(), 2, ["1", "2"])
    after.backlog.resume(A, Recipient(handler))
    # the first attempts fail: too old is what is given up then
    assert run(after, lambda: not after.backlog.pending) == 0
    assert sorted(handler.ids) == ["1"] * 3 + ["2"] * 3
    assert after.backlog.outbox.lookup.messages() == []


def test_what_never_was_tried_is_tried_at_once_after_a_restart(make):
    before = make(clock=ManualClock(100 * DAY))
    offer(before, A, Recorder(), "1")
    after, handler = make(clock=ManualClock(99 * DAY)), Recorder()
    after.backlog.resume(A, Recipient(handler))
    assert run(after, lambda: not after.backlog.pending, limit_s=0.0) == 0
    assert handler.ids == ["1"]


def test_age_is_the_time_that_the_server_ran(make):
    """Of deliveries for a handler that is not there."""
    now_s = [0.0]
    for day, left in ((0, 1), (50, 1), (51, 0)):
        dispatcher = make(clock=ManualClock(day * DAY), monotonic=lambda: now_s[0])
        if day == 0:
            offer(dispatcher, A, Recorder(), "1")

        async def main(dispatcher=dispatcher):
            now_s[0] += 0.4 * DAY / SECOND
            await dispatcher.sweep()
            return await dispatcher.close(1)

        asyncio.run(main())
        assert dispatcher.backlog.outbox.lookup.count("pending") == left


def test_what_got_too_old_while_its_handler_failed_is_given_up(make):
    now_s = [0.0]
    dispatcher = make(
        policy=RetryPolicy(base_s=1e6, cap_s=1e6), monotonic=lambda: now_s[0]
    )
    offer(dispatcher, A, Recorder(retry()), *"123")

    async def main():
        await dispatcher.start()
        await until(lambda: dispatcher.backlog.queues.counters()[A].failed == 3)
        await until(lambda: not dispatcher.backlog.queues.all()[0].in_flight)
        now_s[0] = 2 * DAY / SECOND
        await dispatcher.sweep()
        assert dispatcher.backlog.outbox.lookup.count("dead") == 3
        now_s[0] = 30 * DAY / SECOND
        await dispatcher.sweep()
        return await dispatcher.close(1)

    assert asyncio.run(asyncio.wait_for(main(), 30)) == 0
    assert dispatcher.backlog.outbox.lookup.messages() == []
    assert dispatcher.backlog.queues.counters()[A].dead == 3


def test_a_discarded_event_is_not_delivered(make):
    dispatcher, handler = make(), Recorder()
    offer(dispatcher, A, handler, "1", "1", "2")
    [first, *_] = dispatcher.backlog.outbox.lookup.messages()
    assert dispatcher.backlog.discard(first)
    assert run(dispatcher) == 0
    assert sorted(handler.ids) == ["1", "2"]
    assert dispatcher.backlog.queues.counters()[A].discarded == 1


def test_what_the_database_does_not_forget_is_delivered(make, monkeypatch):
    dispatcher, handler = make(), Recorder()
    offer(dispatcher, A, handler, "1")
    [message] = dispatcher.backlog.outbox.lookup.messages()

    def failing(number):
        raise StoreError("database or disk is full")

    monkeypatch.setattr(dispatcher.backlog.outbox, "drop", failing)
    with pytest.raises(StoreError):
        dispatcher.backlog.discard(message)
    assert run(dispatcher) == 0
    assert handler.ids == ["1"]
    assert dispatcher.backlog.queues.counters()[A].discarded == 0


def test_no_more_is_kept_of_what_was_given_up_than_may_be(make, caplog):
    dispatcher, handler = make(max_ended=2), Recorder(DeliveryError("no"))
    offer(dispatcher, A, handler, *"12345")

    async def main():
        await dispatcher.start()
        await until(lambda: not dispatcher.backlog.pending)
        await dispatcher.sweep()
        return await dispatcher.close(1)

    assert asyncio.run(asyncio.wait_for(main(), 30)) == 0
    assert [
        message.event.state.id
        for message in dispatcher.backlog.outbox.lookup.messages()
    ] == ["4", "5"]
    [told] = [each for each in caplog.records if "deleted old" in each.getMessage()]
    assert told.count == 3
