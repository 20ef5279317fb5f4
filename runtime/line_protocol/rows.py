"""Line protocol to points, line by line.

Lines of the common form (no escapes, no quotes, single spaces) are split at their
separators. All other lines go to the scanner, which also has the texts of errors.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import inf

from runtime.errors import LineProtocolError
from runtime.frames import Value
from runtime.line_protocol import scanner
from runtime.line_protocol.scanner import BOOLEANS, BadLineError, Row
from runtime.line_protocol.selection import Selection
from runtime.line_protocol.times import Times
from runtime.units import LATEST

_Series = tuple[str, dict[str, str]]

# group 1: the `i` of an integer that certainly fits int64; group 2: an exponent
_NUMBER = re.compile(
    r"-?(?:[0-9]{1,18}(i)|(?:[0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)"
)
_TAGGED = re.compile(r"[^,=]+(?:,[^,=]+=[^,=]+)*")
LONGEST = 30_000
"""Longest line that is certainly within the limits on the size of keys."""
_CACHED = 250
"""Longest series (measurement and tags) that is cached, in characters."""


MOST_ERRORS = 1000
"""Number of wrong lines of a write after which the rest is not read."""


def parse_rows(
    text: str, times: Times, selection: Selection | None = None
) -> list[Row]:
    """The points of a body, in order.

    Args:
        text: line protocol.
        times: unit of its timestamps.
        selection: decides which points are kept; None keeps all.

    Raises:
        LineProtocolError: a line does not parse.
    """
    if '"' in text or "\\" in text:
        lines = list(scanner.lines(text))
    else:
        lines = text.split("\n")
    rows: list[Row] = []
    errors: list[str] = []
    for line in lines:
        try:
            row = parse_row(line, times)
        except BadLineError as error:
            errors.append(bad_line(line, error))
            if len(errors) == MOST_ERRORS:
                break
            continue
        if row is not None and (selection is None or selection.keeps(row[0])):
            rows.append(row)
    if errors:
        raise refused(errors)
    return rows


def refused(errors: list[str]) -> LineProtocolError:
    """Error for the messages about lines that do not parse."""
    if len(errors) == MOST_ERRORS:
        errors = [*errors, "too many lines do not parse; the rest was not read"]
    return LineProtocolError("\n".join(errors))


def bad_line(line: str, error: BadLineError) -> str:
    """The message about a line that does not parse."""
    return f"unable to parse '{scanner.content(line)}': {error}"


def parse_row(line: str, times: Times) -> Row | None:
    """The point of one line; None if it is blank or a comment.

    Raises:
        BadLineError: it does not parse.
    """
    row = _split(line, times)
    if row is None and (content := scanner.content(line)):
        return scanner.scan(content, times)
    return row


def _split(line: str, times: Times) -> Row | None:
    """The point of a line of the common form, or None."""
    if '"' in line or "\\" in line or len(line) > LONGEST:
        return None
    parts = line.split(" ")
    if len(parts) == 3:
        count = _count(parts[2])
        if count is None or (time := count * times.step) > LATEST:
            return None
    elif len(parts) == 2:
        time = times.default
    else:
        return None
    series = parts[0]
    known = _series(series) if len(series) <= _CACHED else _split_series(series)
    fields = _split_fields(parts[1])
    if known is None or fields is None:
        return None
    return known[0], known[1], fields, time


def _split_series(text: str) -> _Series | None:
    if _TAGGED.fullmatch(text) is None or text[0] in "#\t\0":
        return None
    name, *pairs = text.split(",")
    tags = dict([pair.split("=") for pair in pairs])
    return (name, tags) if len(tags) == len(pairs) else None


# Series recur in every write. Points share the tags, which are never changed.
_series = lru_cache(maxsize=4096)(_split_series)


@lru_cache(maxsize=256)  # all points of one host have the same time
def _count(stamp: str) -> int | None:
    if len(stamp) > 19 or not (stamp.isdecimal() and stamp.isascii()):
        return None
    return int(stamp)


def _split_fields(text: str) -> dict[str, Value] | None:
    if text < "!":  # white space before the first key is not part of it
        return None
    fields: dict[str, Value] = {}
    for pair in text.split(","):
        key, _, value = pair.partition("=")
        number = _NUMBER.fullmatch(value)
        if not key:
            return None
        if number is None:
            if value not in BOOLEANS:
                return None
            fields[key] = BOOLEANS[value]
        elif number.lastindex == 1:
            fields[key] = int(value[:-1])
        else:
            fields[key] = parsed = float(value)
            if parsed in (inf, -inf):
                return None
    return fields
