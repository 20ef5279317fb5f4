"""JSON Web Tokens, right and wrong."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from runtime.secrets import Secret
from runtime.services.auth.tokens import Claims, TokenError, verify
from runtime.units import SECOND

SECRET = Secret("a shared secret")
NOW = 1_700_000_000 * SECOND
GOOD = {"exp": 1_700_000_060, "username": "bob"}


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(claims: Any, alg: Any = "HS256", secret: str = "a shared secret") -> str:
    parts = [encoded(json.dumps(each).encode()) for each in ({"alg": alg}, claims)]
    text = ".".join(parts)
    digest = getattr(hashlib, f"sha{str(alg)[2:]}", hashlib.sha256)
    return f"{text}.{encoded(hmac.digest(secret.encode(), text.encode(), digest))}"


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_signed_token_names_its_user_until_it_expires(alg: str) -> None:
    expected = Claims("bob", 1_700_000_060 * SECOND)
    assert verify(token(GOOD, alg), SECRET, NOW) == expected


def test_a_known_token_of_another_implementation_is_accepted() -> None:
    # the example of RFC 7519's well-known debugger, with `exp` far away
    known = (
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
        ".eyJ1c2VybmFtZSI6ImJvYiIsImV4cCI6NDEwMjQ0NDgwMH0"
    )
    signature = encoded(hmac.digest(b"key", known.encode(), "sha256"))
    assert verify(f"{known}.{signature}", Secret("key"), NOW).username == "bob"


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("", "invalid token: token contains an invalid number of segments"),
        ("a.b", "invalid token: token contains an invalid number of segments"),
        ("a.b.c.d", "invalid token: token contains an invalid number of segments"),
        (token(GOOD, secret="other"), "invalid token: signature is invalid"),
        (token({**GOOD, "exp": 1_699_999_999}), "invalid token: Token is expired"),
        (
            token({**GOOD, "iat": 1_700_000_009}),
            "invalid token: Token used before issued",
        ),
        (
            token({**GOOD, "nbf": 1_700_000_009}),
            "invalid token: Token is not valid yet",
        ),
        (token({"username": "bob"}), "token expiration required"),
        (token({**GOOD, "exp": 0}), "token expiration required"),
        (token({**GOOD, "exp": "1700000060"}), "token expiration required"),
        (token({**GOOD, "exp": float("nan")}), "token expiration required"),
        (token({**GOOD, "exp": True}), "token expiration required"),
        (token({"exp": 1_700_000_060}), "username in token must be a string"),
        (token({**GOOD, "username": 3}), "username in token must be a string"),
        (token({**GOOD, "username": ""}), "token must contain a username"),
        (token(GOOD, "none"), "invalid token: unexpected signing method: none"),
        (token(GOOD, "RS256"), "invalid token: unexpected signing method: RS256"),
        (token(GOOD, "HS1"), "invalid token: signing method (alg) is unavailable."),
        (token(GOOD, None), "invalid token: signing method (alg) is unspecified."),
    ],
)
def test_what_is_wrong_with_a_token_is_said(sent: str, text: str) -> None:
    with pytest.raises(TokenError) as caught:
        verify(sent, SECRET, NOW)
    assert str(caught.value) == text


@pytest.mark.parametrize("part", ["é", "a=", "a b", "****", "bm90IGpzb24", "W10"])
def test_segments_that_are_no_objects_are_refused(part: str) -> None:
    with pytest.raises(TokenError):
        verify(f"{part}.{part}.{part}", SECRET, NOW)


def test_a_signature_cannot_be_shortened_or_changed() -> None:
    good = token(GOOD)
    for end in (good[:-1], good[:-4], good + "AAAA", good.rpartition(".")[0] + "."):
        with pytest.raises(TokenError):
            verify(end, SECRET, NOW)


def test_without_a_secret_no_token_is_accepted() -> None:
    with pytest.raises(TokenError, match="signature is invalid"):
        verify(token(GOOD, secret=""), Secret(""), NOW)


def test_half_a_letter_in_a_name_is_replaced() -> None:
    assert verify(token({**GOOD, "username": "\ud800"}), SECRET, NOW)[0] == "\ufffd"
