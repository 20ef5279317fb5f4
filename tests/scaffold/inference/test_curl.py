"""The requests of curl commands."""

from __future__ import annotations

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
        ("wget h", "not with curl"),
        ("curl", "no URL"),
        ("curl a b", "second URL"),
        ("curl ftp://h", "not one of HTTP"),
        ("curl --hedaer x h", "did you mean --header"),
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


@pytest.mark.parametrize(
    "option", ["-k", "-x http://proxy", "--cacert ca.pem", "--max-time 5", "-F a=b"]
)
def test_what_the_handler_does_otherwise_is_said(option: str) -> None:
    assert len(request(f"curl {option} https://h/x").notes) == 1


def test_values_of_any_form_are_kept() -> None:
    body: dict[str, Any] = {"a": {"b": [1.5, True, "ü"]}, "c": ""}
    text = 'curl h -d \'{"a": {"b": [1.5, true, "ü"]}, "c": ""}\''
    assert request(text).body == body
