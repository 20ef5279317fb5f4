"""HTML as a tree that is escaped as a whole when it is rendered.

Markup cannot be added as text: every string is escaped, and links lead only to this
server. Characters that are invisible, or that reorder the text around them, are shown
as escapes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Union
from urllib.parse import urlencode

Content = Union[str, "Element", None, Iterable["Content"]]

_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
)
_NAME = re.compile(r"[a-z][a-z0-9-]*")
# Elements whose text browsers parse by other rules.
_RAW = frozenset(("script", "style", "iframe", "noscript", "template", "textarea"))
_VOID = frozenset(("br", "col", "hr", "img", "input", "link", "meta", "wbr"))
# Attributes with a URL that a browser requests or opens.
_URLS = frozenset(("action", "formaction", "href", "src"))
# Controls except tab and line feed, invisible characters, direction marks, surrogates;
# not the joiners that emojis and some scripts need.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


@dataclass(frozen=True, slots=True)
class Link:
    """A relative URL: the page itself or something below its folder.

    A proxy may serve the page below any path.

    Attributes:
        path: path on this server, never from a client: "" or `kapacitor/v1/tasks`.
        parameters: query parameters, with any values.
        fragment: an id on the page.
    """

    path: str = ""
    parameters: Mapping[str, str | int] = field(default_factory=dict)
    fragment: str = ""

    def __str__(self) -> str:
        query = urlencode(self.parameters, errors="surrogatepass")
        return (
            f"./{self.path}"
            f"{'?' if query else ''}{query}"
            f"{'#' if self.fragment else ''}{self.fragment}"
        )


Value = str | Link | bool | None


@dataclass(frozen=True, slots=True)
class Element:
    """One element.

    Attributes:
        name: name of the tag.
        attributes: attributes by name; False and None omit one, True sets one without a
            value.
        children: child nodes and strings.
    """

    name: str
    attributes: Mapping[str, Value] = field(default_factory=dict)
    children: Content = None

    def __post_init__(self) -> None:
        """Refuse elements whose text cannot be escaped.

        Raises:
            ValueError: an element or attribute of scripts or styles, or a URL that is
                not a `Link`.
        """
        if not _NAME.fullmatch(self.name) or self.name in _RAW:
            raise ValueError(f"element <{self.name}> is not allowed")
        for name, value in self.attributes.items():
            if not _NAME.fullmatch(name) or name.startswith("on") or name == "style":
                raise ValueError(f"attribute {name} is not allowed")
            if (name in _URLS) != isinstance(value, Link):
                raise ValueError(f"attribute {name}: {value!r} is of the wrong type")

    def render(self) -> str:
        """The markup."""
        return "".join(_markup(self))


def el(tag: str, /, *children: Content, **attributes: Value) -> Element:
    """An element; `class_` and `aria_label` are the attributes `class`, `aria-label`."""
    named = {
        name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()
    }
    return Element(tag, named, children)


class Stylesheet:
    """A style sheet of this program.

    Attributes:
        text: CSS.
        source: source of the style sheet in a Content-Security-Policy.
    """

    def __init__(self, text: str) -> None:
        """Take trusted style rules.

        Raises:
            ValueError: the text would end its element.
        """
        if "<" in text:
            raise ValueError("a style sheet must not contain '<'")
        self.text = text
        digest = hashlib.sha256(text.encode()).digest()
        self.source = f"'sha256-{base64.b64encode(digest).decode()}'"


def document(title: str, style: Stylesheet, *body: Content) -> bytes:
    """A whole page."""
    head = (
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>{"".join(_markup(head))}'
        f"<style>{style.text}</style></head>\n"
        f"{el('body', *body).render()}\n</html>\n"
    ).encode()


def _markup(content: Content) -> Iterator[str]:
    if content is None:
        return
    if isinstance(content, str):
        yield _escaped(content)
    elif isinstance(content, Element):
        yield f"<{content.name}{''.join(_attributes(content.attributes))}>"
        if content.name not in _VOID:
            yield from _markup(content.children)
            yield f"</{content.name}>"
    else:
        for each in content:
            yield from _markup(each)


def _attributes(attributes: Mapping[str, Value]) -> Iterator[str]:
    for name, value in attributes.items():
        if value is True:
            yield f" {name}"
        elif value is not None and value is not False:
            yield f' {name}="{_escaped(str(value))}"'


def _escaped(text: str) -> str:
    return visible(text).translate(_ESCAPES)


def visible(text: str) -> str:
    """`text` with escapes for characters that are invisible or change directions."""
    return _UNSEEN.sub(lambda found: _code(found[0]), text)


def _code(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
