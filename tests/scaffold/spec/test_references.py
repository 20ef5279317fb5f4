import tomllib

import pytest

from scaffold.spec.reader import shown
from scaffold.spec.references import uses

SPEC = """
[handler]
name = "room"
title = "Room config.room"
[config]
url = { check = "url" }
room = { default = "config.room", check = "config.room != ''", error = "no ${config.room}" }
[option]
room = { default = "config.room" }
to = { default = "config.room", doc = "config.room" }
[level.room]
OK = "${opt.room}"
[let]
room = ["${opt.room}", { a = "${config.room}" }]
[[check]]
that = "opt.room != opt.to"
error = "bad ${opt.room}"
[[request]]
when = "config.room"
url = "${config.url}${config.room}"
path = ["a", "${opt.room}"]
query = { "..." = "${opt.room} x", room = ["${opt.room}"] }
headers = { X-Room = "${opt.room}" }
auth = { basic = ["opt.room", "config.to"] }
[request.json]
room = "event.room ${event.fields.room} room"
"..." = "opt.room"
list = [{ "@for" = "r in opt.room", "@if" = "r in opt.room", "@value" = "${opt.room}" }]
[[request]]
url = "${config.url}"
auth = { token = "config.room" }
text = "${opt.room}"
[connection]
ca = "config.room"
cert = ["config.to", "config.room"]
verify = "opt.room"
limit = "opt.to"
proxy = "${config.room}"
[response]
that = "config.room"
message = "${config.room} config.room"
[test]
room = "${config.room}"
other = { value = "${config.room}", feeds = "opt.room" }
message = "opt.room"
[[example]]
config = { room = "opt.room" }
options = { room = "${opt.room}" }
want = { json = { room = "${opt.room}" } }
"""


def test_every_use_is_found_and_nothing_else():
    found = sorted(
        f"{shown(use.path)} {use.table}{'' if use.start < 0 else f' at {use.start}'}"
        for use in uses(tomllib.loads(SPEC), "room")
    )
    assert found == [
        "check[1].error option at 10",
        "check[1].that option at 4",
        "config.room.check config at 7",
        "config.room.error config at 12",
        "connection.ca config at 7",
        "connection.cert[2] config at 7",
        "connection.proxy config at 9",
        "connection.verify option at 4",
        "example[1].config.room config",
        "example[1].options.room option",
        "let.room[1] option at 6",
        "let.room[2].a config at 9",
        "option.room.default config at 7",
        "option.to.default config at 7",
        "request[1].auth.basic[1] option at 4",
        "request[1].headers.X-Room option at 6",
        "request[1].json.... option at 4",
        "request[1].json.list[1].@for option at 9",
        "request[1].json.list[1].@if option at 9",
        "request[1].json.list[1].@value option at 6",
        "request[1].path[2] option at 6",
        "request[1].query.... option at 6",
        "request[1].query.room[1] option at 6",
        "request[1].url config at 22",
        "request[1].when config at 7",
        "request[2].auth.token config at 7",
        "request[2].text option at 6",
        "response.message config at 9",
        "response.that config at 7",
        "test.other.feeds option at 4",
        "test.other.value config at 9",
        "test.room config at 9",
        "test.room option",
    ]


@pytest.mark.parametrize(
    ("entry", "is_used"),
    [
        ('chat-id = ""', True),
        ('chat-id = { value = "", feeds = "opt.chat-id" }', True),
        ('chat-id = { value = "", feeds = "event.id" }', False),
        ('x = { value = "", feeds = "opt.chat_id" }', True),
        ('chat = "chat-id"', False),
    ],
)
def test_uses_by_the_service_test(entry, is_used):
    document = tomllib.loads(f"[option]\nchat-id = {{}}\n[test]\n{entry}\n")
    assert bool(list(uses(document, "chat-id"))) is is_used
