"""Prose of authors, made fit for docstrings, Markdown and lines of code."""

from __future__ import annotations

import re
import textwrap
import unicodedata

_STOPS = (".", "!", "?")
_OPEN_ENDS = ",;:"
# they change the order in which text is shown, so that code looks like other code
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CODE_OR_TAG = re.compile(r"(`[^`]*`)|<(?=[A-Za-z/!?])")
_BLOCK = re.compile(
    r"(\d*)(?:[-+*](?: |$)|[#>=]|~~~|```|(?<=\d)[.)]|\[(?=[^]]*\]:))", re.ASCII
)


def folded(text: str) -> str:
    """`text` on one line, with single spaces."""
    return " ".join(text.split())


def forbidden(text: str) -> str:
    """The first character that prose must not contain, as `U+0000`, or ""."""
    for char in text:
        if char not in "\t\n\r\f\v\x85" and (
            char in _TURNING or unicodedata.category(char) in ("Cc", "Cs")
        ):
            return f"U+{ord(char):04X}"
    return ""


def sentence(text: str) -> str:
    """`text` with a full stop."""
    if not text or text.endswith(_STOPS):
        return text
    if text[-1] in ")]" and text[:-1].endswith(_STOPS):
        return text
    return text.rstrip(_OPEN_ENDS + " ") + "."


def started(text: str) -> str:
    """`text` with a capital at the start."""
    return text[:1].upper() + text[1:]


def docstring(text: str) -> str:
    """`text` escaped for a docstring."""
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if text.startswith('"'):
        text = "\\" + text
    if text.endswith('"') and not text.endswith('\\"'):
        text = text[:-1] + '\\"'
    return text


def markdown(text: str) -> str:
    """`text` escaped for a line of Markdown; never a tag, a heading or a column."""
    text = _CODE_OR_TAG.sub(lambda found: found[1] or "&lt;", text).replace("|", "\\|")
    block = _BLOCK.match(text)
    return f"{block[1]}\\{text[block.end(1) :]}" if block else text


def uncoded(text: str) -> str:
    """`text` for a line of Markdown that is identified by its first `code`."""
    return markdown(text.replace("`", "&#96;"))


def link(text: str) -> str:
    """`text` escaped for the text of a link in Markdown."""
    return markdown(text).replace("[", "&#91;").replace("]", "&#93;")


def code_span(text: str) -> str:
    """`text` as code in a cell of a table in Markdown."""
    ticks = "``" if "`" in text else "`"
    pad = " " if ticks == "``" else ""
    shown = text.replace("|", "\\|")
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def paragraphs(text: str, indent: int, width: int) -> list[str]:
    """The lines of a docstring: its first sentence, and the rest as a paragraph.

    Args:
        text: escaped for a docstring.
        indent: indentation of the docstring.
        width: maximum length of a line.
    """
    if indent + len(text) + 6 <= width:
        return [text]
    first, stop, rest = text.partition(". ")
    if not stop:
        return [text]
    pad = " " * indent
    wrapped = textwrap.wrap(
        rest, width - indent, break_long_words=False, break_on_hyphens=False
    )
    return [f"{first}.", "", *(pad + line for line in wrapped), pad]
