import dataclasses
from itertools import pairwise

import pytest

from runtime.alert.types import Event, EventState, Recipient
from runtime.delivery.messages import Address, Message
from runtime.delivery.policy import FailureKind, RetryPolicy, may_be_too_long, shortened
from runtime.delivery.queue import Bucket, Queue
from runtime.errors import DeliveryError

A = Address("t", "a")


class Nobody:
    pass


def message(number, event_id, created=0):
    return Message(number, A, Event("t", EventState(event_id)), created=created)


def queue(*ids, is_serial=False, **policy):
    made = Queue(A, Recipient(Nobody(), is_serial), RetryPolicy(**policy))
    made.pending = len(ids)
    for number, event_id in enumerate(ids, 1):
        made.push(message(number, event_id), 0.0)
    return made


def taken(queue, now_s=0.0):
    found = []
    while (each := queue.take(now_s)) is not None:
        found.append(each.id)
    return found


def test_different_ids_go_in_parallel_and_one_id_in_order():
    made = queue("a", "a", "b", "c", "d", concurrency=3)
    assert taken(made) == [1, 3, 4]
    made.done(message(1, "a"), 0.0)
    assert taken(made) == [2]
    made.done(message(2, "a"), 0.0)
    assert taken(made) == [5]
    assert made.pending == len(made) == 3


def test_a_serial_handler_gets_one_event_at_a_time():
    made = queue("a", "b", is_serial=True)
    assert taken(made) == [1]
    made.done(message(1, "a"), 0.0)
    assert taken(made) == [2]


def test_ten_thousand_events_leave_at_the_rate_that_is_set():
    made = queue(*map(str, range(10_000)), rate=1.0)
    now_s, left_at_s = 0.0, []
    while len(made):
        for number in taken(made, now_s):
            left_at_s.append(now_s)
            made.done(message(number, str(number - 1)), now_s)
        now_s += max(made.wait_s(now_s) or 0.0, 0.001)
    assert len(left_at_s) == 10_000
    assert min(after - before for before, after in pairwise(left_at_s)) >= 0.999
    assert left_at_s[-1] == pytest.approx(9_999, abs=50)


def test_no_more_than_the_rate_leaves_in_a_second():
    made = queue(*map(str, range(20)), rate=2.0, concurrency=100)
    assert taken(made, 0.0) == [1, 2]
    assert made.wait_s(0.0) == 0.5
    assert taken(made, 0.5) == [3]
    # unused capacity does not accumulate
    assert taken(made, 1000.0) == [4, 5]


def test_a_slow_rate_lets_one_through():
    bucket = Bucket(0.1)
    assert bucket.wait_s(0.0) == 0.0
    bucket.spend(0.0)
    assert bucket.wait_s(4.0) == pytest.approx(6.0)


def test_refused_credentials_are_probed_with_one_event():
    made = queue(*"abcdef", concurrency=4)
    first = taken(made)
    for number in first:
        made.note(0.0, FailureKind.AUTH, None)
        made.failed(message(number, "abcdef"[number - 1]), 0.0, 1.0)
    assert taken(made, 299.0) == []
    assert made.wait_s(299.0) == pytest.approx(1.0)
    assert taken(made, 300.0) == [1]
    made.note(300.0, None, None)
    made.done(message(1, "a"), 300.0)
    # it works again: all the others at once
    assert taken(made, 300.0) == [2, 3, 4, 5]


def test_an_event_that_alone_is_refused_does_not_stop_the_others():
    made = queue("a", "b")
    assert taken(made) == [1, 2]
    made.note(0.0, FailureKind.AUTH, None)
    made.failed(dataclasses.replace(message(1, "a"), attempts=1), 0.0, 1.0)
    made.failed(message(2, "b"), 0.0, 1.0)
    # the probe is not the one that was refused before
    assert taken(made, 300.0) == [2]


@pytest.mark.parametrize(
    ("kind", "failures"), [(FailureKind.UNREACHABLE, 5), (FailureKind.FAILED, 20)]
)
def test_one_that_fails_in_a_row_is_only_probed(kind, failures):
    made = queue("a")
    for number in range(failures):
        assert made.trouble is None, number
        made.note(0.0, kind, None)
    assert made.trouble is kind
    assert (taken(made, 29.0), taken(made, 30.0)) == ([], [1])


def test_an_endpoint_that_asks_to_wait_is_left_alone():
    made = queue(*"abc")
    made.note(0.0, FailureKind.LIMITED, 7.0)
    assert taken(made, 6.9) == []
    assert taken(made, 7.0) == [1, 2, 3]
    made = queue("a")
    made.note(0.0, FailureKind.LIMITED, 1e9)
    assert made.wait_s(0.0) == 3600.0


def test_dropping_the_first_of_an_id_lets_the_next_come():
    made = queue("a", "a", "b")
    assert made.drop(1, 0.0)
    assert not made.drop(1, 0.0)
    assert taken(made) == [2, 3]
    assert not made.drop(2, 0.0)
    assert (len(made), made.pending) == (2, 2)


def test_clearing_leaves_what_is_under_way():
    made = queue("a", "a", "b", concurrency=1)
    assert taken(made) == [1]
    made.clear()
    assert (len(made), made.pending) == (1, 1)
    made.done(message(1, "a"), 0.0)
    assert taken(made) == []
    assert (len(made), made.has_more) == (0, False)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DeliveryError("x", retry=True, deferred=True), FailureKind.DEFERRED),
        (DeliveryError("x", status=401), FailureKind.AUTH),
        (DeliveryError("x", status=200, expired=True), FailureKind.AUTH),
        (DeliveryError("x", status=403), FailureKind.AUTH),
        (DeliveryError("x"), FailureKind.REJECTED),
        *[
            (DeliveryError("x", status=status), FailureKind.REJECTED)
            for status in (301, 302, 307, 400, 404, 405, 410, 413, 422, 501, 505)
        ],
        (DeliveryError("x", status=429, retry=True), FailureKind.LIMITED),
        (DeliveryError("x", status=503, retry=True), FailureKind.FAILED),
        (DeliveryError("x", status=408, retry=True), FailureKind.FAILED),
        (DeliveryError("x", retry=True), FailureKind.UNREACHABLE),
    ],
)
def test_kinds_of_failures(error, kind):
    assert FailureKind.of(error) is kind


@pytest.mark.parametrize(
    ("status", "text", "is_it"),
    [
        (413, "", True),
        (400, "message is too long", True),
        (422, "text exceeds 4096 characters", True),
        (400, "unknown room", False),
        (404, "too long", False),
    ],
)
def test_texts_that_may_be_too_long(status, text, is_it):
    assert may_be_too_long(DeliveryError(text, status=status)) is is_it


def test_a_shortened_event_keeps_what_matters():
    event = Event("t", EventState("i", "x" * 5000, "details"))
    made = shortened(event)
    assert made.state.message == "x" * 999 + "…"
    assert (made.state.id, made.state.details, made.data.result) == ("i", "", ())
    assert shortened(Event("t", EventState("i", "short"))).state.message == "short"


def test_a_queue_is_cleared_while_a_delivery_is_discarded_that_is_not_in_memory():
    made = queue("a", "b", concurrency=1)
    assert taken(made) == [1]
    made.in_flight.add(7)
    made.clear()
    assert (len(made), made.pending) == (1, 1)
