"""Email addresses, parsed as Go does.

Source: Go net/mail, ParseAddress; groups and comments are refused here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import NamedTuple

from runtime.golang.quoting import quote

_SPECIALS = frozenset('()<>[]:;@\\,"')
_SPACES = " \t"


class EmailAddress(NamedTuple):
    """An email address.

    Attributes:
        name: display name, or "".
        address: `user@example.com`.
    """

    name: str
    address: str


class EmailAddressError(ValueError):
    """A string is not an email address; the text is Go's."""


def parse_address(text: str) -> EmailAddress:
    """The address in `user@example.com`, `Name <user@example.com>` and the like.

    Raises:
        EmailAddressError: it is not one address.
    """
    return _Parser(text).single()


class _Parser:
    """Reads one address.

    Attributes:
        rest: the part of the string that is not read yet.
    """

    def __init__(self, text: str) -> None:
        self.rest = text

    def single(self) -> EmailAddress:
        self._skip_spaces()
        if not self.rest:
            raise EmailAddressError("mail: no address")
        found = self._address()
        self._skip_spaces()
        if self.rest:
            raise EmailAddressError(
                f"mail: expected single address, got {quote(self.rest)}"
            )
        return found

    def _address(self) -> EmailAddress:
        start = self.rest
        try:
            return EmailAddress("", self._spec())
        except EmailAddressError:
            self.rest = start
        name = "" if self._peek() == "<" else self._phrase()
        self._skip_spaces()
        if not self._take("<"):
            is_atom = all(map(_is_dotted, name))
            missing = "missing '@' or angle-addr" if is_atom else "no angle-addr"
            raise EmailAddressError(f"mail: {missing}")
        spec = self._spec()
        if not self._take(">"):
            raise EmailAddressError("mail: unclosed angle-addr")
        return EmailAddress(name, spec)

    def _spec(self) -> str:
        """`user@example.com`, as it is written."""
        self._skip_spaces()
        if not self.rest:
            raise EmailAddressError("mail: no addr-spec")
        is_quoted = self._peek() == '"'
        local = _local(self._quoted()) if is_quoted else self._dot_atom()
        if not self._take("@"):
            raise EmailAddressError("mail: missing @ in addr-spec")
        self._skip_spaces()
        if not self.rest:
            raise EmailAddressError("mail: no domain in addr-spec")
        domain = self._literal() if self._peek() == "[" else self._dot_atom()
        return f"{local}@{domain}"

    def _phrase(self) -> str:
        """A display name: words and quoted strings."""
        words: list[str] = []
        while True:
            self._skip_spaces()
            if not self.rest:
                break
            try:
                word = self._quoted() if self._peek() == '"' else _decoded(self._atom())
            except EmailAddressError as error:
                if words:
                    break
                raise EmailAddressError(
                    f"mail: missing word in phrase: {error}"
                ) from None
            words.append(word)
        return " ".join(words)

    def _quoted(self) -> str:
        """The content of a quoted string."""
        content: list[str] = []
        is_escaped = False
        for index, character in enumerate(self.rest[1:], 1):
            if is_escaped:
                is_escaped = False
            elif character == '"':
                self.rest = self.rest[index + 1 :]
                return "".join(content)
            elif character == "\\":
                is_escaped = True
                continue
            if not (_is_visible(character) or character in _SPACES):
                shown = quote(character, mark="'")
                raise EmailAddressError(
                    f"mail: bad character in quoted-string: {shown}"
                )
            content.append(character)
        raise EmailAddressError("mail: unclosed quoted-string")

    def _atom(self) -> str:
        atom = self._while(_is_dotted)
        if not atom:
            raise EmailAddressError("mail: invalid string")
        return atom

    def _dot_atom(self) -> str:
        atom = self._atom()
        if atom.startswith("."):
            raise EmailAddressError("mail: leading dot in atom")
        if ".." in atom:
            raise EmailAddressError("mail: double dot in atom")
        if atom.endswith("."):
            raise EmailAddressError("mail: trailing dot in atom")
        return atom

    def _literal(self) -> str:
        """`[192.0.2.1]`."""
        self._take("[")
        address = self._while(lambda each: _is_visible(each) and each not in "[]\\")
        if not self._take("]"):
            raise EmailAddressError("mail: unclosed domain-literal")
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise EmailAddressError(
                f"mail: invalid IP address in domain-literal: {quote(address)}"
            ) from None
        return f"[{address}]"

    def _while(self, holds: Callable[[str], bool]) -> str:
        end = next(
            (i for i, each in enumerate(self.rest) if not holds(each)), len(self.rest)
        )
        taken, self.rest = self.rest[:end], self.rest[end:]
        return taken

    def _take(self, character: str) -> bool:
        if not self.rest.startswith(character):
            return False
        self.rest = self.rest[1:]
        return True

    def _peek(self) -> str:
        return self.rest[:1]

    def _skip_spaces(self) -> None:
        self.rest = self.rest.lstrip(_SPACES)


def _is_visible(character: str) -> bool:
    return "!" <= character <= "~" or character >= "\x80"


def _is_dotted(character: str) -> bool:
    """True for a character of an atom, or a dot."""
    return _is_visible(character) and character not in _SPECIALS


def _local(text: str) -> str:
    """The part before the `@`, read from a quoted string and quoted again if necessary.

    Raises:
        EmailAddressError: it is empty.
    """
    if not text:
        raise EmailAddressError("mail: empty quoted string in addr-spec")
    is_plain = all(map(_is_dotted, text)) and "" not in text.split(".")
    if is_plain:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _decoded(word: str) -> str:
    """A word of a name, without its encoding: `=?utf-8?q?J=C3=B6rg?=`."""
    if not word.startswith("=?"):
        return word
    try:
        return str(make_header(decode_header(word)))
    except (HeaderParseError, LookupError, ValueError):
        return word
