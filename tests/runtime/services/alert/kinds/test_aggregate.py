import pytest

from runtime.alert.types import Level
from runtime.errors import DeliveryError, OptionsError
from runtime.integration import HandlerServices
from runtime.integrations.bundled import INTEGRATIONS
from runtime.services.alert.service import AlertService
from runtime.services.alert.specs import HandlerSpec

MS = 1_000_000
OPTIONS = {"interval": 100 * MS, "topic": "out", "id": "id-agg"}


@pytest.fixture
def out(service, offers):
    """The events that came out."""
    service.admission.create(HandlerSpec("log", "out", "log", {"path": "/tmp/x"}))
    return lambda: [event for topic, _, event in offers.released if topic == "out"]


def spec(**options):
    return HandlerSpec("agg", "t", "aggregate", {**OPTIONS, **options})


@pytest.fixture
def aggregate(service, out):
    service.admission.create(spec())
    return service.handlers.running(service.handlers.get("t", "agg")).recipient.handler


def test_an_interval_makes_one_event_of_all(service, aggregate, out, events, handle):
    for time, level in ((0, Level.INFO), (2, Level.CRITICAL), (1, Level.OK)):
        handle(aggregate, events(time=time, level=level, duration=time))
    assert service.loop.timers[0][0] == 0.1
    assert out() == []
    service.loop.fire()
    [event] = out()
    state = event.state
    assert state.id == "id-agg"
    assert state.message == "Received 3 events in the last 100ms."
    assert state.details == "message\nmessage\nmessage"
    assert (state.time, state.duration, state.level) == (2, 2, Level.CRITICAL)
    assert len(event.data.result) == 3
    assert not event.data.recoverable
    assert event.hops == 1


def test_an_interval_without_events_makes_none(service, aggregate, out, events, handle):
    handle(aggregate, events())
    service.loop.fire()
    assert service.loop.timers == []
    handle(aggregate, events())
    service.loop.fire()
    assert len(out()) == 2


def test_a_delivery_that_is_tried_twice_counts_once(
    service, aggregate, out, events, handle
):
    handle(aggregate, events(), key="k")
    handle(aggregate, events(), key="k")
    service.loop.fire()
    assert out()[0].state.message == "Received 1 events in the last 100ms."


def test_what_is_gathered_survives_a_restart(
    service, aggregate, out, events, handle, store, offers
):
    handle(aggregate, events(), key="k")
    again = AlertService(store, offers, HandlerServices(INTEGRATIONS))
    again.loop = type(service.loop)()
    again.open()
    again.loop.fire()
    assert len(out()) == 1
    assert store.values.items("aggregate/t/agg") == []


def test_a_handler_that_is_deleted_tells_what_it_has(
    service, aggregate, out, events, handle
):
    handle(aggregate, events())
    service.handlers.delete("t", "agg")
    assert len(out()) == 1
    service.loop.fire()
    handle(aggregate, events())
    assert [each.state.message for each in out()] == [
        "Received 1 events in the last 100ms."
    ] * 2


def test_an_update_loses_nothing(service, aggregate, out, events, handle, store):
    handle(aggregate, events())
    service.admission.update(
        service.handlers.get("t", "agg"), spec(message="{{.Count}}")
    )
    again = service.handlers.running(service.handlers.get("t", "agg"))
    handle(again.recipient.handler, events())
    service.loop.fire()
    assert [each.state.message for each in out()] == [
        "Received 1 events in the last 100ms.",
        "1",
    ]
    assert store.values.items("aggregate/t/agg") == []


def test_what_does_not_fit_is_told_later(
    service, aggregate, out, events, handle, offers
):
    handle(aggregate, events())
    offers.fails = True
    service.loop.fire()
    offers.fails = False
    service.loop.fire()
    assert len(out()) == 1


@pytest.mark.parametrize(
    ("flags", "expected"), [([True, True], True), ([True, False], False)]
)
def test_only_what_all_skip_is_skipped(
    make, service, offers, events, handle, flags, expected
):
    handler = make("aggregate", OPTIONS)
    service.admission.create(HandlerSpec("p", "out", "publish", {"topics": ["u"]}))
    for flag in flags:
        handle(handler, events(no_external=flag))
    service.loop.fire()
    assert offers.released[-1][2].no_external is expected


def test_cycles_are_cut(aggregate, events, handle):
    with pytest.raises(DeliveryError, match="cycle"):
        handle(aggregate, events(hops=8))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"interval": 0}, "aggregate interval must be greater than zero"),
        ({"topic": ""}, "aggregate handler must specify topic"),
        (
            {"message": "{{.Foo}}"},
            "failed to evaluate message template with aggregate message data: template: "
            'message:1:2: executing "message" at <.Foo>: can\'t evaluate field Foo in '
            "type alert.aggregateMessageData",
        ),
        (
            {"interval": "10s"},
            "failed to decode options into *alert.AggregateHandlerConfig: 1 error(s) "
            "decoding:\n\n* 'interval' expected type 'time.Duration', got unconvertible "
            "type 'string', value: '10s'",
        ),
    ],
)
def test_wrong_options_are_refused(make, options, text):
    with pytest.raises(OptionsError) as caught:
        make("aggregate", {**OPTIONS, **options})
    assert str(caught.value) == text
