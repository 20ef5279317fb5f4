"""Any line of line protocol, read character by character: the reference parser.

Source: Kapacitor's write endpoint, whose parser is InfluxDB 1.x models.ParsePoints.
Its passes over a line treat escapes slightly differently. This parser makes the same
passes, so that unusual lines have the same result.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from runtime.frames import Value
from runtime.golang.utf8 import decoded
from runtime.line_protocol.times import Times
from runtime.units import EARLIEST, LATEST

Row = tuple[str, dict[str, str], dict[str, Value], int]
"""A point: measurement, tags, fields, time."""

BOOLEANS = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), False),
}

MAX_KEY_SIZE = 65_535

_BLANK = " \t\0"
_INT64 = range(-(2**63), 2**63)
_LONGEST_FLOAT = 311  # characters of the largest float64 written out

_SEPARATOR = re.compile(r'[\\ =,"\n]')
_NAME_END = re.compile(r"(?<!\\)[ ,]")
_TAG_STOP = re.compile(r"(?<!\\)[ ,=]")
_FIELD_STOP = re.compile(r'[\\"=, ]')
_VALUE_STOP = re.compile(r'\\["\\]|[",]')
_BARE_END = re.compile(r"[, ]|\Z")
_NUMBER = re.compile(r"-?(?:[0-9]|\.|(?<!^)[eEiu]|(?<=[eE])[+-])*")
_STAMP = re.compile(r"-?[0-9]*(?=[ \n]|\Z)")
_NAME_ESCAPE = re.compile(r'\\([," =])')
_STRING_ESCAPE = re.compile(r'\\(["\\])')


class BadLineError(Exception):
    """A line does not parse; the text is only the reason."""


def lines(text: str) -> Iterator[str]:
    """The lines of a body; a line may contain quoted or escaped newlines."""
    start = 0
    while start < len(text):
        end = line_end(text, start)
        yield text[start:end].removesuffix("\n")
        start = end + 1


def content(line: str) -> str:
    """The part of a line to parse: "" for a blank line or a comment."""
    stripped = line.lstrip(_BLANK)
    return "" if stripped.startswith("#") else stripped


def line_end(text: str, start: int) -> int:
    """The end of the line that begins at `start`: its newline, or the end of `text`."""
    in_fields = quoted = False
    equals = commas = 0
    while found := _SEPARATOR.search(text, start):
        start = found.start()
        mark = found[0]
        if mark == "\\" and start + 2 < len(text):
            start += 2
            continue
        if mark == "\n":
            if not quoted:
                return start
        elif mark == " ":
            in_fields = True
        elif in_fields and mark == '"':
            quoted ^= equals > commas
        elif in_fields and not quoted:
            equals += mark == "="
            commas += mark == ","
        start += 1
    return len(text)


def scan(line: str, times: Times) -> Row:
    """The point of a line from `content`.

    Raises:
        BadLineError: it does not parse.
    """
    name, tags, key_end = _scan_key(line)
    start, end = _scan_fields(line, key_end)
    fields = _read_fields(line[start:end], _size(line[:key_end]))
    return name, tags, fields, _read_time(line, end, times)


def _size(text: str) -> int:
    return len(text.encode())


def _check_size(size: int) -> None:
    if size > MAX_KEY_SIZE:
        raise BadLineError(f"max key length exceeded: {size} > {MAX_KEY_SIZE}")


def _scan_key(line: str) -> tuple[str, dict[str, str], int]:
    if line.startswith(","):
        raise BadLineError("missing measurement")
    found = _NAME_END.search(line, 1)
    if found is None:
        raise BadLineError("missing fields")
    end = found.start()
    name = _unescape_name(line[:end])
    tags: dict[str, str] = {}
    if found[0] == ",":
        end = _scan_tags(line, end + 1, tags)
    _check_size(_size(line[:end]))
    return name, tags, end


def _scan_tags(line: str, start: int, tags: dict[str, str]) -> int:
    seen: set[str] = set()
    duplicate = False
    while True:
        if line[start : start + 1] in ("", " ", ",", "="):
            raise BadLineError("missing tag key")
        found = _TAG_STOP.search(line, start + 1)
        if found is None or found[0] != "=":
            raise BadLineError("missing tag value")
        key, start = line[start : found.start()], found.end()
        if line[start : start + 1] in ("", " ", ","):
            raise BadLineError("missing tag value")
        found = _TAG_STOP.search(line, start + 1)
        if found is None:
            raise BadLineError("missing fields")
        if found[0] == "=":
            raise BadLineError("invalid tag format")
        duplicate |= key in seen
        seen.add(key)
        tags[_unescape_tag(key)] = _unescape_tag(line[start : found.start()])
        if found[0] == " ":
            if duplicate:
                raise BadLineError("duplicate tags")
            return found.start()
        start = found.end()


def _unescape_name(text: str) -> str:
    """A measurement or the key of a field, where quotes can be escaped as well."""
    return _NAME_ESCAPE.sub(r"\1", text) if "\\" in text else text


def _unescape_tag(text: str) -> str:
    if "\\" not in text:
        return text
    return text.replace("\\,", ",").replace("\\ ", " ").replace("\\=", "=")


def _skip_blank(line: str, start: int) -> int:
    while line[start : start + 1] in (" ", "\t", "\0"):
        start += 1
    return start


def _scan_fields(line: str, start: int) -> tuple[int, int]:
    """Check the fields; return their start and end."""
    begin = at = _skip_blank(line, start)
    quoted = False
    equals = commas = 0
    while found := _FIELD_STOP.search(line, at):
        at = found.start()
        mark = found[0]
        if mark == "\\":
            at += 2
            continue
        if mark == '"':
            quoted ^= equals > commas
        elif quoted:
            pass
        elif mark == "=":
            equals += 1
            at = _scan_value(line, at)
            continue
        elif mark == ",":
            commas += 1
        else:
            break
        at += 1
    else:
        at = len(line)
    if quoted:
        raise BadLineError("unbalanced quotes")
    if equals == 0 or commas != equals - 1:
        raise BadLineError("invalid field format")
    return begin, at


def _scan_value(line: str, equals: int) -> int:
    """Check the value after the `=`; return its end, or its first quote."""
    if line[equals - 1] in " ," and line[equals - 2] != "\\":
        raise BadLineError("missing field key")
    start = equals + 1
    first = line[start : start + 1]
    if first in ("", ",", " "):
        raise BadLineError("missing field value")
    if first == '"':
        return start
    found = _BARE_END.search(line, start)
    end = found.start() if found else len(line)
    _bare_value(line[start:end])
    return end


def _bare_value(text: str) -> Value:
    """The value of a field that is not a string."""
    if text[0] in "0123456789.-nN":
        return _number(text)
    if text not in BOOLEANS:
        raise BadLineError("invalid boolean")
    return BOOLEANS[text]


def _number(text: str) -> float | int:
    if _NUMBER.fullmatch(text) is None or text.count(".") > 1:
        raise BadLineError("invalid number")
    digits = text.removeprefix("-")
    if "u" in text or "i" in text:
        if digits[-1] != "i" or not digits[:-1].isdigit():
            raise BadLineError("invalid number")
        return _integer(text[:-1])
    if digits in ("", "."):
        raise BadLineError("invalid number")
    if digits.isdigit() and len(digits) < _LONGEST_FLOAT - 2:
        return float(text)
    try:
        value = float(text)
    except ValueError:
        raise BadLineError("invalid float") from None
    if math.isinf(value):
        raise BadLineError("invalid float")
    return value


def _integer(digits: str) -> int:
    value = int(digits) if len(digits) < 4000 else 2**63
    if value not in _INT64:
        reason = f'strconv.ParseInt: parsing "{digits}": value out of range'
        raise BadLineError(f"unable to parse integer {digits}: {reason}")
    return value


def _read_fields(text: str, key_size: int) -> dict[str, Value]:
    # fields without a key are skipped; the checks miss them only after a tab
    fields = {
        _unescape_name(key): _read_value(value)
        for key, value in _split_fields(text, key_size)
        if key
    }
    if not fields:
        raise BadLineError("missing field key")
    return fields


def _split_fields(text: str, key_size: int) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    start = 0
    while start < len(text):
        equals = _unescaped_equals(text, start)
        if equals > len(text) - 2:
            raise BadLineError(f"invalid value: field-key={text[start:equals]}")
        key = text[start:equals]
        _check_size(key_size + 4 + _size(key))
        end = _value_end(text, equals + 1)
        value = text[equals + 1 : end]
        found.append((key, value))
        start = end + 1
    return found


def _unescaped_equals(text: str, start: int) -> int:
    at = text.find("=", start)
    while at > start and text[at - 1] == "\\":
        at = text.find("=", at + 1)
    return len(text) if at < 0 else at


def _value_end(text: str, start: int) -> int:
    quoted = False
    while found := _VALUE_STOP.search(text, start):
        if found[0] == ",":
            if not quoted:
                return found.start()
        elif found[0] == '"':
            quoted = not quoted
        start = found.end()
    return len(text)


def _read_value(text: str) -> Value:
    if not text:
        raise BadLineError("missing field value")
    if text[0] != '"':
        return _bare_value(text)
    inner = text[1:-1]
    if text[-1] > "\x7f":
        # text after the closing quote loses its last byte, as if it were the quote
        inner = decoded(text.encode()[1:-1])
    return _STRING_ESCAPE.sub(r"\1", inner) if "\\" in inner else inner


def _read_time(line: str, start: int, times: Times) -> int:
    start = _skip_blank(line, start)
    found = _STAMP.match(line, start)
    if found is None:
        raise BadLineError("bad timestamp")
    if not found[0]:
        return times.default
    stamp = _timestamp(found[0]) * times.step
    if not EARLIEST <= stamp <= LATEST:
        raise BadLineError(f"time outside range {EARLIEST} - {LATEST}")
    if line[found.end() :].strip(" "):
        raise BadLineError("point is invalid")
    return stamp


def _timestamp(text: str) -> int:
    if text == "-":
        raise BadLineError('strconv.ParseInt: parsing "-": invalid syntax')
    value = int(text) if len(text) < 4000 else 2**63
    if value not in _INT64:
        raise BadLineError(f'strconv.ParseInt: parsing "{text}": value out of range')
    return value
