"""Deliveries as users meet them: the API of a running server, and its bounds."""

import dataclasses
import json
import os
import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from runtime.delivery import RetryPolicy
from runtime.outbound.client import TimeLimits
from runtime.server.factories import retry_policy, time_limits
from runtime.services.deliveries.config import Config as DeliveryConfig
from runtime.services.deliveries.statistics import delivery_statistics
from runtime.units import MILLISECOND, SECOND, Duration
from tests.runtime.alerting import HANDLER, QUICK, alert, write

IS_LONG = os.environ.get("FAULTS") == "long"


def deliveries(api, query=""):
    return api.json("GET", f"/deliveries{query}")["deliveries"]


def test_a_rejected_event_is_listed_sent_again_and_discarded(start_alerting, chat):
    api = start_alerting()
    chat.status = 400
    chat.body = json.dumps({"error": {"message": "no such room tok-12345"}})
    alert(api, "a")
    [found] = api.until(lambda: deliveries(api, "?state=dead"))
    assert found["link"] == {
        "rel": "self",
        "href": f"/kapacitor/v1/deliveries/{found['id']}",
    }
    assert (found["topic"], found["handler"], found["event"]) == ("cpu", "h", "a")
    assert (found["level"], found["message"]) == ("CRITICAL", "a is CRITICAL")
    assert (found["attempts"], found["due"]) == (1, None)
    assert "no such room ***" in found["error"]
    assert found["key"] == chat.next().headers["Idempotency-Key"]
    assert api.json("GET", f"/deliveries/{found['id']}") == found

    chat.status = 204
    assert api.json("POST", f"/deliveries/{found['id']}/resend") == {"count": 1}
    api.until(lambda: not deliveries(api))
    assert chat.next().json["message"] == "a is CRITICAL"

    chat.status = 400
    alert(api, "b")
    [found] = api.until(lambda: deliveries(api, "?state=dead&topic=c*&handler=h"))
    assert api.json("POST", f"/deliveries/{found['id']}/discard") is None
    assert deliveries(api) == []


def test_lists_are_filtered_and_paged(start_alerting, chat):
    api = start_alerting()
    chat.status = 400
    for host in "abcde":
        alert(api, host)
    api.until(lambda: len(deliveries(api, "?state=dead")) == 5)
    ids = [each["id"] for each in deliveries(api)]
    shown = [each["id"] for each in deliveries(api, "?limit=2&offset=1")]
    assert shown == ids[1:3]
    assert [each["id"] for each in deliveries(api, f"?after={ids[2]}")] == ids[3:]
    assert deliveries(api, "?topic=other") == deliveries(api, "?handler=x") == []
    assert len(deliveries(api, "?topic=cpu&handler=h&state=dead")) == 5
    assert deliveries(api, "?state=cancelled") == []
    chat.status = 204
    assert api.json("POST", "/deliveries/resend?state=dead&topic=cpu") == {"count": 5}
    api.until(lambda: not deliveries(api))


@pytest.mark.parametrize(
    ("method", "uri", "answer"),
    [
        ("GET", "?state=x", (400, "invalid state x, must be one of pending, dead, ca")),
        ("GET", "?limit=x", (400, 'invalid limit parameter "x" must be an integer')),
        ("GET", "?offset=-1", (400, 'invalid offset parameter "-1" must not be nega')),
        ("GET", "/7", (404, "unknown delivery: 7")),
        ("GET", "/x", (404, "unknown delivery: x")),
        ("POST", "/7/resend", (404, "unknown delivery: 7")),
        ("POST", "/7/x", (404, "Not Found")),
        ("DELETE", "/7", (404, "unknown delivery: 7")),
        (
            "POST",
            "/resend?state=pending",
            (400, "pending deliveries cannot be resent: they are sent anyway"),
        ),
        ("POST", "/resend?topik=cpu", (400, 'unknown parameter "topik": POST /kapac')),
        ("POST", "/resend?Topic=cpu", (400, 'unknown parameter "Topic": POST /kapac')),
        ("POST", "/resend?topic=cpu&limit=5", (400, 'unknown parameter "limit": POS')),
        ("POST", "/resend?topic=", (400, 'parameter "topic" is empty: leave it out')),
        (
            "POST",
            "/resend?topic=a&topic=b",
            (400, 'parameter "topic" is given 2 times'),
        ),
        (
            "POST",
            "/resend?topic=a;b",
            (400, "invalid query: write % as %25"),
        ),
        ("POST", "/resend?topic=100%", (400, "invalid query: write % as %")),
        ("POST", "/7/resend?state=dead", (400, 'unknown parameter "state": POST /kap')),
        ("POST", "/7/discard?x", (400, 'unknown parameter "x": POST /kapacitor/v1/de')),
        ("DELETE", "/7?topic=cpu", (400, 'unknown parameter "topic": DELETE /kapacit')),
    ],
)
def test_what_makes_no_sense_is_refused(start_alerting, method, uri, answer):
    status, text = start_alerting().ask(method, f"/deliveries{uri}")
    assert (status, text[: len(answer[1])]) == answer


