"""URLs without possible secrets: user information, query values, keys in paths."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from runtime.secrets.names import HIDDEN

# a scheme, and the authority up to the path
_HEAD = re.compile(r"((?:[A-Za-z][A-Za-z0-9+.-]*:)?)((?://[^/?#]*)?)")
# the beginning of a URL without a scheme
_HOST = re.compile(r"(?:localhost|[\w-]+(?:\.[\w-]+)+):\d{1,5}", re.ASCII)
_WITH_USER = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*://[^/?#\s]+@[^/?#\s@]")
_PORT_CHARACTERS = len("65536")
_ACTION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
# characters that no URL has: each represents an action of a template
_MARKS = range(0xE000, 0xF8FF)
_MARK = re.compile(f"[{chr(_MARKS.start)}-{chr(_MARKS.stop)}]")


def shown_url(url: str) -> str:
    """`url` for logs and errors, with `***` for possible secrets.

    Source: Go net/url prints everything; ours hides query values, user information and
    long parts of the path, which in webhook URLs are keys.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return HIDDEN
    authority, path = _authority(parts.netloc), _path(parts.path)
    shown = urlunsplit(("", authority, path, _query(parts.query), ""))
    return f"{parts.scheme}:{shown}" if parts.scheme else shown


def hidden_url(url: str) -> str:
    """`url` for answers of the API: redacted like `shown_url`, and otherwise unchanged.

    Values that a template inserts are not secret: `{{ .Level }}` stays.
    """
    actions = _ACTION.findall(url)[: len(_MARKS)]
    marks = map(chr, _MARKS)
    text = _ACTION.sub(lambda _: next(marks), url, count=len(actions))
    rest, hash_, fragment = text.partition("#")
    rest, question, query = rest.partition("?")
    head = _HEAD.match(rest)
    assert head is not None
    authority = f"//{_authority(head[2][2:])}" if head[2] else ""
    hidden = (head[1], authority, _path(rest[head.end() :]), question, _query(query))
    return _MARK.sub(
        lambda found: actions[ord(found[0]) - _MARKS.start],
        "".join((*hidden, hash_, _path(fragment))),
    )


def holds_password(text: str) -> bool:
    """True if a string is a URL with user information, such as `https://u:p@host/`."""
    return _WITH_USER.match(text) is not None


def is_url_name(name: str) -> bool:
    """True if this is the name of a URL."""
    return "url" in name.casefold()


def _authority(text: str) -> str:
    user, at, host = text.rpartition("@")
    name, colon, port = host.rpartition(":")
    if colon and "]" not in port and len(_literal(port)) > _PORT_CHARACTERS:
        # in a URL of a user without a host, a long port is the password
        host = f"{name}:{HIDDEN}"
    return f"{HIDDEN if _literal(user) else user}{at}{host}"


def _path(text: str) -> str:
    parts = text.split("/")
    return "/".join(HIDDEN if _looks_secret(_literal(part)) else part for part in parts)


def _query(text: str) -> str:
    pairs = (pair.partition("=") for pair in text.split("&"))
    return "&".join(
        name + equals + (HIDDEN if _literal(value) else value)
        for name, equals, value in pairs
    )


def _literal(text: str) -> str:
    """The literal parts of the string, without its template actions."""
    return _MARK.sub("", text)


def _looks_secret(part: str) -> bool:
    if _HOST.fullmatch(part):
        return False
    long = len(part) >= 24
    mixed = any(map(str.isdigit, part)) and any(map(str.isalpha, part))
    return long or ":" in part.strip(":") or "@" in part or (mixed and len(part) >= 16)
