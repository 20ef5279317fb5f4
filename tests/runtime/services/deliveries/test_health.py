import pytest

from runtime.alert.types import Level
from runtime.delivery import Address
from runtime.services.deliveries.health import TOPIC, WARN_EVERY_S, Health
from runtime.testing.clock import ManualClock

A = Address("cpu", "chat")
OK, WARNING, CRITICAL = Level.OK, Level.WARNING, Level.CRITICAL


@pytest.fixture
def told():
    return []


@pytest.fixture
def now_s():
    return [0.0]


@pytest.fixture
def watch(told, now_s):
    clock = ManualClock(7)
    return Health(told.append, clock=clock, monotonic=lambda: now_s[0])


def levels(told):
    return [event.state.level for event in told]


def test_only_changes_are_told(watch, told):
    for level in (CRITICAL, CRITICAL, WARNING, OK, OK, CRITICAL):
        watch.handler(A, level, "refused")
    assert levels(told) == [CRITICAL, OK, CRITICAL]
    first = told[0]
    assert (first.topic, first.state.id) == (TOPIC, "cpu/chat")
    assert first.state.message == "handler chat of topic cpu keeps failing: refused"
    assert first.data.tags == {"topic": "cpu", "handler": "chat"}
    assert told[1].state.message == "handler chat of topic cpu delivers"


def test_what_is_given_up_is_told_once_an_hour(watch, told, now_s):
    for _ in range(3):
        watch.handler(A, WARNING, "no such room")
        watch.handler(A, OK, "")
    assert levels(told) == [WARNING, OK]
    now_s[0] = WARN_EVERY_S
    watch.handler(A, WARNING, "no such room")
    assert levels(told) == [WARNING, OK, WARNING]


def test_nothing_is_told_about_the_topic_itself(watch, told):
    watch.handler(Address(TOPIC, "chat"), CRITICAL, "refused")
    assert told == []


def test_a_handler_that_is_deleted_is_in_no_trouble_and_is_forgotten(watch, told):
    for handler in map(str, range(100)):
        watch.handler(Address("cpu", handler), CRITICAL, "refused")
        watch.forget(Address("cpu", handler))
    assert levels(told) == [CRITICAL, OK] * 100
    assert told[-1].state.message == "handler 99 of topic cpu was deleted"
    watch.forget(Address(TOPIC, "chat"))
    assert len(told) == 200
    assert [watch._levels, watch._warned_s, watch._since] == [{}, {}, {}]


def test_what_was_told_before_a_restart_is_over_with_its_handler(watch, told):
    watch.forget(A)
    assert levels(told) == [OK]


def test_refused_writes_are_told(watch, told):
    for problem in ("full", "full", "", ""):
        watch.outbox(problem)
    assert levels(told) == [CRITICAL, OK]
    assert told[0].state.message == "writes are answered with 503: full"