def test_nothing_is_sent_again_for_a_body_that_would_be_ignored(start_alerting):
    api = start_alerting()
    for uri in ("/deliveries/resend", "/deliveries/7/resend", "/deliveries/7/discard"):
        status, text = api.ask("POST", uri, {"topic": "cpu"})
        assert status == 400
        assert text.endswith(f"{uri} accepts no body, only parameters in the URL")
    assert api.json("POST", "/deliveries/resend?u=a&p=b&topic=cpu", {}) == {"count": 0}


def test_what_waits_for_a_deleted_handler_is_cancelled_and_listed(start_alerting, chat):
    api = start_alerting()
    chat.status = 503
    alert(api, "a")
    api.until(lambda: [d for d in deliveries(api) if d["attempts"]])
    begin = time.monotonic()
    assert api.ask("DELETE", "/alerts/topics/cpu/handlers/h")[0] == 204
    assert time.monotonic() - begin < 1
    [found] = api.until(lambda: deliveries(api, "?state=cancelled"))
    refused = api.ask("POST", f"/deliveries/{found['id']}/resend")
    assert refused == (409, "handler h of topic cpu does not run")
    chat.status = 204
    api.json("POST", "/alerts/topics/cpu/handlers", HANDLER)
    assert api.json("POST", f"/deliveries/{found['id']}/resend") == {"count": 1}
    api.until(lambda: not deliveries(api))


@pytest.mark.parametrize("change", ["delete", "replace", "configure", "delete task"])
def test_a_change_returns_at_once_though_the_handler_hangs(
    start_alerting, chat, change
):
    api = start_alerting(dataclasses.replace(QUICK, timeout=Duration(3 * SECOND)))
    chat.hang = True
    for number in range(10):
        alert(api, f"h{number}")
    api.until(lambda: not chat.received.empty())
    path = "/alerts/topics/cpu/handlers/h"
    begin = time.monotonic()
    if change == "delete":
        api.json("DELETE", path)
    elif change == "replace":
        api.json("PUT", path, {**HANDLER, "options": {"room": "other"}})
    elif change == "configure":
        api.json("POST", "/config/hipchat/", {"set": {"room": "x"}})
    else:
        api.json("DELETE", "/tasks/t")
    assert time.monotonic() - begin < 1
    if change != "delete":
        # nothing is lost: all of it waits
        assert len(deliveries(api, "?state=pending")) == 10


@pytest.mark.parametrize("change", ["delete", "replace", "match"])
def test_a_change_while_thousands_wait_loses_none(start_alerting, chat, change):
    api = start_alerting()
    chat.hang = True
    count = 5000 if change == "delete" or IS_LONG else 500
    answer = write(api, *(f"cpu,host=h{each} value=95 1" for each in range(count)))
    assert answer.status == 204
    api.until(lambda: not chat.received.empty())
    path = "/alerts/topics/cpu/handlers/h"
    begin = time.monotonic()
    if change == "delete":
        api.json("DELETE", path)
    elif change == "replace":
        api.json("PUT", path, {**HANDLER, "options": {"room": "other"}})
    else:
        api.json("PUT", path, {**HANDLER, "match": "level() == OK"})
    assert time.monotonic() - begin < 1
    outbox = api.server._backlog.outbox
    # in one statement: what waits is being cancelled meanwhile
    rows = api.server._store.query(
        "SELECT count(*) FROM deliveries WHERE state <> 'dead'"
    )
    assert rows == [(count,)]
    if change == "delete":
        api.until(lambda: outbox.lookup.count("cancelled") == count)
        api.until(lambda: api.server._backlog.queues.former.cancelled == count)
        return
    # deliveries pending before the change are delivered by the replacement
    chat.hang = False
    api.until(lambda: not api.server._backlog.pending, 30.0)
    [one] = delivery_statistics(api.server._backlog)[:1]
    assert (one.values["delivered"], one.values["cancelled"]) == (count, 0)


