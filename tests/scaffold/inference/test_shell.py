"""Command lines as pages show them."""

from __future__ import annotations

import pytest

from scaffold.errors import UsageError
from scaffold.inference.shell import split


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("curl http://h -d 'a b'", ["curl", "http://h", "-d", "a b"]),
        ('curl -d "a \\"b\\" $X"', ["curl", "-d", 'a "b" $X']),
        ("curl -d $'a\\nb\\u00e9'", ["curl", "-d", "a\nb\u00e9"]),
        ("curl a'b'\"c\"d", ["curl", "abcd"]),
        ("curl \\\n  -X POST \\\n  h", ["curl", "-X", "POST", "h"]),
        ("curl ^\n  -X POST", ["curl", "-X", "POST"]),
        ("curl `\n  -X POST", ["curl", "-X", "POST"]),
        ("curl\n  -X POST\n  'h'", ["curl", "-X", "POST", "h"]),
        ("$ curl h", ["curl", "h"]),
        (
            "curl -d $'o\\x27brien\\101\\U0001f600'",
            ["curl", "-d", "o'brienA\U0001f600"],
        ),
        ("TOKEN=abc curl h", ["curl", "h"]),
        ("TOKEN='a b'\nexport X=1; Y=2\n\ncurl h/$TOKEN", ["curl", "h/$TOKEN"]),
        ("# send it\n# at once\n$ sudo curl h", ["curl", "h"]),
        ("# curl h", ["curl", "h"]),
        (
            "API=https://h/v1\nTOKEN=abc\ncurl ${API}/x $API $APIS $TOKEN",
            ["curl", "https://h/v1/x", "https://h/v1", "$APIS", "$TOKEN"],
        ),
        ("curl http://h/?a=1&b=2", ["curl", "http://h/?a=1&b=2"]),
        ("curl \u2014data \u201ca b\u201d", ["curl", "--data", "a b"]),
        ("curl\u00a0-s h", ["curl", "-s", "h"]),
        ("curl -H <token> h", ["curl", "-H", "<token>", "h"]),
        ("curl 'it'\\''s'", ["curl", "it's"]),
        ("curl -d ''", ["curl", "-d", ""]),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert split(text).words == words


@pytest.mark.parametrize(
    "text",
    ["curl h | jq .", "curl h; ls", "curl h && ls", "curl h > out", "curl h\nls"],
)
def test_what_follows_the_command_is_named(text: str) -> None:
    line = split(text)
    assert line.words == ["curl", "h"]
    assert len(line.notes) == 1


def test_a_document_is_input() -> None:
    line = split("curl -d @- h <<'EOF'\n{\"a\": 1}\nEOF\n")
    assert (line.words, line.document) == (["curl", "-d", "@-", "h"], '{"a": 1}')


@pytest.mark.parametrize(
    "text",
    ["curl $'\\Uffffffff'", "curl 'a", 'curl "a', "curl $'a", "curl -d @- <<EOF\na"],
)
def test_what_is_not_closed_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        split(text)
