"""The status page of a running server, asked without the wire."""

import dataclasses
import re
from pathlib import Path

import pytest

from runtime.alert.types import Event, EventState, Level
from runtime.delivery.messages import Address, Message, exactly
from runtime.server.status import page as page_module
from runtime.server.status.overview import ROWS
from runtime.units import SECOND, Duration
from tests.runtime.alerting import (
    CONFIGURED_TOKEN,
    HANDLER,
    QUICK,
    SCRIPT,
    TASK,
    TOKEN,
    alert,
)
from tests.runtime.server.status.reading import Reader

BATCH = "batch|query('select mean(value) from d.r.cpu').period(1m).every(1m)|alert()"
HOSTILE = "<script>alert('x')</script>&\"\u202e\x1b[31m\u200b"


@pytest.fixture
def api(start_alerting):
    """A server with a task and a handler; its attempts have time on a busy machine."""
    return start_alerting(dataclasses.replace(QUICK, timeout=Duration(30 * SECOND)))


def get(api, uri="./", status=200):
    """The page of a link."""
    answer = api.answer("GET", uri.removeprefix(".").partition("#")[0])
    assert answer.status == status, answer.body
    assert answer.content_type == "text/html; charset=utf-8"
    return Reader(answer.body)


def post(api, target):
    """Press a button; the page that the browser is sent to."""
    answer = api.answer("POST", target.removeprefix("."))
    assert (answer.status, answer.body) == (303, b"")
    return get(api, answer.headers["Location"])


def on_compute(api, work):
    async def run():
        await api.server._compute.run(work)

    api.run(run())


def with_dead(api, chat, *hosts):
    """A page with a dead delivery of each host."""
    chat.status = 400
    for host in hosts:
        alert(api, host)

    def met():
        page = get(api)
        [handler] = page.tables["handlers"]
        is_told = handler["Dead"] == str(len(hosts)) and handler["Problem"]
        return page if is_told and "dead" in page.tables else None

    return api.until(met)


def sums(page):
    """The numbers at the top."""
    head = page.text[""].partition("UTC")[2].partition("Topics")[0]
    found = re.findall(r"([\d,]+) ([a-z ]+)", head)
    return {what.strip(): int(size.replace(",", "")) for size, what in found}


def test_an_empty_server_says_what_to_do_next(config, start_api):
    page = get(start_api(config))
    assert page.title == "Alerts on localhost"
    assert "kapacitor define ID -tick FILE" in page.text["tasks"]
    assert "kapacitor define-topic-handler FILE" in page.text["handlers"]
    assert "No topics yet." in page.text["topics"]
    assert "No dead deliveries." in page.text["dead"]
    assert "No waiting deliveries." in page.text["waiting"]
    assert "trouble" not in page.text
    assert page.forms == []


def test_tasks_and_topics_are_shown_worst_first(api):
    api.json("POST", "/tasks", {**TASK, "id": "a_task", "status": "disabled"})
    assert api.ask("POST", "/tasks", {**TASK, "id": "b", "script": BATCH})[0] == 500
    api.json("POST", "/alerts/topics/a/handlers", {"id": "h", "kind": "hipchat"})
    alert(api, "a", 80)
    alert(api, "b")
    alert(api, "c", 10)
    page = get(api)
    assert page.title == "1 critical – Alerts on localhost"
    topics = [(row["Level"], row["Topic"]) for row in page.tables["topics"]]
    assert topics == [("CRITICAL", "cpu"), ("OK", "a")]
    [cpu, _] = page.tables["topics"]
    assert cpu["Events"] == "1 critical, 1 warning of 2"
    assert cpu["Last message"] == "b is CRITICAL"
    tasks = [(row["Status"], row["Task"]) for row in page.tables["tasks"]]
    assert tasks == [
        ("FAILING", "b"),
        ("RUNNING", "t"),
        ("DISABLED", "a_task"),
    ]
    assert page.tables["tasks"][0]["Error"].startswith("InfluxDB not configured")
    assert sums(page)["topic critical"] == 1
    assert sums(page)["task failing"] == 1


