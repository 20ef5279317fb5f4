import pytest

from runtime.alert.types import Level
from runtime.errors import DeliveryError, InvalidError, OptionsError
from runtime.services.alert.specs import HandlerSpec


def publish(handler, topic, *targets):
    return HandlerSpec(handler, topic, "publish", {"topics": list(targets)})


def log(topic, handler="log"):
    return HandlerSpec(handler, topic, "log", {"path": "/tmp/x"})


def test_an_event_is_given_to_each_topic_as_it_is(
    service, offers, make, events, handle
):
    service.admission.create(log("a"))
    service.admission.create(log("b"))
    event = events()
    handle(make("publish", {"topics": ["a", "b"]}), event)
    assert [each[:2] for each in offers.released] == [("a", "log"), ("b", "log")]
    for _, _, given in offers.released:
        assert (given.state, given.data) == (event.state, event.data)
    assert service.topics.get("a").level is Level.CRITICAL


def test_the_previous_level_is_the_topics_own(service, offers, make, events, handle):
    service.admission.create(log("a"))
    service.collect(
        events("e", Level.INFO).__class__("a", events("e", Level.INFO).state)
    )
    handle(make("publish", {"topics": ["a"]}), events())
    assert offers.released[-1][2].previous_level is Level.INFO


def test_events_that_do_not_fit_are_given_again(offers, make, events, handle, service):
    service.admission.create(log("a"))
    offers.fails = True
    with pytest.raises(DeliveryError) as caught:
        handle(make("publish", {"topics": ["a"]}), events())
    assert caught.value.retry


def test_internal_handlers_get_what_external_ones_skip(service, offers, events):
    service.admission.create(log("t"))
    service.admission.create(publish("p", "t", "u"))
    service.collect(events(no_external=True))
    assert [each[:2] for each in offers.released] == [("t", "p")]


@pytest.mark.parametrize(
    ("specs", "way"),
    [
        ([publish("p", "a", "a")], '"a" -> "a"'),
        (
            [publish("p", "b", "c"), publish("p", "c", "a"), publish("p", "a", "b")],
            None,
        ),
    ],
)
def test_cycles_are_refused(service, specs, way):
    *good, bad = specs
    for each in good:
        service.admission.create(each)
    with pytest.raises(InvalidError) as caught:
        service.admission.create(bad)
    way = way or '"a" -> "b" -> "c" -> "a"'
    assert str(caught.value) == f"handlers would publish events in a cycle: {way}"
    assert service.handlers.matching("a") == []


def test_an_update_may_end_what_would_be_a_circle(service):
    service.admission.create(publish("p", "a", "b"))
    first = service.handlers.get("a", "p")
    service.admission.update(first, publish("p", "a", "c"))
    service.admission.create(publish("p", "b", "a"))
    with pytest.raises(InvalidError, match="cycle"):
        service.admission.update(service.handlers.get("a", "p"), first)


def test_aggregates_can_close_a_circle(service):
    service.admission.create(publish("p", "a", "b"))
    options = {"interval": 10, "topic": "a"}
    with pytest.raises(InvalidError, match="cycle"):
        service.admission.create(HandlerSpec("g", "b", "aggregate", options))


def test_unnoticed_cycles_are_cut(make, events, handle, service):
    handler = make("publish", {"topics": ["a"]})
    handle(handler, events(hops=7))
    assert service.topics.get("a").collected == 1
    with pytest.raises(DeliveryError) as caught:
        handle(handler, events(hops=8))
    assert not caught.value.retry
    assert service.topics.get("a").collected == 1


def test_hops_are_counted(service, offers, make, events, handle):
    service.admission.create(log("a"))
    handle(make("publish", {"topics": ["a"]}), events(hops=3))
    assert offers.released[0][2].hops == 4


def test_topics_must_be_a_list(make):
    with pytest.raises(OptionsError) as caught:
        make("publish", {"topics": "a"})
    assert str(caught.value) == (
        "failed to decode options into *alert.PublishHandlerConfig: 1 error(s) "
        "decoding:\n\n* 'topics': source data must be an array or slice, got string"
    )
