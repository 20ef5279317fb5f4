"""Secrets as people and programs write them."""

from __future__ import annotations

import unicodedata

from runtime.errors import ConfigError
from runtime.golang.quoting import quote
from runtime.secrets import Secret
from runtime.secrets.names import HIDDEN, is_placeholder

# shorter strings are words and numbers
_SECRET_CHARACTERS = 8


def shown(text: str) -> str:
    """A value of the wrong type as errors show it: `***` where it may be a secret.

    The secret may be under the wrong key by mistake.
    """
    return text if len(text) < _SECRET_CHARACTERS else HIDDEN


def trimmed(text: str) -> str:
    """`text` without a leading byte order mark and trailing line ends.

    Editors and `echo` add them; no token, password or URL has them.
    """
    return text.removeprefix("\ufeff").rstrip("\r\n")


def written(text: str) -> Secret:
    """`text` as a secret, trimmed.

    Raises:
        ConfigError: it holds a control character, such as a line end in its middle. The
            error shows that character and nothing else of the secret.
    """
    secret = trimmed(text)
    check_characters(secret)
    return Secret(secret)


def written_url(url: str) -> str:
    """`url`, trimmed: URLs of webhooks are secrets.

    Raises:
        ConfigError: a part of the URL is a placeholder.
    """
    if HIDDEN in url:
        raise ConfigError(
            f"{HIDDEN} is a placeholder for a part of the URL that is not stored here: "
            "write the whole URL"
        )
    return trimmed(url)


def check_characters(secret: str) -> None:
    """Refuse control characters: no header, URL or password field takes them.

    Raises:
        ConfigError: `text` contains a control character.
    """
    if secret.isprintable():
        return
    for char in secret:
        if unicodedata.category(char) == "Cc":
            raise ConfigError(
                f"the secret contains the control character {quote(char)}; "
                "a secret is a single line of text"
            )


def check_placeholder(text: str) -> None:
    """Refuse a placeholder of a secret that is not known here.

    Raises:
        ConfigError: `text` is a placeholder.
    """
    if is_placeholder(text):
        raise ConfigError(
            f"{text} is a placeholder for a secret that is not stored here: write the "
            "secret, or a reference to it"
        )
