"""Parts of an example that stand for a value, and the settings they are named after."""

from __future__ import annotations

import re
from typing import NamedTuple

from scaffold import names

# placeholders: <token>, {token}, {{token}}, $TOKEN, ${TOKEN}, %TOKEN%, :token, YOUR_TOKEN
_FORMS = (
    re.compile(r"<<?\s*([A-Za-z][\w .:/'-]*?)\s*>>?"),
    re.compile(r"\{\{\s*\$?([A-Za-z][\w .-]*?)\s*\}\}"),
    re.compile(r"\{\$?([A-Za-z][\w .-]*)(?<! )\}"),
    re.compile(r"\$\{?([A-Z_][A-Z0-9_]*)\}?"),
    re.compile(r"\A\$\{?([A-Za-z_]\w*)\}?\Z"),
    re.compile(r"%([A-Z][A-Z0-9_]+)%"),
    re.compile(r"\[([A-Za-z][\w -]*)\]"),
    re.compile(r"\b((?:YOUR|MY)[-_ ][A-Z0-9][A-Z0-9_-]*)"),
    re.compile(r"\b((?:your|my)[-_ ][a-z][a-z0-9_ -]*)", re.IGNORECASE),
    re.compile(r"\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b"),
)
# tags of HTML, which are not placeholders
_TAGS = names.words("""
    html head body b strong i em u s p br div span a h1 h2 h3 h4 ul ol li pre code table
    tr td th img hr blockquote
    """)


class Placeholder(NamedTuple):
    """A part of a text that stands for a value.

    Attributes:
        text: the part, as it stands.
        name: the value's name: `chat id`.
    """

    text: str
    name: str


def placeholder(text: str) -> Placeholder | None:
    """The first part of a text that stands for a value; None if there is none."""
    found = [match for form in _FORMS if (match := form.search(text))]
    found = [each for each in found if each[1].lower() not in _TAGS]
    if not found or "</" in text:
        return None
    first = min(found, key=lambda match: (match.start(), -len(match[0])))
    return Placeholder(first[0], first[1])


def key_of(text: str) -> str:
    """The key of a setting for a name on a page: `YOUR_CHAT_ID` → `chat-id`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})", "-", text)
    plain = re.sub(r"[^a-z0-9]+", "-", spaced.lower()).strip("-")
    plain = re.sub(r"^(?:(?:your|my|the|a|an|insert|enter|example|some)-)+", "", plain)
    plain = re.sub(r"-(?:here|goes-here)$", "", plain)
    plain = re.sub(r"^[0-9-]+", "", plain)
    plain = "-".join(part for part in plain.split("-") if part)
    words = names.words("enabled global state-changes-only")
    return f"{plain}-value" if plain in words else plain[:40].strip("-")
