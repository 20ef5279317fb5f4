"""The requests of curl commands."""

from __future__ import annotations

import re
from typing import Any

import pytest

from scaffold.errors import UsageError
from scaffold.inference.curl import CurlRequest, request


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("curl h.io/a", CurlRequest("http://h.io/a")),
        ("curl -XPOST h", CurlRequest("http://h", "POST")),
        (
            "curl h -d a=1 -d 'b=x y'",
            CurlRequest("http://h", "POST", body_kind="form", body=[("a", "1"), ("b", "x y")]),
        ),
        (
            "curl h --data-urlencode 'b=x&y' --data-urlencode '=c d'",
            CurlRequest("http://h", "POST", body_kind="form", body=[("b", "x&y"), ("c d", "")]),
        ),
        (
            "curl -G h?x=1 -d a=1 --data-urlencode 'b=x y'",
            CurlRequest("http://h", query=(("x", "1"), ("a", "1"), ("b", "x y"))),
        ),
        (
            "curl h --json '{\"a\": [1, null]}'",
            CurlRequest("http://h", "POST", body_kind="json", body={"a": [1, None]}),
        ),
        (
            "curl h -d '{\"a\": 1}'",
            CurlRequest("http://h", "POST", body_kind="json", body={"a": 1}),
        ),
        (
            "curl h -H 'Content-Type: text/plain' -d a=b",
            CurlRequest("http://h", "POST", body_kind="text", body="a=b"),
        ),
        ("curl -sSLk -uu:p h", CurlRequest("http://h", user=("u", "p"))),
        ("curl https://u:p@h/x", CurlRequest("https://h/x", user=("u", "p"))),
        ("curl h -H 'Authorization: Basic dTpw'", CurlRequest("http://h", user=("u", "p"))),
        (
            "curl h --oauth2-bearer t -H 'Expect:' -H 'X-A: b' -A me",
            CurlRequest("http://h", headers=(("Authorization", "Bearer t"), ("X-A", "b"))),
        ),
        ("curl --request=PUT --url=h", CurlRequest("http://h", "PUT")),
        ("curl.exe -o out h", CurlRequest("http://h")),
    ],
)  # fmt: skip
def test_requests(text: str, wanted: CurlRequest) -> None:
    found = request(text)
    assert vars(found) | {"notes": ()} == vars(wanted)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("wget h", "does not begin with curl"),
        ("curl", "no URL"),
        ("curl a b", "second URL"),
        ("curl ftp://h", "does not begin with http://"),
        ("curl --hedaer x h", "did you mean --header"),
        ("curl --no-hedaer h", "not known"),
        ("curl -d", "ends after -d"),
        ("curl h -d @body.json", "put its content into the command"),
        ("curl h -F 'file=@a.png'", "uploads a file"),
        ("curl -I h", "HEAD"),
        ("curl -T file h", "--upload-file"),
        ("curl -X BREW h", "unknown method"),
        ("curl -X GET h -d '{}'", "GET with a body"),
        ("curl h -H 'Content-Type: application/json' -d '{\"a\": ,}'", "is not JSON"),
        ("curl h --json '" + "[" * 100_000 + "'", "nested too deep"),
    ],
)
def test_what_no_spec_can_say_is_refused(text: str, part: str) -> None:
    with pytest.raises(UsageError, match=part):
        request(text)