def test_a_topic_has_a_page_of_its_events(api):
    for host, value in (("a", 80), ("b", 95), ("c", 95), ("c", 10)):
        alert(api, host, value)
    page = get(api, get(api).target("cpu"))
    assert page.title == "Events of topic cpu"
    assert [(row["Level"], row["Event"]) for row in page.tables["events"]] == [
        *(("CRITICAL", "b"), ("WARNING", "a"), ("OK", "c"))
    ]
    assert "There is no topic nope." in get(api, "/?of=nope", 404).text[""]


def test_a_dead_delivery_is_shown_and_sent_again(api, chat):
    page = with_dead(api, chat, "a")
    [row] = page.tables["dead"]
    assert (row["Level"], row["Alert"]) == ("CRITICAL", "a is CRITICAL")
    assert row["Handler"] == "h of cpu"
    assert row["Error"].endswith("(1 attempt)")
    [handler] = page.tables["handlers"]
    assert (handler["State"], handler["Dead"]) == ("TROUBLE", "1")
    assert handler["Problem"].startswith("has not delivered an event: ")
    assert sums(page)["handler in trouble"] == sums(page)["delivery dead"] == 1

    chat.status = 204
    [(label, method, target)] = page.forms
    number = re.search(r"resend=(\d+)", target)[1]
    assert (label, method) == (f"Re-send delivery {number}", "post")
    page = post(api, target)
    assert "1 delivery was put back in the queue." in page.text["dead"]
    api.until(lambda: get(api).tables["handlers"][0]["State"] == "OK")
    page = get(api)
    assert page.tables["handlers"][0]["Delivered"] == "1"
    assert "dead" not in page.tables

    # once more, as a reload of the former page would
    answer = api.answer("POST", target.removeprefix("."))
    assert answer.status == 404
    assert f"unknown delivery: {number}" in Reader(answer.body).text[""]


def test_all_of_a_handler_are_sent_again_once_confirmed(api, chat):
    page = with_dead(api, chat, "a", "b", "c")
    question = get(api, page.target("Re-send all… of h"))
    assert question.title == "Re-send 3 dead deliveries?"
    assert len(get(api).tables["dead"]) == 3, "asking is not doing"
    chat.status = 204
    [(label, method, target)] = question.forms
    assert (label, method) == ("Re-send 3 dead deliveries", "post")
    page = post(api, target)
    assert "3 deliveries were put back in the queue." in page.text["dead"]
    api.until(lambda: "dead" not in get(api).tables)
    assert "no dead deliveries" in get(api, target, 404).text[""]
    assert "No dead deliveries were left to re-send." in post(api, target).text["dead"]


def test_only_the_named_handler_is_sent_again(api, chat):
    api.json("POST", "/alerts/topics/cpu/handlers", {**HANDLER, "id": "h2"})
    chat.status = 400
    alert(api, "a")
    outbox = api.server._backlog.outbox
    event = Event("c*", EventState("e", "m", level=Level.CRITICAL))
    outbox.put([Message(outbox.next_id(), Address("c*", "r*"), event, "dead")])
    # a handler counts a dead delivery a moment after the outbox has it
    page = api.until(
        lambda: len((page := get(api)).tables.get("dead", ())) == 3
        and sum(text.startswith("Re-send all") for text, _ in page.links) == 2
        and page,
    )
    [stray] = [row for row in page.tables["dead"] if row["Handler"] == "r* of c*"]
    assert stray["Action"] == "handler not running"
    # as patterns these names would select everything
    page = get(api, "./?topic=c*&handler=r*")
    assert page.tables["dead"] == [stray]
    chat.status = 204
    page = post(api, "./?resend=all&topic=cpu&handler=h2")
    assert "1 delivery was" in page.text["dead"]
    left = [row["Handler"] for row in get(api).tables["dead"]]
    assert sorted(left) == ["h of cpu", "r* of c*"]


@pytest.mark.parametrize("id", ["a", "c*", "[ab]?", "]", "", "^a", "x[!a]"])
def test_ids_as_patterns_match_themselves_alone(api, id):
    outbox = api.server._backlog.outbox
    others = {"a", "b", "c*", "cc", "[ab]?", "ab", "]", "^a", "x[!a]", "xb"}
    for topic in others:
        item = Message(
            outbox.next_id(), Address(topic, "h"), Event(topic, EventState("e"))
        )
        outbox.put([dataclasses.replace(item, state="dead")])
    found = {
        each.address.topic for each in outbox.lookup.messages("dead", topic=exactly(id))
    }
    assert found == ({id} if id else others)


