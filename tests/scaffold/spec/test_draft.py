"""Specs that flags describe."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from scaffold.errors import SpecError
from scaffold.flags import Flags
from scaffold.spec.parse import differences, from_flags, parse
from tests.scaffold.spec.small import flag_faults


def test_one_field_is_a_whole_spec():
    spec = from_flags(Flags("foo", fields=["room:str"]))
    assert spec.to_toml() == """\
[handler]
name = "foo"
title = "Foo"
flags = ["enabled"]

[config]
url = { required = "enabled", error = "must specify the Foo server URL" }
room = {}

[option]
room = { default = "config.room", bind = "create" }

[[request]]
url = "${config.url}"
[request.json]
room = "${opt.room}"
message = "${event.message}"

[response]
message = "unexpected response code ${status} from Foo service"

[test]
room = "${config.room}"
message = "test foo message"
"""


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"fields": ["room"], "is_global": True, "state_changes_only": True},
        {"fields": ["token:secret", "n:int=3", "x:float=0.5", "on:bool=true"]},
        {"config": ["wait:duration=10s", "who:list=a, b", "tags:map=a=b,c=d"]},
        {"options": ["wake:flag", "who:list[str]", 'note:str=say "hi" \\ ${x}']},
        {"fields": ["url:url=https://x.example.com"], "title": "It's & Co."},
        {"fields": ["subject:template={{ .ID }}"], "options": ["y:list[template]=a,b"]},
        {"options": ["x:any=5", "y:list[any]=1,b", "z:map[any]=a=1,b=c", "e:any"]},
        {"options": ["m:map=a=b", "d:duration=5s", "i:int=5", "x:float=1", "b:bool"]},
    ],
)
def test_the_text_of_flags_reads_back_as_the_same_spec(flags):
    spec = from_flags(Flags("foo", **flags))
    assert parse(spec.to_toml()).document == spec.document
    assert differences(spec, parse(spec.to_toml())) == []


def test_all_faults_of_flags_are_told_with_their_flag():
    assert flag_faults(fields=["room:strr", "Room"], config=["n:int=x"]) == [
        "--field room:strr: unknown type 'strr' (allowed: str, secret, int, float, bool, "
        "duration, url, list[str], map[str], any, list[any], map[any], template, list[template], map[template]; did you mean str?)",
        "--field Room: 'Room' is not a name for a key; start with a to z, then use a "
        "to z, 0 to 9, single - and _, at most 40 characters (did you mean 'room'?)",
        "--config n:int=x: 'x' is not an integer",
    ]
    lines = flag_faults("ﬁoo", fields=["room:strr"])
    assert [line.partition(":")[0] for line in lines] == ["--field room", "NAME"]
    lines = flag_faults("print", fields=["message"], state_changes_only=True)
    assert [line.partition(":")[0] for line in lines] == [
        "--field message",
        "NAME",
        "--state-changes-only",
    ]


def test_a_field_twice_is_refused():
    [line] = flag_faults(fields=["chat-id"], options=["chat_id"])
    assert line.startswith("--option chat_id: 'chat_id' is already given")


def test_a_secret_with_a_value_is_refused():
    [line] = flag_faults(fields=["token:secret=abc"])
    assert line.startswith(
        "--field token:secret=…: must be absent: a secret would be committed"
    )
    [line] = flag_faults(config=["x:str=ghp_abcdefgh"])
    assert "looks like a token" in line


def test_a_url_that_alerts_can_override_is_where_requests_go():
    [request] = from_flags(Flags("foo", fields=["url:url", "room"])).requests
    assert request.url.reads == {"opt.url"}
    assert [each.key for each in request.body.entries] == ["room", "message"]


def test_a_field_called_like_the_message_is_refused():
    [line] = flag_faults(fields=["message", "room"])
    assert line == (
        "--field message: 'message' is the message of the alert; use another name"
    )


def test_flags_describe_the_request() -> None:
    flags = Flags(
        "huddle",
        fields=("room:str", "priority:int"),
        property_name="huddleAlert",
        message_key="text",
        auth="GenieKey",
        url="https://x.example.com/v1/{room}/send",
        is_form=True,
    )
    spec = from_flags(flags)
    assert spec.names.property == "huddleAlert"
    [request] = spec.document["request"]
    assert request == {
        "url": "${config.url}",
        "path": ["v1", "${opt.room}", "send"],
        "auth": {"scheme": "GenieKey", "token": "config.token"},
        "form": {"priority": "${opt.priority}", "text": "${event.message}"},
    }
    config = {each.key: each for each in spec.config}
    assert config["url"].default == "https://x.example.com"
    assert config["token"].is_secret
    assert differences(spec, parse(spec.text)) == []
    other = from_flags(replace(flags, message_key="body"))
    assert any("request" in line for line in differences(other, parse(spec.text)))


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://x.example.com/{rom}", "has {rom}, which is not a field"),
        ("https://{room}.example.com/", "has a field in its host"),
        ("x.example.com", "is not a URL"),
        ("ftp://x", "is not a URL"),
        ("https://[x", "is not a URL"),
    ],
)
def test_a_url_that_is_none_is_refused(url: str, problem: str) -> None:
    with pytest.raises(SpecError, match=re.escape(problem)):
        from_flags(Flags("huddle", fields=("room:str",), url=url))


def test_bearer_is_the_usual_scheme() -> None:
    [request] = from_flags(Flags("huddle", auth="bearer")).document["request"]
    assert request["auth"] == {"token": "config.token"}


def sent(**flags: Any) -> dict[str, Any]:
    """The request of a spec that flags make."""
    spec = from_flags(Flags("huddle", **flags))
    assert differences(spec, parse(spec.text)) == []
    [request] = spec.document["request"]
    return {key: each for key, each in request.items() if key != "url"}


def test_parts_of_the_url_are_fields() -> None:
    url = "https://x.example.com/v1/{room}/bot{n:int}/a%20b?v=2&to={to}&to=x&q"
    assert sent(url=url) == {
        "path": ["v1", "${opt.room}", "bot${opt.n}", "a b"],
        "query": {"v": "2", "to": ["${opt.to}", "x"], "q": ""},
        "json": {"message": "${event.message}"},
    }
    types = {
        each.key: each.type.name
        for each in from_flags(Flags("huddle", url=url)).options
    }
    assert types == {"room": "str", "n": "int", "to": "str"}


def test_a_part_of_the_url_may_be_a_setting() -> None:
    request = sent(url="https://x.example.com/{tenant}/", config=("tenant:str",))
    assert request["path"] == "${config.tenant}/"


@pytest.mark.parametrize(
    "url", ["https://x.example.com/a?b=1", "https://x.example.com"]
)
def test_a_url_without_fields_is_the_default(url: str) -> None:
    spec = from_flags(Flags("huddle", url=url))
    assert spec.config[0].default == url
    assert "path" not in spec.document["request"][0]


@pytest.mark.parametrize(
    ("flags", "fault"),
    [
        ({"url": "https://h.io/{n:int}", "fields": ("n:int",)}, "'n' is already given"),
        ({"url": "https://h.io/{a b}"}, "'a b' is not a name"),
        ({"url": "https://h.io/{n:x}"}, "unknown type 'x'"),
        ({"url": "https://h.io/{}"}, "'' is not a name for a key"),
        (
            {"message_key": "room", "fields": ("room:str",)},
            "'room' is the key of the message, by --message-key",
        ),
    ],
)
def test_contradictions_are_refused(flags: dict[str, Any], fault: str) -> None:
    with pytest.raises(SpecError) as caught:
        from_flags(Flags("huddle", **flags))
    [line] = str(caught.value).splitlines()
    assert fault in line


def test_basic_authentication_has_a_user() -> None:
    assert sent(auth="Basic")["auth"] == {
        "basic": ["config.username", "config.password"]
    }
    config = {each.key: each for each in from_flags(Flags("h", auth="basic")).config}
    assert config["username"].required == "enabled"
    assert config["password"].is_secret


def test_a_token_that_alerts_can_override_is_what_is_sent() -> None:
    assert sent(auth="bearer", fields=("token:secret",)) == {
        "auth": {"token": "opt.token"},
        "json": {"message": "${event.message}"},
    }