def test_a_disabled_service_keeps_its_events_until_it_is_enabled(start_alerting, chat):
    api = start_alerting()
    api.json("POST", "/config/hipchat/", {"set": {"enabled": False}})
    alert(api, "a")
    [found] = api.until(lambda: [d for d in deliveries(api) if d["attempts"]])
    assert (found["state"], found["error"]) == ("pending", "service is not enabled")
    api.json("POST", "/config/hipchat/", {"set": {"enabled": True}})
    api.until(lambda: not deliveries(api))
    assert chat.next().json["message"] == "a is CRITICAL"


def test_what_a_handler_that_is_gone_left_is_cancelled_at_the_start(
    start_alerting, chat
):
    api = start_alerting(dataclasses.replace(QUICK, retry_base=Duration(SECOND)))
    chat.status = 503
    alert(api, "a")
    api.until(lambda: [d for d in deliveries(api) if d["attempts"]])
    api.server._store.execute("DELETE FROM entries WHERE bucket = 'handler-specs'")
    api.restart()
    [found] = deliveries(api)
    assert found["state"] == "cancelled"
    assert found["error"].startswith("the handler no longer exists; before: ")


def test_a_full_outbox_refuses_writes_until_there_is_room(start_alerting, chat):
    api = start_alerting(dataclasses.replace(QUICK, max_pending=2))
    api.json(
        "POST", "/alerts/topics/_internal/handlers", {"id": "h", "kind": "hipchat"}
    )
    chat.hang = True
    alert(api, "a")
    alert(api, "b")
    answer = write(api, "cpu,host=c value=95 1")
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.body == b"too many deliveries are pending (2)\n"
    internal = "/kapacitor/v1/alerts/topics/_internal"
    api.until(lambda: b"CRITICAL" in api.answer("GET", internal).body)
    chat.hang = False
    api.until(lambda: write(api, "cpu,host=c value=95 1").status == 204)
    api.until(lambda: not deliveries(api))


def internal(api):
    status, text = api.ask("GET", "/alerts/topics/_internal/events")
    events = json.loads(text)["events"] if status == 200 else []
    return {each["id"]: each["state"] for each in events}


def test_a_handler_that_keeps_failing_raises_an_alert_and_recovers(
    start_alerting, chat
):
    api = start_alerting(
        dataclasses.replace(QUICK, probe_interval=Duration(20 * MILLISECOND))
    )
    chat.status = 401
    alert(api, "a")
    state = api.until(lambda: internal(api).get("cpu/h"))
    assert state["level"] == "CRITICAL"
    assert state["message"].startswith("handler h of topic cpu keeps failing: ")
    [found] = deliveries(api)
    assert found["state"] == "pending"
    chat.status = 204
    api.json("POST", "/config/hipchat/", {"set": {"room": "r2"}})
    api.until(lambda: internal(api)["cpu/h"]["level"] == "OK")
    assert deliveries(api) == []


def test_the_next_attempt_is_after_the_pause_of_a_failing_handler(start_alerting, chat):
    api = start_alerting(
        dataclasses.replace(QUICK, auth_probe_interval=Duration(3600 * SECOND))
    )
    chat.status = 401
    alert(api, "a")
    api.until(lambda: internal(api).get("cpu/h"))
    alert(api, "b")
    tried, waiting = deliveries(api)
    assert (tried["attempts"], waiting["attempts"]) == (1, 0)
    for each in (tried, waiting):
        left = datetime.fromisoformat(each["due"]) - datetime.now(UTC)
        assert timedelta(minutes=55) < left <= timedelta(hours=1)
    page = api.answer("GET", "/").body.decode()
    assert len(re.findall(">in 5[5-9] min<", page)) == 2


