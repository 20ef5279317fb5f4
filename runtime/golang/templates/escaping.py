"""Escaping by the place of a value: element text, attributes, URLs, scripts.

Source: Go html/template (html.go, url.go, js.go) and text/template/funcs.go.
"""

from __future__ import annotations

_HTML = {
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord('"'): "&#34;",
    ord("'"): "&#39;",
    0: "\ufffd",
}
_HTML_PLUS = {**_HTML, ord("+"): "&#43;"}
_JS = {
    ord("\\"): "\\\\",
    ord("'"): "\\'",
    ord('"'): '\\"',
    ord("<"): "\\u003C",
    ord(">"): "\\u003E",
    ord("&"): "\\u0026",
    ord("="): "\\u003D",
    **{code: f"\\u{code:04X}" for code in range(32)},
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
_JS_STRING = {
    **{code: f"\\u{code:04x}" for code in range(32)},
    ord("\t"): "\\t",
    ord("\n"): "\\n",
    ord("\v"): "\\u000b",
    ord("\f"): "\\f",
    ord("\r"): "\\r",
    ord('"'): "\\u0022",
    ord("`"): "\\u0060",
    ord("&"): "\\u0026",
    ord("'"): "\\u0027",
    ord("+"): "\\u002b",
    ord("/"): "\\/",
    ord("<"): "\\u003c",
    ord(">"): "\\u003e",
    ord("\\"): "\\\\",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
_CSS_UNSAFE = frozenset("\0\"'()/;@[\\]`{}<>")
_UNRESERVED = "-._~"
_URL_KEPT = _UNRESERVED + "!#$&*+,/:;=?@[]%"


def html(text: str, *, plus: bool = True) -> str:
    """For element text and quoted attributes; `plus` escapes `+` as html/template does."""
    return text.translate(_HTML_PLUS if plus else _HTML)


def js_text(text: str) -> str:
    """For the inside of a JavaScript string, as text/template's `js` escapes it."""
    return text.translate(_JS)


def js_string(text: str) -> str:
    """The inside of a string literal in a `<script>` element."""
    return text.translate(_JS_STRING)


def css_value(text: str) -> str:
    """For a value in a style sheet; values that could end it or call a function are refused."""
    name = "".join(
        char for char in text if char.isascii() and _is_css_name(char)
    ).lower()
    unsafe = not _CSS_UNSAFE.isdisjoint(text) or "--" in text
    if unsafe or "expression" in name or "mozbinding" in name:
        return "ZgotmplZ"
    return text


def _is_css_name(char: str) -> bool:
    return char.isalnum() or char in "-_"


def url_part(text: str) -> str:
    """For a URL's query: all but letters, digits and `-._~` as `%xx`, lower case."""
    return _percent(text, _UNRESERVED)


def url(text: str) -> str:
    """A URL or the beginning of one; characters not allowed in URLs become `%xx`."""
    return _percent(text, _URL_KEPT)


def safe_scheme(text: str) -> bool:
    """True if a URL is allowed in an attribute: relative, http, https or mailto."""
    scheme, colon, _ = text.partition(":")
    if not colon or "/" in scheme:
        return True
    return scheme.lower() in ("http", "https", "mailto")


def _percent(text: str, kept: str) -> str:
    out: list[str] = []
    for byte in text.encode():
        char = chr(byte)
        if byte < 0x80 and (char.isalnum() or char in kept):
            out.append(char)
        else:
            out.append(f"%{byte:02x}")
    return "".join(out)
