import dataclasses

import pytest

from runtime.alert.recovered import Retention
from runtime.alert.types import Event, EventData, EventState, Level, Recipient
from runtime.errors import DeliveryError, OptionsError, StoreError
from runtime.services.alert.specs import HandlerSpec
from runtime.services.alert.subscriptions import Subscription
from runtime.testing.clock import ManualClock
from runtime.units import MINUTE

OK, INFO, WARNING, CRITICAL = Level


def event(topic, event_id, level, **tags):
    state = EventState(event_id, "message", "details", 7, 5, level)
    return Event(topic, state, EventData(name="cpu", task_name="task", tags=tags))


def spec(handler="h", topic="t", kind="foo", options=None, match=""):
    return HandlerSpec(handler, topic, kind, options, match)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "\udcc3"},
        {"message": "\ud800"},
        {"time": 2**63},
        {"duration": -(2**63) - 1},
    ],
)
def test_what_no_database_takes_is_refused_and_stops_nothing_else(
    service, offers, changes
):
    service.admission.create(spec("a"))
    bad = event("t", "e", CRITICAL)
    bad = dataclasses.replace(bad, state=dataclasses.replace(bad.state, **changes))
    with service.transaction():
        with pytest.raises(DeliveryError, match="event cannot be stored: "):
            service.collect(bad)
        service.collect(event("t", "f", CRITICAL))
    assert offers.ids == [("t", "a", "f")]
    assert [*service.topics.get("t").events] == ["f"]


class Silent:
    async def handle(self, event):
        pass


def test_an_event_goes_to_each_handler_of_its_topic(service, offers):
    service.admission.create(spec("a"))
    service.admission.create(spec("b", kind="hipchat"))
    service.admission.create(spec("c", topic="u"))
    service.collect(event("t", "e", CRITICAL))
    assert offers.ids == [("t", "a", "e"), ("t", "b", "e")]
    assert service.topics.get("t").level is CRITICAL


def test_events_know_their_previous_level_on_the_topic(service, offers):
    service.admission.create(spec("a"))
    for level in (CRITICAL, WARNING):
        service.collect(event("t", "e", level))
    assert [each[2].previous_level for each in offers.released] == [OK, CRITICAL]


def test_nothing_is_released_before_the_states_are_kept(service, offers, store):
    service.admission.create(spec("a"))
    with service.transaction():
        service.collect(event("t", "e", CRITICAL))
        with service.transaction():
            service.collect(event("t", "f", CRITICAL))
        assert offers.released == []
        assert store.query("SELECT id FROM event_states") == []
    assert len(offers.released) == 2
    assert store.query("SELECT id FROM event_states") == [("e",), ("f",)]