BEARER, FORM = ("Authorization", "Bearer t"), [("a", "1")]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        # sent by curl 7.88 to a server, without the last line break of documents
        ("--form-string 'a=@x;type=\"y\"'", {"body": [("a", '@x;type="y"')]}),
        ("--url-query '+y=2%203' --url-query 'z=%'", {"query": (("y", "2 3"), ("z", "%"))}),
        ("--json '{\"a\"' --json ': 1}'", {"body": {"a": 1}}),
        (
            "--json 1 -H 'Accept: text/plain' -H 'Content-Type: application/vnd.api+json'",
            {"headers": (("Content-Type", "application/vnd.api+json"), ("Accept", "text/plain"))},
        ),
        ("--json 1 -H 'Accept: application/json'", {"headers": ()}),
        ("-b s=1 -b 't=2; u=3'", {"headers": (("Cookie", "s=1; t=2; u=3"),)}),
        ("-b '' -b cookies.txt", {"headers": ()}),
        ("-b $COOKIE", {"headers": (("Cookie", "$COOKIE"),)}),
        ("-e 'http://r/;auto'", {"headers": (("Referer", "http://r/"),)}),
        ("-e ';auto'", {"headers": ()}),
        ("-H 'X-A: 1' -H 'X-B: 2' -H 'x-a: 3'", {"headers": (("X-A", "1, 3"), ("X-B", "2"))}),
        ("-H 'Authorization: Bearer t' -u u:p", {"headers": (BEARER,), "user": None}),
        ("--oauth2-bearer s -H 'Authorization: Bearer t'", {"headers": (BEARER,)}),
        ("-H 'Authorization: Basic dTpw' -u v:q", {"user": ("u", "p")}),
        ("--no-silent --ssl-reqd --noproxy '*' -d a=1 -y 5", {"body": FORM}),
        ("-H 'Content-Type: text/plain' -d @- <<E\na\nb\nE", {"body": "ab"}),
        ("-H 'Content-Type: text/plain' --data-binary @- <<E\na\nb\nE", {"body": "a\nb"}),
        ("--data-urlencode m@- <<E\nx&y\nE", {"body": [("m", "x&y")]}),
    ],
)  # fmt: skip
def test_a_request_is_the_one_that_curl_sends(
    arguments: str, part: dict[str, Any]
) -> None:
    made = request(f"curl http://h {arguments}")
    assert {name: getattr(made, name) for name in part} == part


def test_user_and_password_of_a_url_are_decoded() -> None:
    assert request("curl http://u%40x:p%3Aw@h").user == ("u@x", "p:w")


@pytest.mark.parametrize("text", ["=a b", "a b", "=a@b.c"])
def test_encoded_data_without_a_name_is_refused_alone(text: str) -> None:
    with pytest.raises(UsageError, match="without a name"):
        request(f"curl h --data-urlencode '{text}'")
    made = request(f"curl h -d x=1 --data-urlencode '{text}'")
    assert made.body == [("x", "1"), (text.removeprefix("="), "")]
    assert "the handler as NAME=" in made.notes[0]
    assert request(f"curl -G h --data-urlencode '{text}'").notes == made.notes


@pytest.mark.parametrize(
    "option",
    [
        "-b cookies.txt",
        "-k",
        "-x http://proxy",
        "--cacert ca.pem",
        "--max-time 5",
        "-F a=b",
    ],
)
def test_what_the_handler_does_otherwise_is_said(option: str) -> None:
    assert len(request(f"curl {option} https://h/x").notes) == 1


def test_values_of_any_form_are_kept() -> None:
    body: dict[str, Any] = {"a": {"b": [1.5, True, "ü"]}, "c": ""}
    text = 'curl h -d \'{"a": {"b": [1.5, true, "ü"]}, "c": ""}\''
    assert request(text).body == body


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "curl -H Authorization: Bearer sk_live_51 https://h",
            "a stray word; put quotes",
        ),
        ('curl https://h -d \'{"token": "sk_live_51",}\' --json \'{}', "not closed"),
        ('curl https://h --json \'{"token": "sk_live_51",}\'', "line 1, column 2"),
        ('curl \'https://h -H "X-Key: sk_live_51"', "begins in line 1, column 6"),
        ("curl sk_live_51://h", "does not begin with http://"),
        ("sk_live_51 curl https://h", "does not begin with curl"),
        ("curl https://h -d a=1 --next https://h/sk_live_51", "several requests"),
        ("curl https://h?sk_live_51 -d a=1", "has no name and looks like a secret"),
        ("curl https://h -d a=1 -d sk_live_51", "has no name and looks like a secret"),
        ("curl -G https://h --data-urlencode =sk_live_51", "has no name and looks"),
    ],
)
def test_an_error_repeats_no_part_that_may_be_a_secret(text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=re.escape(problem)) as caught:
        request(text)
    assert "sk_live_51" not in str(caught.value)


def test_what_follows_the_command_is_not_repeated() -> None:
    made = request("curl https://h; export TOKEN=sk_live_51")
    assert made.notes == ("not read: the text after the command",)
