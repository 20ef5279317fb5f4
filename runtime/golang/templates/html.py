"""Which escaper each action of an html template needs, found from the text around it.

Understood are element text, double- and single-quoted attributes (URLs among them)
and `<script>`; an action anywhere else is refused.

Source: Go html/template (context.go, transition.go, escape.go).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from runtime.golang import json
from runtime.golang.printing import sprint
from runtime.golang.templates import escaping, nodes
from runtime.golang.templates.errors import TemplateError
from runtime.golang.templates.functions import JavaScript, to_json

Printer = Callable[[object], str]

_URL_ATTRIBUTES = frozenset(
    [
        "action",
        "archive",
        "background",
        "cite",
        "classid",
        "codebase",
        "data",
        "formaction",
        "href",
        "icon",
        "longdesc",
        "manifest",
        "poster",
        "profile",
        "src",
        "usemap",
        "xmlns",
    ]
)
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_ATTRIBUTE = re.compile(r"\s*([^\s=>/\"']+)\s*=\s*([\"'])")
_BARE = re.compile(r"\s*([^\s=>/\"']+)(?=[\s/>])|\s*/")


@dataclass(frozen=True, slots=True)
class Context:
    """Where in the page a piece of text stands.

    Attributes:
        place: `text`, `tag`, `attribute` or `script`.
        element: the tag being read.
        quote: what ends the attribute.
        url: for attributes that hold URLs: `start`, `path` or `query`; else "".
        handler: the attribute holds script or style.
    """

    place: str = "text"
    element: str = ""
    quote: str = ""
    url: str = ""
    handler: bool = False


def printers(body: list[nodes.Statement], name: str, source: str) -> dict[int, Printer]:
    """The escaper of each action, by the action's position.

    Raises:
        TemplateError: an action stands where this runtime cannot make it safe.
    """
    walk = _Walk(name, source)
    walk.block(body, Context())
    return walk.found


class _Walk:
    def __init__(self, name: str, source: str) -> None:
        self.found: dict[int, Printer] = {}
        self._name = name
        self._source = source

    def block(self, body: list[nodes.Statement], context: Context) -> Context:
        for node in body:
            context = self._statement(node, context)
        return context

    def _statement(self, node: nodes.Statement, context: Context) -> Context:
        if isinstance(node, nodes.Text):
            return _after_text(node.text, context)
        if isinstance(node, nodes.Action):
            if not node.pipe.names:
                self.found[node.position] = self._printer(node, context)
            return replace(context, url="path") if context.url == "start" else context
        if isinstance(node, nodes.Branch):
            then = self.block(node.body, context)
            otherwise = self.block(node.otherwise, context)
            if then != otherwise:
                raise self._error(
                    node, f"{{{{{node.kind}}}}} branches end in different contexts"
                )
            return then
        if isinstance(node, nodes.Call):
            raise self._error(node, "templates inside html templates are not supported")
        return context

    def _printer(self, node: nodes.Action, context: Context) -> Printer:
        if context.place == "text":
            return lambda value: escaping.html(_shown(value))
        if context.place == "script":
            return _script
        if context.place == "attribute" and not context.handler:
            return _ATTRIBUTES[context.url]
        raise self._error(
            node, f"cannot escape {node.pipe} inside a tag, style or script attribute"
        )

    def _error(self, node: nodes.Node, text: str) -> TemplateError:
        line = self._source.count("\n", 0, node.position) + 1
        return TemplateError(f"html/template:{self._name}:{line}: {text}")


def _shown(value: object) -> str:
    return "" if value is None else sprint(value)


def _script(value: object) -> str:
    if isinstance(value, JavaScript):
        return value
    if isinstance(value, str):
        return f'"{escaping.js_string(value)}"'
    text = to_json(value, newline=False)
    # a number next to a keyword or another number must stay a token of its own
    return f" {text} " if isinstance(value, int | float) else text or json.dumps(None)


def _url_start(value: object) -> str:
    text = _shown(value)
    return escaping.html(
        escaping.url(text) if escaping.safe_scheme(text) else "#ZgotmplZ"
    )


_ATTRIBUTES: dict[str, Printer] = {
    "": lambda value: escaping.html(_shown(value)),
    "start": _url_start,
    "path": lambda value: escaping.html(escaping.url(_shown(value))),
    "query": lambda value: escaping.url_part(_shown(value)),
}


def _after_text(text: str, context: Context) -> Context:
    while text:
        text, context = _STEPS[context.place](text, context)
    return context


def _in_text(text: str, context: Context) -> tuple[str, Context]:
    tag = _TAG.search(text)
    if tag is None:
        return "", context
    element = "" if tag[1] else tag[2].lower()
    return text[tag.end() :], Context("tag", element)


def _in_tag(text: str, context: Context) -> tuple[str, Context]:
    attribute = _ATTRIBUTE.match(text)
    if attribute:
        name = attribute[1].lower()
        url = "start" if name.removeprefix("data-") in _URL_ATTRIBUTES else ""
        handler = name.startswith("on") or name in ("style", "srcset", "srcdoc")
        inside = Context("attribute", context.element, attribute[2], url, handler)
        return text[attribute.end() :], inside
    bare = _BARE.match(text)
    if bare:
        return text[bare.end() :], context
    rest = text.lstrip()
    if not rest.startswith(">"):
        return rest[1:], context
    return rest[1:], Context("script" if context.element == "script" else "text")


def _in_attribute(text: str, context: Context) -> tuple[str, Context]:
    inside, quote, rest = text.partition(context.quote)
    if quote:
        return rest, Context("tag", context.element)
    if context.url and inside:
        query = context.url == "query" or "?" in inside or "#" in inside
        return "", replace(context, url="query" if query else "path")
    return "", context


def _in_script(text: str, context: Context) -> tuple[str, Context]:
    at = text.lower().find("</script")
    return ("", context) if at < 0 else (text[at + 8 :], Context("tag"))


_STEPS: dict[str, Callable[[str, Context], tuple[str, Context]]] = {
    "text": _in_text,
    "tag": _in_tag,
    "attribute": _in_attribute,
    "script": _in_script,
}
