"""The URL of an example: parts that are configured, chosen for each alert, or secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from scaffold.inference.placeholders import key_of, placeholder
from scaffold.inference.secrets import is_secret_name, looks_secret

# hosts that stand for the reader's own server
_OWN_HOST = re.compile(
    r"(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|\[)"
    r"|(?:^|\.)(?:example\.(?:com|org|net)|local|lan|internal|test|mydomain\.com)(?::|$)"
    r"|your|my[-_]?|acme|[<{$%>}]|^[^.]+$",
    re.IGNORECASE,
)
_HOOK = re.compile(r"hooks?$", re.IGNORECASE)
_BOT = re.compile(r"(bot)(\d{5,}:[\w-]{20,})")
_NUMBER = re.compile(r"\d{4,}")


@dataclass(frozen=True)
class Part:
    """A segment of a path.

    Attributes:
        text: the segment as it stands in the URL.
        kind: `secret`, `field` or "".
        name: key of its setting.
        before: start of the segment, up to the value.
        after: rest of the segment.
    """

    text: str
    kind: str = ""
    name: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Address:
    """A URL, read.

    Attributes:
        base: scheme and host.
        path: all segments of its path.
        is_public: true for a public server; false for a user's own.
        is_secret: true if the whole URL is a secret.
    """

    base: str
    path: tuple[Part, ...]
    is_public: bool
    is_secret: bool

    @property
    def is_plain(self) -> bool:
        """True if no segment varies."""
        return not any(each.kind for each in self.path)

    @property
    def text(self) -> str:
        """Its path as the example has it."""
        return "".join(f"/{each.text}" for each in self.path)


def read(url: str) -> Address:
    """Read a URL without a query."""
    parts = urlsplit(url)
    segments = parts.path.split("/")[1:]
    path = tuple(
        _part(segment, segments[index - 1] if index else "")
        for index, segment in enumerate(segments)
    )
    return Address(
        f"{parts.scheme}://{parts.netloc}",
        path,
        _OWN_HOST.search(parts.netloc) is None,
        _is_hook(path),
    )


def _part(segment: str, before: str) -> Part:
    """A segment; the name before it may give its meaning."""
    segment = unquote(segment)
    bot = _BOT.fullmatch(segment)
    if bot:
        return Part(segment, "secret", "token", bot[1])
    found = placeholder(segment) or _colon(segment)
    if found:
        start, _, end = segment.partition(found[0])
        name = found[1].replace(" ", "_")
        kind = "secret" if is_secret_name(name) else "field"
        return Part(segment, kind, key_of(name) or "name", start, end)
    if looks_secret(segment):
        return Part(segment, "secret", "token")
    # one of many: /projects/4321
    if _NUMBER.fullmatch(segment) and before.endswith("s"):
        return Part(segment, "field", _singular(before))
    return Part(segment)


def _colon(segment: str) -> tuple[str, str] | None:
    """`:room`, as frameworks write a segment that varies."""
    found = re.fullmatch(r":([A-Za-z]\w*)", segment)
    return (segment, found[1]) if found else None


def _singular(noun: str) -> str:
    """The key for one of many: `projects` → `project`."""
    key = key_of(unquote(noun))
    if key.endswith("ies"):
        return f"{key[:-3]}y"
    return key[:-1] if key.endswith("s") and len(key) > 3 else key or "number"


def _is_hook(path: tuple[Part, ...]) -> bool:
    """True for the URL of a webhook, which is itself a secret."""
    named = [index for index, each in enumerate(path) if _HOOK.search(each.text)]
    if named and any(each.text for each in path[named[0] + 1 :]):
        return True
    kinds = [each.kind for each in path]
    if "secret" not in kinds:
        return False
    after = path[kinds.index("secret") :]
    return len(after) < len(path) and all(each.kind or not each.text for each in after)
