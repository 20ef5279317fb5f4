"""Values of an example that are secrets, or stand for one."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import NamedTuple

from scaffold import names

_NAMES = re.compile(
    r"(?:^|[-_.\s])(?:api|app|access|auth|bot|bearer|client|integration|private|routing|"
    r"secret|service|user|session|x)?[-_.\s]?"
    r"(?:token|apikey|key|secret|password|passwd|passphrase|pwd|credential|signature|"
    r"authorization|cookie|webhook|jwt)s?$",
    re.IGNORECASE,
)
# names that end like those of secrets, and say which thing, not who may
_NOT_SECRET = re.compile(
    r"(?:dedup|incident|message|issue|project|alert|idempotency|public|event|partition|"
    r"sort|cache|primary|foreign|conversation|thread)[-_.\s]?keys?$",
    re.IGNORECASE,
)
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
_MASK = re.compile(r"[xX*•.]{5,}|[xX*•]+-[xX*•-]+|\b[xX]{3,}|[xX]{3,}\b")
# tags of HTML, which are not placeholders
_TAGS = names.words("""
    html head body b strong i em u s p br div span a h1 h2 h3 h4 ul ol li pre code table
    tr td th img hr blockquote
    """)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PREFIXED = re.compile(
    r"(?:sk|pk|rk|ghp|gho|ghs|ghu|github_pat|glpat|xox[abeprs]|xapp|SG|key|tk|ey[A-Za-z]|"
    r"EAA|AC|SK|dop_v1|shp[a-z]{2}|whsec|lin_api|pat|bot\d+)[-_.:]?[\w.-]*",
)
# three letters or more, one of them a vowel
_WORD = re.compile(r"(?=\w{3})\w*[aeiouy]", re.IGNORECASE)
# runs of what tokens are made of
_TOKENS = re.compile(r"[\w+=.~-]+")
_SECRET_LENGTH = 16
# bits a character: words have less, random letters and digits more
_ENTROPY = 3.2


class Placeholder(NamedTuple):
    """A part of a text that stands for a value.

    Attributes:
        text: the part, as it stands.
        name: the value's name: `chat id`.
    """

    text: str
    name: str


def is_secret_name(name: str) -> bool:
    """True if a header, parameter or key of that name holds a secret."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    if _NOT_SECRET.search(spaced):
        return False
    return _NAMES.search(spaced) is not None


def placeholder(text: str) -> Placeholder | None:
    """The first part of a text that stands for a value; None if there is none."""
    found = [match for form in _FORMS if (match := form.search(text))]
    found = [each for each in found if each[1].lower() not in _TAGS]
    if not found or "</" in text:
        return None
    first = min(found, key=lambda match: (match.start(), -len(match[0])))
    return Placeholder(first[0], first[1])


def is_uuid(text: str) -> bool:
    """True if a text is a UUID, which names a thing as often as it is a secret."""
    return _UUID.fullmatch(text) is not None


def is_masked(text: str) -> bool:
    """True if a text is a secret that the page has blacked out: `xxxxxxxx`."""
    return _MASK.search(text) is not None


def looks_secret(text: str) -> bool:
    """True if a text can be a secret by its looks alone: a token, or a long random word."""
    if not text or any(each.isspace() for each in text):
        return False
    if is_masked(text):
        return True
    if _PREFIXED.fullmatch(text) and len(text) >= _SECRET_LENGTH:
        return True
    return any(_is_random(word) for word in re.split(r"[/:.@=&?,]", text))


def secrets_of(text: str) -> list[str]:
    """The parts of a text that look like secrets."""
    words = text.split()
    if len(words) == 1 and looks_secret(text):
        return words
    return [each for each in _TOKENS.findall(text) if looks_secret(each)]


def _is_random(word: str) -> bool:
    """True for long words of letters and digits without the repetitions of a language."""
    if len(word) < _SECRET_LENGTH or re.fullmatch(r"[0-9+-]+", word):
        return False
    if not re.fullmatch(r"[\w+=-]+", word, re.ASCII):
        return False
    humps = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", word)
    if word.isalpha() and all(map(_WORD.match, humps)):
        return False  # OverwriteQuietHours
    has_digits = any(each.isdigit() for each in word)
    parts = [part for part in re.split(r"[-_]", word) if part]
    if len(parts) > 1 and all(part.isalpha() or part.isdigit() for part in parts):
        return False  # words and numbers that are joined
    is_mixed = not (word.islower() or word.isupper())
    return (has_digits or is_mixed) and _entropy(word) >= _ENTROPY


def _entropy(word: str) -> float:
    """Bits a character, by the frequencies of the word itself.

    Source: Shannon, A Mathematical Theory of Communication, 6.
    """
    size = len(word)
    shares = [count / size for count in Counter(word).values()]
    return -sum(share * math.log2(share) for share in shares)


def key_of(text: str) -> str:
    """The key of a setting for a name on a page: `YOUR_CHAT_ID` → `chat-id`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text)
    plain = re.sub(r"[^a-z0-9]+", "-", spaced.lower()).strip("-")
    plain = re.sub(r"^(?:(?:your|my|the|a|an|insert|enter|example|some)-)+", "", plain)
    plain = re.sub(r"-(?:here|goes-here)$", "", plain)
    plain = re.sub(r"^[0-9-]+", "", plain)
    plain = "-".join(part for part in plain.split("-") if part)
    words = names.words("enabled global state-changes-only")
    return f"{plain}-value" if plain in words else plain[:40].strip("-")
