"""JavaScript and CSS inside html templates: removes comments, and finds strings.

Source: Go html/template (transition.go, js.go, css.go).
"""

from __future__ import annotations

import re
from typing import NamedTuple

_NAME = r"[\w$]"
# after these words and signs a slash begins a regular expression, else it divides
_WORDS = frozenset(
    [
        "break",
        "case",
        "continue",
        "delete",
        "do",
        "else",
        "finally",
        "in",
        "instanceof",
        "return",
        "throw",
        "try",
        "typeof",
        "void",
    ]
)
_SIGNS = frozenset(",<>=*%&|^?!~([:;{}")
_JS_SPECIAL = re.compile("//|/\\*|[\"'`/]")
_CSS_SPECIAL = re.compile(r"//|/\*|[\"']|url\(", re.IGNORECASE)
_INSIDES = {
    "/*": re.compile(r".*?\*/", re.DOTALL),
    "//": re.compile("[^\n\r\u2028\u2029]*(?=[\n\r\u2028\u2029])"),
    "/": re.compile(r"(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\[])*/", re.DOTALL),
    "url(": re.compile(r"[^)]*\)"),
    **{
        quote: re.compile(rf"(?:\\.|[^{quote}\\])*{quote}", re.DOTALL)
        for quote in "\"'`"
    },
}


class Spot(NamedTuple):
    """State of a script or style sheet at the end of a piece of text.

    Attributes:
        inside: open construct at this point: a comment, string, regular expression or
            URL, by its first characters; "" for code.
        divides: True if a slash at this point divides; otherwise it begins a regular
            expression.
    """

    inside: str = ""
    divides: bool = False

    @property
    def is_comment(self) -> bool:
        """True if the spot is in a comment."""
        return self.inside in ("//", "/*")


CODE = Spot()


def script(text: str, spot: Spot) -> tuple[str, Spot]:
    """A piece of JavaScript without its comments, and the state at its end."""
    return _piece(text, spot, _JS_SPECIAL)


def style(text: str, spot: Spot) -> tuple[str, Spot]:
    """A piece of CSS without its comments, and the state at its end."""
    return _piece(text, spot, _CSS_SPECIAL)


def _piece(text: str, spot: Spot, special: re.Pattern[str]) -> tuple[str, Spot]:
    out: list[str] = []
    at = 0
    while at < len(text):
        if spot.inside:
            end = _INSIDES[spot.inside].match(text, at)
            stop = len(text) if end is None else end.end()
            out.append(_kept(text[at:stop], spot))
            if end is not None:
                spot = Spot("", divides=not spot.is_comment)
        else:
            begin = special.search(text, at)
            code = text[at:] if begin is None else text[at : begin.start()]
            stop = len(text) if begin is None else begin.end()
            out.append(code)
            spot = Spot("", _divides(code, spot))
            if begin is not None and not (begin[0] == "/" and spot.divides):
                spot = Spot(begin[0].lower())
            if begin is not None and not spot.is_comment:
                out.append(begin[0])
        at = stop
    return "".join(out), spot


def _kept(text: str, spot: Spot) -> str:
    """The text itself, or the white space that replaces it if it is a comment."""
    if spot.inside == "/*":
        return "\n" if re.search("[\n\r\u2028\u2029]", text) else " "
    return "" if spot.inside == "//" else text


def _divides(code: str, spot: Spot) -> bool:
    code = code.rstrip("\t\n\f\r \u2028\u2029")
    if not code:
        return spot.divides
    last = code[-1]
    if last in "+-":
        # `x++ / 2` and `x + /re/`
        return (len(code) - len(code.rstrip(last))) % 2 == 0
    if last == ".":
        return code[-2:-1].isdigit()
    if last in _SIGNS:
        return False
    word = re.search(rf"{_NAME}*\Z", code)
    return word is None or word[0] not in _WORDS