@pytest.mark.parametrize(
    ("method", "uri", "status", "text"),
    [
        ("POST", "/", 400, "Choose a delivery to re-send."),
        ("POST", "/?resend=all", 400, "Topic and handler are required."),
        ("POST", "/?resend=all&topic=cpu", 400, "Topic and handler are required."),
        ("GET", "/?resend=all&handler=h", 400, "Topic and handler are required."),
        (
            "POST",
            "/?resend=all&topic=x&handler=y",
            409,
            "handler y of topic x does not",
        ),
        ("POST", "/?resend=99", 404, "unknown delivery: 99"),
        ("POST", "/?resend=x", 404, "unknown delivery: x"),
        ("POST", "/?resend=-1", 404, "unknown delivery: -1"),
        ("GET", "/?dead=x", 400, 'invalid dead parameter "x" must be an integer'),
        ("GET", "/?topics=-1", 400, 'invalid topics parameter "-1" must not be neg'),
        ("GET", "/?resent=<b>", 400, 'invalid resent parameter "<b>" must be'),
    ],
)
def test_refusals_are_pages(api, method, uri, status, text):
    answer = api.answer(method, uri)
    page = Reader(answer.body)
    assert (answer.status, page.title) == (status, "Request failed")
    assert text in page.text[""]
    assert page.target("Back to the overview") == "./"


def test_what_users_wrote_is_shown_and_never_obeyed(api, chat):
    """In every place that a client's text can reach."""
    api.json(
        "POST", "/tasks", {**TASK, "id": "x", "script": SCRIPT, "status": "enabled"}
    )
    deliverer, alerts = api.server._backlog, api.server._alerts
    address = Address(f"t{HOSTILE}", f"h{HOSTILE}")
    state = EventState(f"e{HOSTILE}", f"m{HOSTILE}", level=Level.CRITICAL)
    event = Event(address.topic, state)

    def fill():
        with alerts.transaction():
            alerts.collect(event)
        for kind in ("dead", "pending"):
            number = deliverer.outbox.next_id()
            item = Message(number, address, event, kind, 1, error=f"r{HOSTILE}")
            deliverer.outbox.put([item])
        tasks = api.server._all_tasks.records
        task = dataclasses.replace(
            tasks.get("x"),
            id=f"i{HOSTILE}",
            error=f"r{HOSTILE}",
            dbrps=((HOSTILE, "r"),),
        )
        tasks.put(task)

    on_compute(api, fill)
    shown = "<script>alert('x')</script>&\"\\u202e\\u001b[31m\\u200b"
    pages = [get(api)]
    pages.append(get(api, pages[0].target(f"t{shown}")))
    assert pages[1].title == f"Events of topic t{shown}"
    pages.append(get(api, pages[0].target("1")))
    for page in pages:
        assert "script" not in {tag for tag, _ in page.tags}
        assert not re.search("[\u202e\x1b\u200b]", page.text[""])
        for _, attributes in page.tags:
            assert not any(name.startswith("on") for name in attributes)
    page = pages[0]
    [dead], [waiting] = page.tables["dead"], page.tables["waiting"]
    assert dead["Alert"] == f"m{shown}"
    assert dead["Handler"] == waiting["Handler"] == f"h{shown} of t{shown}"
    assert dead["Error"].startswith(f"r{shown}")
    assert page.tables["tasks"][0]["Task"] == f"i{shown}"
    assert page.tables["tasks"][0]["Error"] == f"r{shown}"
    assert pages[2].text["dead"].count(shown), "the filter finds the handler again"
    assert len(pages[2].tables["dead"]) == 1


def test_a_text_of_a_megabyte_is_cut(api, chat):
    alert(api, "x" * 30_000)
    answer = api.answer("GET", "/")
    assert len(answer.body) < 20_000
    assert "x…" in get(api).text["topics"]


def test_secrets_are_not_shown(api, chat):
    chat.body = f"wrong token {TOKEN}"
    page = with_dead(api, chat, "a")
    for each in (page, get(api, page.target("Re-send all… of h"))):
        text = each.text[""] + repr(each.tags)
        assert TOKEN not in text
        assert CONFIGURED_TOKEN not in text


