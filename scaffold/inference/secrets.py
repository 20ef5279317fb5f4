"""Values of an example that are secrets, by their names and their looks."""

from __future__ import annotations

import re

from scaffold.spec.tokens import is_token, tokens_in

_NAMES = re.compile(
    r"(?:^|[-_.\s])(?:api|app|access|auth|bot|bearer|client|integration|private|routing|"
    r"secret|service|user|session|x)?[-_.\s]?"
    r"(?:token|apikey|key|secret|password|passwd|pass[-_]?phrase|passcode|pass|pwd|pin|"
    r"pin[-_]?code|credential|signature|sig|sign|auth|authorization|cookie|webhook|jwt)s?$"
    # … and endings that only names of secrets have
    r"|(?:token|apikey|secret|password|passwd|passphrase)$",
    re.IGNORECASE,
)
# names that end like those of secrets, but identify things instead of granting access
_NOT_SECRET = re.compile(
    r"(?:dedupe?|deduplication|aggregation|correlation|grouping|collapse|incident|message|"
    r"issue|project|alert|idempotency|public|event|partition|sort|cache|primary|foreign|"
    r"conversation|thread)[-_.\s]?keys?$",
    re.IGNORECASE,
)
# `password=hunter2` inside a text, and in a body of a format of its own
_ASSIGNED = re.compile(r"([A-Za-z][\w.-]*)[\"']?\s*=\s*[\"']?([^\s\"'&,;<>]+)")
_NAMED = re.compile(r"([A-Za-z][\w.-]*)[\"']?\s*[:=]\s*[\"']?([^\s\"'&,;<>]+)")
_MASK = re.compile(r"[xX*•.]{5,}|[xX*•]+-[xX*•-]+|\b[xX]{3,}|[xX]{3,}\b")
_RUNS = re.compile("[a-z]+|[A-Z]+|[0-9]+")
_SHORT = 10
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """True if a header, parameter or key of that name holds a secret."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    if _NOT_SECRET.search(spaced):
        return False
    return _NAMES.search(spaced) is not None


def is_uuid(text: str) -> bool:
    """True if a text is a UUID, which names a thing as often as it is a secret."""
    return _UUID.fullmatch(text) is not None


def is_masked(text: str) -> bool:
    """True if a text is a secret that the page has blacked out: `xxxxxxxx`."""
    return _MASK.search(text) is not None


def looks_secret(text: str) -> bool:
    """True if a word can be a secret by its looks alone, blacked out or not."""
    if not text or any(each.isspace() for each in text):
        return False
    return is_masked(text) or is_token(text) or _is_mixed(text)


def _is_mixed(text: str) -> bool:
    """True for `Zx81QpLm0aTT`, too short for a token; false for `iPhone12Pro`.

    In chosen names the kind of character changes seldom, in random ones nearly each time.
    """
    runs = _RUNS.findall(text)
    kinds = {("a" if run.islower() else "A" if run.isupper() else "0") for run in runs}
    is_word = len(text) >= _SHORT and text.isascii() and text.isalnum()
    return is_word and len(kinds) == 3 and len(runs) * 5 > len(text) * 3


def secrets_of(text: str) -> list[str]:
    """The parts of a text that look like secrets, or have the name of one before `=`."""
    if looks_secret(text):
        return [text]
    return _parts(text, _ASSIGNED)


def secrets_of_body(text: str) -> list[str]:
    """The secrets in a body of plain text, with lines such as `password: hunter2`, too."""
    return [text] if looks_secret(text) else _parts(text, _NAMED)


def _parts(text: str, pairs: re.Pattern[str]) -> list[str]:
    named = [value for name, value in pairs.findall(text) if is_secret_name(name)]
    tokens = [
        each for each in tokens_in(text) if not any(value in each for value in named)
    ]
    return list(dict.fromkeys([*tokens, *named]))
