"""JSON Web Tokens signed with a shared secret.

Source: RFC 7515, RFC 7519; the error texts are those of Go's jwt 4.5.2.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from typing import Any, NamedTuple

from runtime.errors import CredentialsError
from runtime.secrets import Secret
from runtime.units import SECOND, Nanoseconds

_HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
_OTHER_METHODS = frozenset(
    (
        *("none", "EdDSA"),
        *("RS256", "RS384", "RS512"),
        *("ES256", "ES384", "ES512"),
        *("PS256", "PS384", "PS512"),
    )
)


_HALF = re.compile("[\ud800-\udfff]")


class TokenError(CredentialsError):
    """A token is not accepted; the text is for the client."""


class Claims(NamedTuple):
    """The claims of a token.

    Attributes:
        username: name of the user.
        expires: ns since 1970 UTC.
    """

    username: str
    expires: Nanoseconds


def verify(token: str, secret: Secret, now: Nanoseconds) -> Claims:
    """The claims of a token with a valid signature and valid times.

    Raises:
        TokenError: the token is malformed, badly signed, expired, or names no user.
    """
    claims = _verified(token, secret)
    seconds = now / SECOND
    expires = _number(claims, "exp")
    if expires is not None and seconds > expires > 0:
        raise TokenError("invalid token: Token is expired")
    if (_number(claims, "iat") or 0) > seconds:
        raise TokenError("invalid token: Token used before issued")
    if (_number(claims, "nbf") or 0) > seconds:
        raise TokenError("invalid token: Token is not valid yet")
    if expires is None or expires <= 0:
        raise TokenError("token expiration required")
    username = claims.get("username")
    if not isinstance(username, str):
        raise TokenError("username in token must be a string")
    if not username:
        raise TokenError("token must contain a username")
    # as in Go, an unpaired surrogate is not a character
    username = _HALF.sub("\ufffd", username)
    return Claims(username, int(min(expires, 1e10) * SECOND))


def signed(username: str, secret: Secret, expires: Nanoseconds) -> str:
    """A token for a user, valid until `expires`, in ns since 1970 UTC.

    Source: Kapacitor influxdb/token_client.go, generateToken.
    """
    claims = {"username": username, "exp": expires // SECOND}
    parts = [
        _encoded(json.dumps(part, separators=(",", ":")).encode())
        for part in ({"alg": "HS512", "typ": "JWT"}, claims)
    ]
    text = ".".join(parts)
    key = secret.reveal().encode()
    return f"{text}.{_encoded(hmac.digest(key, text.encode(), hashlib.sha512))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _verified(token: str, secret: Secret) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("invalid token: token contains an invalid number of segments")
    header, claims = (_object(part) for part in parts[:2])
    method = header.get("alg")
    digest = _HASHES.get(method) if isinstance(method, str) else None
    if method in _OTHER_METHODS:
        raise TokenError(f"invalid token: unexpected signing method: {method}")
    if digest is None:
        what = "unavailable" if isinstance(method, str) else "unspecified"
        raise TokenError(f"invalid token: signing method (alg) is {what}.")
    signed = f"{parts[0]}.{parts[1]}".encode()
    expected = hmac.digest(secret.reveal().encode(), signed, digest)
    # without a secret anyone could sign
    if not secret or not hmac.compare_digest(expected, _decoded(parts[2])):
        raise TokenError("invalid token: signature is invalid")
    return claims


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(_decoded(part))
    except (ValueError, RecursionError):
        raise TokenError("invalid token: segment is not JSON") from None
    if not isinstance(value, dict):
        raise TokenError("invalid token: segment is not a JSON object")
    return value


def _decoded(part: str) -> bytes:
    try:
        padded = part.encode("ascii") + b"=" * (-len(part) % 4)
        if "=" in part:
            raise TokenError("invalid token: illegal base64 data")
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise TokenError("invalid token: illegal base64 data") from None


def _number(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # a NaN would never expire, as all comparisons with it are false
    return None if value != value else float(min(max(value, -1e18), 1e18))
