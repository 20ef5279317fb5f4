"""Go's messages about malformed JSON.

Python's parser, written in C, finds the position of the first error. Only the text at
this position is scanned again for Go's wording, so a message costs about as much as
parsing.
"""

from __future__ import annotations

import json
import re

from runtime.golang.quoting import quote

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_NUMBER_STEPS = (
    # the text read so far, and Go's words for the unexpected character
    (
        re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?[eE][+-]?", re.ASCII),
        "in exponent of numeric literal",
    ),
    (
        re.compile(r"-?(?:0|[1-9]\d*)\.", re.ASCII),
        "after decimal point in numeric literal",
    ),
    (re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII), ""),
    (re.compile(r"-"), "in numeric literal"),
)
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPE = re.compile(r'["\\/bfnrt]')


class _SyntaxError(Exception):
    pass


# Messages of Python's parser, and for each an input that brings Go's scanner to the same
# state.
_CONTEXTS = {
    "Expecting value": "",
    "Expecting ':' delimiter": '{""',
    "Expecting property name enclosed in double quotes": '{"":0,',
    "Invalid control character at": '"',
}
# Python's message about a comma before a closing bracket, from 3.13 on.
_TRAILING_COMMA = "Illegal trailing comma before end of "
_CLOSERS = {"array": "", "object": '{"":0,'}
_NUMBER_END = re.compile(r"[-0-9.eE+]*\Z", re.ASCII)


def syntax_error(text: str) -> str:
    """Go's message about the first fault in the first value of `text`.

    Source: Go encoding/json, scanner.go.
    """
    text = text.lstrip(" \t\r\n")
    if not text:
        return "EOF"
    try:
        _, end = _DECODER.raw_decode(text)
    except RecursionError:
        return "exceeded max depth"
    except json.JSONDecodeError as error:
        return _worded(error)
    except ValueError as error:
        # JSON has no such constants; Go stops at the first letter
        return scan_error(str(error))
    rest = text[end:].lstrip(" \t\r\n")
    if rest:
        return f"invalid character {_quoted(rest[0])} after top-level value"
    # Python refuses to read longer ones
    return "a number has too many digits"


def scan_error(text: str) -> str:
    """Go's message, found by scanning all of `text` as Go does: slow."""
    try:
        _Scanner(text).value()
    except _SyntaxError as error:
        return str(error)
    except RecursionError:
        return "exceeded max depth"
    return "unexpected EOF"


def _worded(error: json.JSONDecodeError) -> str:
    text, at, message = error.doc, error.pos, error.msg
    if message.startswith("Unterminated string"):
        return "unexpected EOF"
    if message.startswith("Invalid \\"):
        # the position is that of the backslash, or of the `u` behind it
        start = at if text[at] == "\\" else at - 1
        return scan_error(f'"{text[start:]}')
    if message.startswith(_TRAILING_COMMA):
        return scan_error(_CLOSERS[message.split()[-1]] + text[at + 1 :])
    if message == "Expecting ',' delimiter":
        return _number_fault(text, at) or scan_error(_container(text, at) + text[at:])
    return scan_error(_CONTEXTS.get(message, "") + text[at:])


def _number_fault(text: str, at: int) -> str:
    """Go's message about the number that continues at `at`, or "" if it is valid."""
    number = _NUMBER_END.search(text, max(0, at - _LONGEST_NUMBER), at)
    if number is not None and number[0] and text[at : at + 1] in (".", "e", "E"):
        try:
            _Scanner(text[number.start() :]).value()
        except _SyntaxError as error:
            return str(error)
    return ""


def _container(text: str, at: int) -> str:
    """The start of the innermost array or object that is open at `at`."""
    try:
        _DECODER.raw_decode(f"{text[:at]}]")
    except json.JSONDecodeError as error:
        # the added bracket can end an array, but not an object
        return '[""' if error.pos > at else '{"":""'
    return '[""'


def _refuse(name: str) -> None:
    raise ValueError(name)


_LONGEST_NUMBER = 4096
_DECODER = json.JSONDecoder(parse_int=len, parse_constant=_refuse)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def value(self) -> None:
        self._skip()
        char = self._peek()
        if char == "{":
            self._object()
        elif char == "[":
            self._array()
        elif char == '"':
            self._string()
        elif char in "tfn":
            self._literal({"t": "true", "f": "false", "n": "null"}[char])
        elif char == "-" or (char.isascii() and char.isdigit()):
            self._number()
        else:
            raise self._invalid("looking for beginning of value")

    def _object(self) -> None:
        self._at += 1
        self._skip()
        if self._peek() == "}":
            self._at += 1
            return
        while True:
            self._skip()
            if self._peek() != '"':
                raise self._invalid("looking for beginning of object key string")
            self._string()
            self._skip()
            if self._peek() != ":":
                raise self._invalid("after object key")
            self._at += 1
            self.value()
            self._skip()
            if self._closes("}", "after object key:value pair"):
                return

    def _array(self) -> None:
        self._at += 1
        self._skip()
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            self.value()
            self._skip()
            if self._closes("]", "after array element"):
                return

    def _closes(self, bracket: str, context: str) -> bool:
        char = self._peek()
        if char not in (bracket, ","):
            raise self._invalid(context)
        self._at += 1
        return char == bracket

    def _string(self) -> None:
        self._at += 1
        while True:
            self._at = self._end(_PLAIN)
            char = self._peek()
            if char == '"':
                self._at += 1
                return
            if char != "\\":
                raise self._invalid("in string literal")
            self._at += 1
            self._escape()

    def _escape(self) -> None:
        if self._peek() == "u":
            for _ in range(4):
                self._at += 1
                if self._peek() not in "0123456789abcdefABCDEF":
                    raise self._invalid("in \\u hexadecimal character escape")
        elif not _ESCAPE.match(self._text, self._at):
            raise self._invalid("in string escape code")
        self._at += 1

    def _literal(self, word: str) -> None:
        for index, wanted in enumerate(word):
            if self._peek() != wanted:
                context = f"in literal {word} (expecting {_quoted(wanted)})"
                raise self._invalid(context)
            self._at += 1
            if index == len(word) - 1:
                return

    def _number(self) -> None:
        number = _NUMBER.match(self._text, self._at)
        end = number.end() if number else self._at
        for step, context in _NUMBER_STEPS:
            read = step.match(self._text, self._at)
            if read and read.end() >= end and (not number or read.end() > end):
                self._at = read.end()
                self._peek()
                raise self._invalid(context)
        self._at = end

    def _skip(self) -> None:
        self._at = self._end(_SPACE)

    def _end(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        return found.end() if found else self._at

    def _peek(self) -> str:
        if self._at >= len(self._text):
            raise _SyntaxError("unexpected EOF")
        return self._text[self._at]

    def _invalid(self, context: str) -> _SyntaxError:
        return _SyntaxError(f"invalid character {_quoted(self._peek())} {context}")


def _quoted(char: str) -> str:
    if char == "'":
        return "'\\''"
    if char == '"':
        return "'\"'"
    # Go's scanner reads bytes
    byte = chr(char.encode("utf-8", "replace")[0])
    return f"'{quote(byte)[1:-1]}'"
