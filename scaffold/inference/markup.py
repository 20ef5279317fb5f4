"""XML of an example: the texts and attributes that can be values."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

_NAME = r"[A-Za-z_][\w.:-]*"
_CDATA = r"<!\[CDATA\[(?:(?!\]\]>).)*\]\]>"
# elements that have nothing but text
_LEAF = re.compile(
    rf"<(?P<name>{_NAME})(?:\s[^<>]*)?(?<!/)>(?P<text>{_CDATA}|[^<>]*)</(?P=name)\s*>",
    re.DOTALL,
)
_TAG = re.compile(rf"<{_NAME}\s[^<>]*>")
_ATTRIBUTE = re.compile(
    rf"\s(?P<name>{_NAME})\s*=\s*(?P<quote>[\"'])(?P<text>.*?)(?P=quote)"
)


class Piece(NamedTuple):
    """A value in XML.

    Attributes:
        start: position of its first character.
        end: position after its last one.
        name: name of its element or attribute, without a prefix.
        text: its text, without escapes.
    """

    start: int
    end: int
    name: str
    text: str


def pieces(text: str) -> list[Piece]:
    """The values of XML, in their order; empty for a text that is not XML."""
    if not text.lstrip().startswith("<"):
        return []
    return sorted((*_elements(text), *_attributes(text)))


def _elements(text: str) -> Iterator[Piece]:
    for found in _LEAF.finditer(text):
        raw = found["text"]
        is_raw = raw.startswith("<![CDATA[")
        meant = raw[len("<![CDATA[") : -len("]]>")] if is_raw else html.unescape(raw)
        yield Piece(*found.span("text"), _local(found["name"]), meant)


def _attributes(text: str) -> Iterator[Piece]:
    for tag in _TAG.finditer(text):
        for found in _ATTRIBUTE.finditer(tag[0]):
            if not found["name"].startswith("xmlns"):
                start, end = (tag.start() + each for each in found.span("text"))
                meant = html.unescape(found["text"])
                yield Piece(start, end, _local(found["name"]), meant)


def _local(name: str) -> str:
    return name.rpartition(":")[2]