def test_long_tables_are_paged_and_bounded(api):
    outbox = api.server._backlog.outbox
    size = 3 * ROWS + 7
    for kind in ("dead", "pending"):
        events = [
            Event("cpu", EventState(f"{kind}-{n}", f"{kind}-{n}")) for n in range(size)
        ]
        outbox.put(
            [
                Message(
                    outbox.next_id(),
                    Address("cpu", "h"),
                    event,
                    kind,
                    error="e" * 9000,
                )
                for event in events
            ]
        )

    def collect():
        for number in range(size):
            api.server._alerts.collect(Event(f"topic-{number:03}", EventState("e")))

    on_compute(api, collect)
    assert len(api.answer("GET", "/").body) < 250_000
    for name, column in (("dead", "Alert"), ("waiting", "Alert"), ("topics", "Topic")):
        seen, page = [], get(api)
        while True:
            seen += [row[column] for row in page.tables[name]]
            following = [
                to for text, to in page.links if text == "Next" and f"#{name}" in to
            ]
            if not following:
                break
            assert len(page.tables[name]) == ROWS
            page = get(api, following[0])
        assert len(seen) == len(set(seen)) >= size
        first = [to for text, to in page.links if text == "First"]
        assert [row[column] for row in get(api, first[0]).tables[name]] == seen[:ROWS]
    assert get(api).tables["handlers"][0]["Dead"] == str(size)


@pytest.mark.parametrize("name", ["topics", "handlers", "tasks", "dead", "waiting"])
def test_a_part_behind_the_last_row_leads_back(api, name):
    page = get(api, f"./?{name}=9000")
    assert "No more entries." in page.text[name]
    assert not re.search("yet|No dead|No waiting", page.text[name])
    [first] = [to for text, to in page.links if text == "First"]
    assert first == f"./#{name}"


def test_a_hundred_thousand_dead_deliveries_make_a_short_page(api):
    outbox = api.server._backlog.outbox
    event = Event("cpu", EventState("e", "message " * 20, level=Level.CRITICAL))
    outbox.put(
        [
            Message(outbox.next_id(), Address("cpu", "h"), event, "dead", error="error")
            for _ in range(100_000)
        ]
    )
    answer = api.answer("GET", "/")
    assert len(answer.body) < 60_000
    page = Reader(answer.body)
    assert sums(page)["deliveries dead"] == 100_000
    assert page.tables["handlers"][0]["Dead"] == "100,000"


def test_tables_can_be_read_without_seeing_them(api, chat):
    page = with_dead(api, chat, "a")
    by_tag = dict(page.tags)
    assert by_tag["html"]["lang"] == "en"
    for tag, role in (("table", "table"), ("tr", "row"), ("td", "cell")):
        assert by_tag[tag]["role"] == role
    labels = [given["aria-label"] for tag, given in page.tags if tag == "table"]
    assert labels == ["Topics", "Handlers", "Dead deliveries", "Tasks"]
    ids = [given["id"] for _, given in page.tags if "id" in given]
    assert len(ids) == len(set(ids))
    for _, given in page.tags:
        assert given.get("aria-labelledby", ids[0]) in ids
        href = given.get("href") or ""
        assert "#" not in href or href.partition("#")[2] in ids
    assert "prefers-color-scheme: dark" in page.style


def luminance(colour):
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return sum(
        weight * each
        for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
    )


def palettes():
    """The colours of the light and of the dark page, by name."""
    css = (Path(page_module.__file__).with_name("page.css")).read_text()
    light, dark = (
        dict(re.findall(r"--([a-z]+): (#[0-9a-f]+);", block))
        for block in re.findall(r":root \{([^}]*)\}", css)
    )
    assert light.keys() == dark.keys()
    for palette in (light, dark):
        yield {
            k: v if len(v) == 7 else "#" + "".join(c * 2 for c in v[1:])
            for k, v in palette.items()
        }


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *(
            (text, ground)
            for text in ("text", "quiet", "link")
            for ground in ("page", "card")
        ),
        *((kind, "card") for kind in ("critical", "warning", "info")),
        *(("badge", kind) for kind in ("critical", "warning", "info", "ok", "off")),
        ("text", "notice"),
    ],
)
def test_texts_stand_out_in_light_and_dark(text, ground):
    """As WCAG 2.2 asks for, level AA."""
    for palette in palettes():
        bright, dim = sorted(
            (luminance(palette[text]), luminance(palette[ground])), reverse=True
        )
        assert (bright + 0.05) / (dim + 0.05) >= 4.5
