"""Every integration with texts that break careless code.

The integrations are found in the registry: one that is added is covered.
"""

import json
from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pytest

from runtime.errors import DeliveryError
from runtime.outbound.client import TimeLimits
from runtime.testing.events import changed_event, sample_event
from runtime.testing.loopback import LoopbackServer
from runtime.testing.registry import HTTP_KINDS, integration, send
from tests.draws import drawn

LIMITS = TimeLimits(10, 10)
TEXTS = {
    "quotes": 'say "yes" and \'no\' \\ \\" `x`',
    "newlines": "one\r\ntwo\n\tthree\u2028four\u2029",
    "script": "</script><script>alert(1)</script><!-- & -->",
    "mention": "@all <!channel> @everyone *bold* [x](http://y) _i_",
    "NUL": "a\x00b\x01\x1b[31m\x7f",
    "lone surrogate": "a\ud800b\udfffc",
    "right to left": "abc \u202etxt.exe\u202c \u0645\u0631\u062d\u0628\u0627 \u200f",
    "emoji": "\U0001f525\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301",
    "template": "{{ .ID }} {{ $x }} ${PATH} %s %(x)s {0}",
    "1 MB": "x" * 1_000_000,
    "1 MB of what must be escaped": '"\n' * 500_000,
    "empty": "",
}


# the service takes no more
LONGEST = {"servicenow": 4000}


def received(kind, text):
    """Return the request for an event whose texts are all `text`."""
    texts = {"message": text, "details": text, "tags": {"host": text}}
    event = changed_event(sample_event(), texts | {"fields": {"value": text}})
    with LoopbackServer() as server:
        try:
            send(integration(kind, server.url), LIMITS, event)
        except DeliveryError as error:
            # some want to see more than a good status; all have sent something
            assert error.status is not None
        return server.next()


def texts_in(tree):
    """All texts in decoded JSON."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for each in tree.values():
            yield from texts_in(each)
    elif isinstance(tree, list):
        for each in tree:
            yield from texts_in(each)


@pytest.mark.parametrize("kind", drawn(HTTP_KINDS, 6))
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_arrives_as_it_is(kind, name):
    request = received(kind, TEXTS[name])
    # lone surrogates have no form in JSON: Go, too, writes U+FFFD
    text = TEXTS[name].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "json" not in request.headers.get("Content-Type", ""):
        return
    tree = json.loads(request.body.decode("utf-8"))
    expected = text[: LONGEST.get(kind)]
    assert any(expected in each for each in texts_in(tree))


@pytest.mark.parametrize(
    ("room", "path"),
    [
        ("a/b", "/v2/room/a/b/notification"),
        ("x?auth_token=stolen", "/v2/room/x%3Fauth_token=stolen/notification"),
        ("#", "/v2/room/%23/notification"),
        ("%2e%2e", "/v2/room/%252e%252e/notification"),
        ("%2e%2e%2fadmin", "/v2/room/%252e%252e%252fadmin/notification"),
        ("a\r\nHost: evil", "/v2/room/a%0D%0AHost:%20evil/notification"),
        ("\U0001f525", "/v2/room/%F0%9F%94%A5/notification"),
        ("x" * 4096, f"/v2/room/{'x' * 4096}/notification"),
        ("http://evil/", "/v2/room/http:/evil/notification"),
        ("//evil/x", "/v2/room/evil/x/notification"),
        ("@evil:80", "/v2/room/@evil:80/notification"),
    ],
)
def test_a_room_stays_below_the_path_of_the_url(room, path):
    with LoopbackServer() as server:
        send(hipchat(server, room), LIMITS)
        request = server.next()
    assert request.path == path
    assert list(request.query) == ["auth_token"]
    assert unquote(request.path).startswith(urlsplit(server.url + "/v2/room").path)


@pytest.mark.parametrize(
    "room", ["../../admin", "..", "a/../../..", "../room2", "./../x"]
)
def test_a_room_does_not_climb_out_of_it(room):
    with LoopbackServer() as server:
        with pytest.raises(DeliveryError, match="leaves the path of the URL") as caught:
            send(hipchat(server, room), LIMITS)
        assert server.received.empty()
    assert not caught.value.retry


def test_an_empty_room_is_that_of_the_configuration():
    with LoopbackServer() as server:
        send(hipchat(server, ""), LIMITS)
        assert server.next().path == "/v2/room/room1/notification"


def hipchat(server, room):
    made = integration("hipchat", server.url)
    made.tables["hipchat"] = replace(
        made.config, url=f"{server.url}/v2/room", room="room1"
    )
    return replace(made, options=replace(made.options, room=room))
