"""Topics that publish to each other: cycles are refused, and floods end."""

import dataclasses
import itertools

import pytest

from runtime.server.config.sections import LoadConfig
from runtime.services.alert.specs import HandlerSpec, HandlerSpecs

TASK = {
    "id": "t",
    "type": "stream",
    "dbrps": [{"db": "d", "rp": "r"}],
    "script": "stream|from().measurement('m')|alert().crit(lambda: TRUE).topic('a')",
    "status": "enabled",
}


def publish(id, *topics):
    return {"id": id, "kind": "publish", "options": {"topics": list(topics)}}


def path(topic, handler=""):
    return f"/alerts/topics/{topic}/handlers{handler and f'/{handler}'}"


@pytest.fixture
def served(config, start_api):
    """A server whose topic `a` gives its events to `b`, and `b` to `c`."""
    api = start_api(config)
    api.json("POST", path("a"), publish("p", "b"))
    api.json("POST", path("b"), publish("p", "c"))
    return api


@pytest.mark.parametrize(
    ("method", "uri", "body", "text"),
    [
        ("POST", path("x"), publish("p", "x"), 'create handler: {}"x" -> "x"'),
        (
            "POST",
            path("c"),
            publish("p", "y", "a"),
            'create handler: {}"c" -> "a" -> "b" -> "c"',
        ),
        (
            "PUT",
            path("b", "p"),
            publish("p", "a"),
            'update handler: {}"b" -> "a" -> "b"',
        ),
        (
            "PATCH",
            path("b", "p"),
            [{"op": "replace", "path": "/options/topics/0", "value": "b"}],
            'update handler: {}"b" -> "b"',
        ),
        (
            "POST",
            path("c"),
            {"id": "g", "kind": "aggregate", "options": {"interval": 1, "topic": "a"}},
            'create handler: {}"c" -> "a" -> "b" -> "c"',
        ),
    ],
)
def test_a_circle_is_refused_however_it_is_closed(served, method, uri, body, text):
    told = "failed to " + text.format("handlers would publish events in a cycle: ")
    assert served.ask(method, uri, body) == (400, told)
    assert served.json("GET", path("b", "p"))["options"] == {"topics": ["c"]}
    assert served.json("GET", path("c"))["handlers"] == []


def test_a_circle_in_the_load_directory_is_named_with_its_file(
    config, start_api, tmp_path
):
    handlers = tmp_path / "load" / "handlers"
    handlers.mkdir(parents=True)
    for topic, target in ("ab", "ba"):
        (handlers / f"{topic}.yaml").write_text(
            f"topic: {topic}\nid: p\nkind: publish\noptions:\n  topics: [{target}]\n"
        )
    config.load = LoadConfig(enabled=True, dir=str(tmp_path / "load"))

    [rejected] = start_api(config).json("GET", "/storage/rejected")["rejected"]
    assert (rejected["store"], rejected["error"]) == (
        "load",
        "failed to update handler: handlers would publish events in a cycle: "
        '"b" -> "a" -> "b"',
    )


def test_a_circle_that_is_there_already_is_cut_and_counted(config, start_api):
    api = start_api(config)
    stored = HandlerSpecs(api.server._store)
    stored.put(HandlerSpec("p", "a", "publish", {"topics": ["b"]}))
    stored.put(HandlerSpec("p", "b", "publish", {"topics": ["a"]}))
    api.restart()
    api.json("POST", "/tasks", TASK)
    assert api.answer("POST", "/write?db=d&rp=r", "m value=1 1").status == 204
    api.until(lambda: not api.server._backlog.pending, 20.0)
    [cut] = api.json("GET", "/deliveries")["deliveries"]
    assert cut["state"] == "dead"
    assert cut["error"] == (
        "the event has passed 8 topics: their handlers probably publish in a cycle"
    )
    topics = api.json("GET", "/alerts/topics")["topics"]
    collected = {each["id"]: each["collected"] for each in topics}
    assert (collected["a"], collected["b"]) == (5, 4)
    values = api.json("GET", "/debug/vars")["kapacitor"]["delivery:a:p"]["values"]
    assert (values["dead"], values["failed_rejected"]) == (1, 1)


def test_a_fan_out_of_ten_thousand_is_bounded_and_ends(config, start_api):
    config.delivery = dataclasses.replace(config.delivery, max_pending=50)
    api = start_api(config)
    layers = [[f"l{depth}-{number}" for number in range(10)] for depth in range(4)]
    api.json("POST", path("a"), publish("p", *layers[0]))
    for layer, following in itertools.pairwise(layers):
        for topic in layer:
            api.json("POST", path(topic), publish("p", *following))
    api.json("POST", "/tasks", TASK)
    assert api.answer("POST", "/write?db=d&rp=r", "m value=1 1").status == 204
    statuses = set()

    def is_over():
        statuses.add(api.answer("POST", "/write?db=d&rp=r", "other value=1 1").status)
        return not api.server._backlog.pending

    api.until(is_over, 20.0)
    assert statuses == {204, 503}
    topics = {t["id"]: t for t in api.json("GET", "/alerts/topics")["topics"]}
    assert [topics[layer[0]]["collected"] for layer in layers] == [1, 10, 100, 1000]
    assert api.json("GET", "/deliveries")["deliveries"] == []
    assert api.answer("POST", "/write?db=d&rp=r", "other value=1 1").status == 204