def test_a_failing_handler_that_is_deleted_is_no_trouble_any_more(start_alerting, chat):
    api = start_alerting(
        dataclasses.replace(QUICK, probe_interval=Duration(20 * MILLISECOND))
    )
    chat.status = 401
    alert(api, "a")
    api.until(lambda: internal(api).get("cpu/h"))
    api.json("DELETE", "/alerts/topics/cpu/handlers/h")
    api.until(lambda: internal(api)["cpu/h"]["level"] == "OK")
    assert internal(api)["cpu/h"]["message"] == "handler h of topic cpu was deleted"


def test_a_failing_handler_that_is_gone_at_the_start_is_no_trouble_any_more(
    start_alerting, chat
):
    api = start_alerting(dataclasses.replace(QUICK, max_pending=1))
    api.json("POST", "/alerts/topics/cpu/handlers", {**HANDLER, "id": "i"})
    chat.status = 401
    alert(api, "a")
    api.until(lambda: {"cpu/h", "cpu/i"} <= internal(api).keys())
    assert write(api, "cpu,host=b value=95 1").status == 503
    api.until(lambda: "outbox" in internal(api))
    api.server._store.execute(
        "DELETE FROM entries WHERE bucket = 'handler-specs' AND key LIKE '%h'"
    )
    chat.hang = True
    api.restart()
    levels = {"cpu/h": "OK", "cpu/i": "CRITICAL", "outbox": "OK"}

    def found():
        return {id: state["level"] for id, state in internal(api).items()}

    api.until(lambda: found() == levels)
    assert internal(api)["cpu/h"]["message"] == "handler h of topic cpu was deleted"


def test_an_alert_about_the_alerts_of_alerts_is_not_made(start_alerting, chat):
    api = start_alerting()
    api.json(
        "POST", "/alerts/topics/_internal/handlers", {"id": "i", "kind": "hipchat"}
    )
    chat.status = 400
    alert(api, "a")
    api.until(lambda: len(deliveries(api, "?state=dead")) == 2)
    assert {each["topic"] for each in deliveries(api)} == {"cpu", "_internal"}
    assert list(internal(api)) == ["cpu/h"]
    assert internal(api)["cpu/h"]["level"] == "WARNING"
    # the next one within the hour is not reported
    alert(api, "b")
    api.until(lambda: len(deliveries(api, "?state=dead&topic=cpu")) == 2)
    assert len(deliveries(api, "?topic=_internal")) == 1


def test_numbers_of_each_handler(start_alerting, chat):
    api = start_alerting()
    chat.status = 503
    alert(api, "a")
    api.until(lambda: [d for d in deliveries(api) if d["attempts"]])
    chat.status = 204
    api.until(lambda: not deliveries(api))
    found = delivery_statistics(api.server._backlog)
    [one] = [each for each in found if each.topic == "cpu"]
    values = one.values
    assert (values["delivered"], values["dead"], values["dropped"]) == (1, 0, 0)
    assert values["failed"] == values["retried"] == one.reasons["failed"] >= 1
    assert (values["pending"], values["oldest_age_s"], one.trouble) == (0, 0.0, "")
    shown = api.json("GET", "/debug/vars")["kapacitor"]["delivery:cpu:h"]
    assert shown["tags"] == {"topic": "cpu", "handler": "h"}
    assert shown["values"]["failed_failed"] == one.reasons["failed"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"concurrency": 0}, "concurrency must be at least 1"),
        ({"max_pending": 0}, "max-pending must be at least 1"),
        ({"rate": -1.0}, "rate must not be negative"),
        ({"rate": float("nan")}, "rate must not be negative"),
        ({"timeout": Duration(0)}, "timeout must be positive"),
    ],
)
def test_wrong_configuration_is_refused(changes, text):
    with pytest.raises(Exception, match=text):
        dataclasses.replace(DeliveryConfig(), **changes).validate()


def test_the_defaults_are_those_of_the_policy():
    assert retry_policy(DeliveryConfig()) == RetryPolicy()
    assert time_limits(DeliveryConfig()) == TimeLimits()
    DeliveryConfig().validate()