def test_what_could_not_be_kept_is_kept_with_the_next_write(
    service, offers, store, monkeypatch
):
    service.admission.create(spec("a"))

    def fail(sql, parameters):
        raise StoreError("disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(store, "execute_many", fail)
        with pytest.raises(StoreError):
            service.collect(event("t", "e", CRITICAL))
    assert offers.released == []
    service.collect(event("t", "f", CRITICAL))
    assert [each[2] for each in offers.ids] == ["e", "f"]
    assert store.query("SELECT id FROM event_states") == [("e",), ("f",)]


def test_states_survive_a_restart(make):
    service = make()
    service.collect(event("t", "bad", CRITICAL))
    service.collect(event("t", "good", CRITICAL))
    service.collect(event("t", "good", OK))
    service.collect(event("u", "e", WARNING))
    service.collect(event("u", "e", OK))

    again = make()
    topic = again.topics.get("t")
    assert topic.events == {
        "bad": EventState("bad", "message", "details", 7, 5, CRITICAL),
        "good": EventState("good", "message", "details", 7, 5, OK),
    }
    assert topic.collected == 0
    assert again.topics.get("u").level is OK


def test_without_persistence_nothing_survives(make):
    make(persist=False).collect(event("t", "e", CRITICAL))
    assert make().topics.get("t") is None


def test_an_event_without_id_is_delivered_but_not_kept(make, offers, caplog):
    service = make()
    service.admission.create(spec("a"))
    service.collect(event("t", "", CRITICAL))
    assert offers.ids == [("t", "a", "")]
    assert caplog.records == []
    assert make().topics.get("t").events == {}


def test_handlers_survive_a_restart(make, offers):
    make().admission.create(spec("a", options={"room": "x"}))
    again = make()
    again.collect(event("t", "e", CRITICAL))
    [(_, _, _, recipient)] = offers.released
    assert recipient.handler.options.room == "x"
    assert again.handlers.matching("t") == [spec("a", options={"room": "x"})]


def test_a_stored_handler_that_fails_is_logged_and_kept(make, store, caplog):
    service = make()
    service.admission.create(spec("a"))
    store.values.put(
        "handler-specs", "t/a", b'{"id":"a","topic":"t","kind":"gone","match":""}'
    )
    again = make()
    assert "failed to load handler on startup" in caplog.text
    assert again.handlers.running(again.handlers.get("t", "a")) is None


def test_an_updated_handler_takes_over_and_may_change_its_id(service, offers):
    service.admission.create(spec("a", options={"room": "x"}))
    service.admission.create(spec("b", options={"room": "old b"}))
    service.admission.update(
        service.handlers.get("t", "a"), spec("b", options={"room": "y"})
    )
    service.collect(event("t", "e", CRITICAL))
    assert [
        (handler, recipient.handler.options.room)
        for _, handler, _, recipient in offers.released
    ] == [("b", "y")]


def test_a_wrong_update_changes_nothing(service):
    service.admission.create(spec("a"))
    with pytest.raises(OptionsError):
        service.admission.update(spec("a"), spec("a", options={"nope": 1}))
    assert service.handlers.matching("t") == [spec("a")]


def test_a_secret_sent_back_as_shown_stays(service):
    before = spec("a", kind="hipchat", options={"token": "hush", "room": "x"})
    service.admission.create(before)
    after = spec("a", kind="hipchat", options={"token": "***", "room": "y"})
    kept = service.admission.update(before, after)
    assert kept.options == {"token": "hush", "room": "y"}


def test_a_deleted_topic_forgets_events_and_keeps_its_handlers(make, offers):
    service = make()
    service.admission.create(spec("a"))
    with service.transaction():
        service.collect(event("t", "e", CRITICAL))
        service.delete_topic("t")
    assert service.topics.get("t") is None
    assert make().topics.get("t").events == {}  # it has a handler
    offers.released.clear()
    service.collect(event("t", "f", CRITICAL))
    assert offers.ids == [("t", "a", "f")]


def test_anonymous_topics_close_and_open_with_their_state(make, offers):
    topic = "main:cpu:alert2"
    service = make()
    service.open_anonymous_topic(
        topic, {"foo": Subscription(Recipient(Silent()))}, task="cpu"
    )
    service.collect(event(topic, "e", CRITICAL))
    assert offers.released[0][3].context == {"task": "cpu"}
    service.close_topic(topic)
    assert service.topics.get(topic) is None

    again = make()
    assert again.topics.get(topic) is None  # until its task starts
    again.open_anonymous_topic(
        topic, {"foo": Subscription(Recipient(Silent()))}, task="cpu"
    )
    assert again.event_state(topic, "e").level is CRITICAL
    assert again.topics.get(topic).collected == 0


@pytest.mark.parametrize("is_open", [True, False])
def test_deleting_a_task_deletes_its_topics(make, is_open):
    topic = "main:cpu:alert2"
    service = make()
    service.open_anonymous_topic(
        topic, {"foo": Subscription(Recipient(Silent()))}, task="cpu"
    )
    service.collect(event(topic, "e", CRITICAL))
    service.collect(event("main:cpu2:alert2", "e", CRITICAL))
    if not is_open:
        service.close_topic(topic)
    service.delete_anonymous_topics("cpu")
    service.open_anonymous_topic(topic, {}, task="cpu")
    assert service.event_state(topic, "e") is None
    service.open_anonymous_topic("main:cpu2:alert2", {}, task="cpu2")
    assert service.event_state("main:cpu2:alert2", "e") is not None


def test_disabled_kinds_are_stored_but_do_not_run(make, caplog):
    service = make(disabled=frozenset({"foo"}))
    disabled = spec("d", options={"whatever": 1})
    service.admission.create(disabled)
    assert "handler 'foo' is disabled" in caplog.text
    assert service.handlers.matching("t") == [disabled]
    assert service.topics.get("t") is None
    with pytest.raises(OptionsError, match="already exists"):
        service.admission.create(disabled)
    service.admission.update(disabled, spec("d", kind="hipchat"))
    service.admission.update(spec("d", kind="hipchat"), disabled)
    service.collect(event("t", "e", CRITICAL))
    service.handlers.delete("t", "d")
    assert service.handlers.matching("t") == []


@pytest.mark.parametrize(
    ("match", "ids"),
    [
        ("level() == CRITICAL", ["c"]),
        ("level() >= WARNING", ["w", "c"]),
        ("changed()", ["w", "c"]),
        ("\"host\" == 'a'", ["o", "w", "c"]),
        ("\"host\" == 'b' OR name() == 'mem'", []),
        ("name() == 'cpu' AND taskName() == 'task'", ["o", "w", "c"]),
        ("alertDuration() < 1m", ["o", "w", "c"]),
    ],
)
def test_match_decides_about_each_event(service, offers, match, ids):
    service.admission.create(spec("a", match=match))
    for event_id, level in (("o", OK), ("w", WARNING), ("c", CRITICAL)):
        service.collect(event("t", event_id, level, host="a"))
    assert [each[2] for each in offers.ids] == ids


@pytest.mark.parametrize(
    ("match", "err"),
    [
        ("level() == CRITICAL OR \"nope\" == 'a'", "no tag exists for nope"),
        (
            "bool(taskName())",
            'error calling "bool": strconv.ParseBool: parsing "task": invalid syntax',
        ),
    ],
)
def test_a_failing_match_is_logged_and_takes_nothing(
    service, offers, caplog, match, err
):
    service.admission.create(spec("a", match=match))
    service.collect(event("t", "e", CRITICAL))
    assert offers.released == []
    [record] = caplog.records
    assert record.getMessage() == "failed to evaluate match expression"
    assert (record.topic, record.event, record.err) == ("t", "e", err)


def test_external_handlers_skip_what_is_not_for_them(service, offers):
    service.admission.create(spec("a"))
    made = event("t", "e", CRITICAL)
    service.collect(Event("t", made.state, made.data, no_external=True))
    assert offers.released == []


def test_a_state_may_be_recorded_on_a_topic_that_is_new(make, offers):
    service = make()
    service.admission.create(spec("a", topic="new"))
    service.delete_topic("new")
    state = EventState("e", level=WARNING)
    service.update_event("new", state)
    assert service.event_state("new", "e") == state
    assert make().topics.get("new").level is WARNING
    assert offers.ids == []


class TestRetention:
    """States that are OK again are forgotten by and by, all others never."""

    def test_their_time_is_over(self, make, offers):
        clock = ManualClock()
        service = make(retention=Retention(10, 100), clock=clock)
        for id, level in (("a", CRITICAL), ("b", CRITICAL), ("a", OK)):
            service.collect(event("t", id, level))
        clock.advance(9)
        list(service.sweep())
        assert set(service.topics.get("t").events) == {"a", "b"}
        clock.advance(1)
        list(service.sweep())
        assert set(service.topics.get("t").events) == {"b"}
        assert set(make().topics.get("t").events) == {"b"}
        assert service.topics.get("t").level is CRITICAL
        service.collect(event("t", "a", CRITICAL))
        assert set(make().topics.get("t").events) == {"a", "b"}

    def test_an_alert_that_is_bad_again_stays(self, make):
        clock = ManualClock()
        service = make(retention=Retention(10, 100), clock=clock)
        for level in (CRITICAL, OK, CRITICAL):
            service.collect(event("t", "a", level))
        clock.advance(1000)
        list(service.sweep())
        assert set(service.topics.get("t").events) == {"a"}

    def test_ten_thousand_new_ids_a_minute_need_no_more_room(self, make, store):
        clock = ManualClock()
        service = make(retention=Retention(10 * MINUTE, 300), clock=clock)
        for minute in range(5):
            with service.transaction():
                for number in range(1000):
                    for level in (WARNING, OK):
                        service.collect(event("t", f"{minute}-{number}", level))
            clock.advance(MINUTE)
            list(service.sweep())
            assert len(service.topics.get("t").events) == 300
            assert store.query("SELECT count(*) FROM event_states") == [(300,)]
        assert "4-999" in service.topics.get("t").events
        clock.advance(10 * MINUTE)
        list(service.sweep())
        assert store.query("SELECT count(*) FROM event_states") == [(0,)]

    @pytest.mark.parametrize("end", ["close_topic", "delete_topic"])
    def test_topics_that_are_gone_are_no_matter(self, make, end):
        clock = ManualClock()
        service = make(retention=Retention(10, 100), clock=clock)
        topic = "main:cpu:alert2"
        service.open_anonymous_topic(topic, {}, task="cpu")
        service.collect(event(topic, "e", OK))
        getattr(service, end)(topic)
        clock.advance(100)
        list(service.sweep())
        service.open_anonymous_topic(topic, {}, task="cpu")
        known = set(service.topics.get(topic).events)
        assert known == ({"e"} if end == "close_topic" else set())
        clock.advance(100)
        list(service.sweep())
        assert not service.topics.get(topic).events
