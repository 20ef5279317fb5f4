"""All secrets of an example are found, in any position."""

from __future__ import annotations

import pytest

from scaffold.inference.curl import request
from scaffold.inference.draft import drafted
from scaffold.inference.roles import proposals
from scaffold.inference.secrets import is_secret_name
from scaffold.spec.parse import parse

TOKENS = (
    "xoxb-123456789012-abcdefGHIJKLmnopqr",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF123_-x",
    "89a229ce1a8dbcf9ff30430fbe35eb4c0426574b",
    "AKIAIOSFODNN7EXAMPLE",
    "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",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "Zx81kQ92mPlw07Ty",
)
PLACES = (
    "curl https://h.io/x -H 'Authorization: Bearer {}' --json '{{\"text\": \"a\"}}'",
    "curl https://h.io/x -H 'Authorization: {}' --json '{{\"text\": \"a\"}}'",
    "curl https://h.io/x -H 'X-Whatever: {}' --json '{{\"text\": \"a\"}}'",
    "curl 'https://h.io/x?w={}' --json '{{\"text\": \"a\"}}'",
    'curl https://h.io/{}/send --json \'{{"text": "a"}}\'',
    'curl https://h.io/hooks/{} --json \'{{"text": "a"}}\'',
    'curl https://h.io/x --json \'{{"text": "a", "w": {{"deep": ["{}", 1]}}}}\'',
    "curl https://h.io/x -d text=a -d w={}",
    "curl https://h.io/x -F text=a -F w={}",
    "curl https://h.io/x -u me:{} -d text=a",
    "curl https://h.io/x -u {}: -d text=a",
    "curl https://me:{}@h.io/x -d text=a",
    "curl https://h.io/x -b session={} -d text=a",
    "curl https://h.io/x -d text=a -d 'w=key is {} here'",
    "curl https://h.io/x -d text=a -d 'w=one {} and Zx81kQ92mPlw07Tz'",
    'curl https://h.io/x --json \'{{"text": "a", "w": ["{}", "b"]}}\'',
    "curl https://h.io/x -H 'Content-Type: text/xml' -d '<k>{}</k><t>Hello there</t>'",
    "curl https://h.io/x -H 'Authorization: {}==' -d text=a",
    "curl https://h.io/x -H 'Authorization: Custom a={}, b=\"c\"' -d text=a",
    'curl https://h.io/x -H \'Authorization: OAuth a="b",oauth_token="{}", c="d"\' -d text=a',
    "curl https://h.io/x -H 'Authorization: Token token={},email=a@b.c' -d text=a",
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("token", TOKENS)
def test_a_token_is_found_in_every_place(token: str, place: str) -> None:
    sent = request(place.format(token))
    draft = drafted("quoll", sent, proposals(sent))
    assert token not in "\n".join([draft.text, *draft.reasons, *draft.doubts])
    assert any(each.is_secret for each in parse(draft.text).config)


@pytest.mark.parametrize(
    "name",
    ["token", "API_KEY", "X-Api-Key", "apiKey", "access_token", "password", "client-secret",
     "routing_key", "auth_token", "PRIVATE-TOKEN", "DD-API-KEY", "webhook", "pass",
     "pass_phrase", "smspassword", "pin", "auth", "sig"],
)  # fmt: skip
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["dedup_key", "incidentKey", "keyboard", "monkey", "text", "tokens_used"]
)
def test_other_names(name: str) -> None:
    assert not is_secret_name(name)


PLAIN = "hunter2"


@pytest.mark.parametrize(
    "example",
    [
        "curl https://h.io/x -d text=a -d pass={}",
        "curl https://h.io/x -H 'Authorization: Custom password=\"{}\"' -d text=a",
        'curl https://h.io/x -H \'X-WSSE: Username="bob", Password="{}"\' -d text=a',
        "curl https://h.io/x -d text=a -d 'callback=https://h/?token={}'",
        "curl https://h.io/x -H 'Content-Type: text/plain' -d 'user: bob\npassword: {}\ntext: a'",
        "curl https://h.io/x -H 'Content-Type: text/plain' -d 'password={}&pin={}'",
        "curl https://h.io/x -d '<m><password>{}</password><text>a</text></m>'",
        "curl https://h.io/x -d '<m><n:pwd a=\"1\"><![CDATA[{}]]></n:pwd><text>a</text></m>'",
        'curl https://h.io/x -d \'<m user="bob" password="{}"><text>a</text></m>\'',
    ],
)
def test_a_plain_word_is_a_secret_by_its_name(example: str) -> None:
    sent = request(example.replace("{}", PLAIN))
    draft = drafted("quoll", sent, proposals(sent))
    assert PLAIN not in "\n".join([draft.text, *draft.reasons, *draft.doubts])
    assert any(each.is_secret for each in parse(draft.text).config)


@pytest.mark.parametrize("value", ["Zx81QpLm0aTT", "a9B2c7D4e1", "qW3eR5tY7u"])
def test_a_short_random_value_is_a_secret(value: str) -> None:
    sent = request(f"curl https://h.io/x -d text=a -d code={value}")
    draft = drafted("quoll", sent, proposals(sent))
    assert value not in draft.text
    assert any(each.is_secret for each in parse(draft.text).config)


@pytest.mark.parametrize(
    "value", ["iPhone12Pro", "Version2Beta", "Room42Ops", "P1Incidents"]
)
def test_a_chosen_name_is_none(value: str) -> None:
    sent = request(f"curl https://h.io/x -d text=a -d code={value}")
    assert value in drafted("quoll", sent, proposals(sent)).text
