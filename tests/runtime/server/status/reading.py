"""Reads pages as a browser does, with the parser of the standard library."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = ("br", "col", "hr", "img", "input", "link", "meta", "wbr")


class Reader(HTMLParser):
    """The content of a page.

    Attributes:
        text: all of it outside the head, and of each section by its id.
        tables: the rows of each section, as text by column.
        links: texts and targets.
        forms: texts of buttons, methods and targets.
        tags: every element there is.
    """

    def __init__(self, markup: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.text: dict[str, str] = {"": ""}
        self.tables: dict[str, list[dict[str, str]]] = {}
        self.links: list[tuple[str, str]] = []
        self.forms: list[tuple[str, str, str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.title = ""
        self.style = ""
        self._open: list[str] = []
        self._section = ""
        self._column: str | None = None
        self._target: str | None = None
        self._action = ("", "")
        self.feed(markup.decode())
        self.close()
        assert self._open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert len(given) == len(attrs)
        self.tags.append((tag, given))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "section":
            self._section = given.get("id") or ""
            self.text[self._section] = ""
        elif tag == "tr" and "tbody" in self._open:
            self.tables.setdefault(self._section, []).append({})
        elif tag == "td":
            self._column = given["data-label"] or ""
            self.tables[self._section][-1][self._column] = ""
        elif tag == "a":
            self.links.append(("", given["href"] or ""))
        elif tag == "form":
            self._action = given["method"] or "", given["action"] or ""
        elif tag == "button":
            self.forms.append(("", *self._action))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag == "td":
            self._column = None
        elif tag == "section":
            self._section = ""

    def handle_data(self, data: str) -> None:
        if "title" in self._open:
            self.title += data
            return
        if "style" in self._open:
            self.style += data
            return
        self.text[""] += data
        if self._section:
            self.text[self._section] += data
        if self._column is not None:
            self.tables[self._section][-1][self._column] += data
        if "a" in self._open:
            text, target = self.links[-1]
            self.links[-1] = text + data, target
        if "button" in self._open:
            text, *rest = self.forms[-1]
            self.forms[-1] = text + data, rest[0], rest[1]

    def target(self, text: str) -> str:
        """Return the target of the first link with that text."""
        return next(target for found, target in self.links if found == text)
