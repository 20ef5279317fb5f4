import asyncio
import logging

from runtime.alert.types import Event, EventState
from runtime.delivery import Address, Deliverer, Delivery
from runtime.errors import DeliveryError

A, B = Address("t", "a"), Address("t", "b")


class Recorder:
    def __init__(self, error=None):
        self.ids = []
        self.error = error

    async def handle(self, event):
        self.ids.append(event.state.id)
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error


class Hanging:
    async def handle(self, event):
        await asyncio.Event().wait()


def offer(deliverer, address, handler, *ids):
    taken = [
        deliverer.offer(address, Delivery(Event("t", EventState(each)), handler))
        for each in ids
    ]
    deliverer.release()
    return taken


def run(deliverer, limit_s=5.0):
    """Deliver what was offered; the number of events given up."""

    async def main():
        await deliverer.start()
        return await deliverer.close(limit_s)

    return asyncio.run(main())


def test_each_handler_gets_its_events_in_order():
    deliverer, first, second = Deliverer(), Recorder(), Recorder()
    offer(deliverer, A, first, "1", "2", "3")
    offer(deliverer, B, second, "1", "2")
    assert run(deliverer) == 0
    assert (first.ids, second.ids) == (["1", "2", "3"], ["1", "2"])
    assert deliverer.counters()[A].delivered == 3


def test_nothing_is_delivered_before_the_release():
    deliverer, handler = Deliverer(), Recorder()
    deliverer.offer(A, Delivery(Event("t", EventState("1")), handler))
    assert run(deliverer) == 1
    assert handler.ids == []


def test_events_beyond_the_buffer_are_refused_for_that_handler_only():
    deliverer, first, second = Deliverer(buffer_size=2), Recorder(), Recorder()
    assert offer(deliverer, A, first, "1", "2", "3") == [True, True, False]
    assert offer(deliverer, B, second, "1") == [True]
    assert deliverer.counters()[A].dropped == 1


def test_a_hung_handler_delays_no_other_and_is_given_up():
    deliverer, good = Deliverer(), Recorder()
    offer(deliverer, A, Hanging(), "1", "2")
    offer(deliverer, B, good, "1", "2")
    assert run(deliverer, limit_s=0.05) == 2
    assert good.ids == ["1", "2"]


def test_a_handler_that_takes_too_long_fails(caplog):
    deliverer = Deliverer(time_limit_s=0.01)
    offer(deliverer, A, Hanging(), "1", "2")
    assert run(deliverer) == 0
    assert deliverer.counters()[A].failed == 2
    assert 'err="no result within 0.01s"' in caplog.text


def test_failures_are_logged_with_their_context_and_the_next_event_comes(caplog):
    deliverer, handler = Deliverer(), Recorder(DeliveryError("service is not enabled"))
    event = Event("t", EventState("1"))
    deliverer.offer(A, Delivery(event, handler, {"task": "cpu"}))
    offer(deliverer, A, handler, "2")
    assert run(deliverer) == 0
    assert handler.ids == ["1", "2"]
    assert caplog.records[0].getMessage() == (
        'failed to deliver event task="cpu" topic="t" handler="a" event="1" '
        'err="service is not enabled"'
    )


def test_the_text_of_an_unexpected_exception_is_not_logged(caplog):
    caplog.set_level(logging.DEBUG)
    deliverer, handler = Deliverer(), Recorder(ValueError("hush"))
    offer(deliverer, A, handler, "1")
    run(deliverer)
    assert "handler raised ValueError in handle" in caplog.text
    assert "hush" not in caplog.text


def test_events_offered_while_running_are_delivered():
    deliverer, handler = Deliverer(), Recorder()

    async def main():
        await deliverer.start()
        await asyncio.to_thread(offer, deliverer, A, handler, "1", "2")
        while len(handler.ids) < 2:
            await asyncio.sleep(0)
        await deliverer.close(1)

    asyncio.run(asyncio.wait_for(main(), 5))
    assert handler.ids == ["1", "2"]
