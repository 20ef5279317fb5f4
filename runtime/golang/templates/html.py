"""Escapers for the actions of an HTML template, chosen by the text around each.

Supported are element text, double- and single-quoted attributes (including URLs) and
`<script>`; an action anywhere else is refused.

Source: Go html/template (context.go, transition.go, escape.go).
"""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from runtime.golang import json
from runtime.golang.printing import sprint
from runtime.golang.templates import embedded, escaping, nodes
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
# a comment, or a tag and its name
_MARKUP = re.compile(
    r"<!--|<(/?)([a-zA-Z](?:[a-zA-Z0-9]|[:-][a-zA-Z0-9])*)",
)
_LONE_LESS_THAN = re.compile("<(?!!doctype)", re.IGNORECASE)
# possessive quantifiers (`++`) make a failing match fail at once
_ATTRIBUTE = re.compile(r"\s*+([^\s=>/\"']++)\s*+=\s*+([\"'])")
_BARE = re.compile(r"\s*+([^\s=>/\"']++)(?=[\s/>])|\s*+/")
_ODD = re.compile(r"[^\s=>/\"']+|[=\"']+")
# content of elements that is not markup
_CONTENTS = {"script": "script", "style": "style", "textarea": "raw", "title": "raw"}


@dataclass(frozen=True, slots=True)
class Context:
    """The position of a piece of text in the page.

    Attributes:
        place: `text`, `comment`, `tag`, `attribute`, `raw` (text without markup),
            `script` or `style`.
        element: the tag that is being read, or the element around the text.
        quote: character that ends the attribute.
        url: part of the URL, in attributes that hold one: `start`, `path` or `query`;
            else "".
        handler: the attribute holds script or style.
        spot: position in a script or style sheet.
    """

    place: str = "text"
    element: str = ""
    quote: str = ""
    url: str = ""
    handler: bool = False
    spot: embedded.Spot = field(default=embedded.CODE)


def printers(body: list[nodes.Statement], name: str, source: str) -> dict[int, Printer]:
    """The escaper of each action, by the action's position.

    Literal text is changed in place: comments are removed, and a lone `<` becomes
    `&lt;`.

    Raises:
        TemplateError: this runtime cannot make an action safe in its place, or a tag,
            comment or element without markup does not end.
    """
    walk = _Walk(name, source)
    end = walk.block(body, Context())
    if end.place != "text":
        text = f"ends in a non-text context: {end.element or end.place}"
        raise TemplateError(f"html/template:{name}: {text}")
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
            node.text, context = _after_text(node.text, context)
            return context
        if isinstance(node, nodes.Action):
            if not node.pipe.names:
                self.found[node.position] = self._printer(node, context)
            return _after_action(context)
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
        predefined = self._predefined(node)
        if context.place == "comment":
            return _nothing
        made = _in_content(context)
        if made is not None:
            return made
        steps = _steps(context)
        if steps is None:
            raise self._error(
                node,
                f"cannot escape {node.pipe} inside a tag, style or script attribute",
            )
        if predefined in map(_EQUIVALENTS.get, steps):
            steps = [
                predefined if _EQUIVALENTS.get(step) == predefined else step
                for step in steps
            ]
            return _composed(steps, nothing=_take_away(node.pipe))
        return _composed(steps)

    def _predefined(self, node: nodes.Action) -> str:
        """The escaper that the template itself calls at the end of the pipeline."""
        found = ""
        for number, command in enumerate(node.pipe.commands, 1):
            head = command.arguments[0]
            if isinstance(head, nodes.Identifier) and head.name in _ESCAPERS:
                if number < len(node.pipe.commands):
                    raise self._error(
                        node,
                        f'predefined escaper "{head.name}" disallowed in template',
                    )
                found = head.name
        return found

    def _error(self, node: nodes.Node, text: str) -> TemplateError:
        before = self._source[: node.position]
        line = before.count("\n") + 1
        column = len(before[before.rfind("\n") + 1 :].encode())
        return TemplateError(f"html/template:{self._name}:{line}:{column}: {text}")


_STEPS_TO_TAKE: dict[str, list[str]] = {
    "": ["escape"],
    "start": ["filter", "normalize", "escape"],
    "path": ["normalize", "escape"],
    "query": ["part", "escape"],
}
_ESCAPERS: dict[str, Callable[[str], str]] = {
    "escape": escaping.html,
    "filter": lambda text: text if escaping.safe_scheme(text) else "#ZgotmplZ",
    "normalize": escaping.url,
    "part": escaping.url_part,
    # escapers that templates may call
    "html": lambda text: escaping.html(text, plus=False),
    "urlquery": urllib.parse.quote_plus,
}
# an escaper that the template calls replaces the equivalent step
_EQUIVALENTS = {"escape": "html", "normalize": "urlquery", "part": "urlquery"}


def _steps(context: Context) -> list[str] | None:
    """Escapers for a value in text or an attribute; None where no value is safe."""
    if context.place in ("text", "raw"):
        return ["escape"]
    if context.place == "attribute" and not context.handler:
        return _STEPS_TO_TAKE[context.url]
    return None


def _take_away(pipe: nodes.Pipe) -> str:
    """Drop the last call of a pipeline, but keep its arguments.

    Returns the text of a missing value.
    """
    last = pipe.commands[-1]
    if len(pipe.commands) > 1 and len(last.arguments) == 1:
        pipe.commands.pop()
        return "<no value>"
    last.arguments[0] = nodes.Identifier("print", position=last.position)
    return ""


def _composed(steps: list[str], *, nothing: str = "") -> Printer:
    functions = [_ESCAPERS[step] for step in steps]

    def show(value: object) -> str:
        text = nothing if value is None else sprint(value)
        for function in functions:
            text = function(text)
        return text

    return show


def _shown(value: object) -> str:
    return "" if value is None else sprint(value)


def _nothing(value: object) -> str:
    return ""


def _in_content(context: Context) -> Printer | None:
    """Escaper for a value in a script or style sheet; None where none is allowed."""
    if context.place in ("script", "style") and context.spot.is_comment:
        return _nothing
    if context.place == "style":
        return None if context.spot.inside else _style
    if context.place == "script":
        return {"": _script, '"': _js_string, "'": _js_string}.get(context.spot.inside)
    return None


def _js_string(value: object) -> str:
    return escaping.js_string(_shown(value))


def _style(value: object) -> str:
    return escaping.css_value(_shown(value))


def _script(value: object) -> str:
    if isinstance(value, JavaScript):
        return value
    text = to_json(value, newline=False) or json.dumps(None)
    # a number or word next to another must stay a token of its own
    return f" {text} " if re.search(r"\A[\w$]|[\w$]\Z", text) else text


def _after_action(context: Context) -> Context:
    if context.place == "script" and not context.spot.inside:
        return replace(context, spot=embedded.Spot("", divides=True))
    return replace(context, url="path") if context.url == "start" else context


def _after_text(text: str, context: Context) -> tuple[str, Context]:
    """The text as it is written, and the context at its end."""
    out: list[str] = []
    while text:
        written, text, context = _STEPS[context.place](text, context)
        out.append(written)
    return "".join(out), context


# the output, the remaining text, and its position
_Step = tuple[str, str, Context]


def _in_text(text: str, context: Context) -> _Step:
    markup = _MARKUP.search(text)
    before = _LONE_LESS_THAN.sub("&lt;", text[: markup.start()] if markup else text)
    if markup is None:
        return before, "", context
    rest = text[markup.end() :]
    if markup[0] == "<!--":
        return before, rest, Context("comment")
    element = "" if markup[1] else markup[2].lower()
    return before + markup[0], rest, Context("tag", element)


def _in_comment(text: str, context: Context) -> _Step:
    _, end, rest = text.partition("-->")
    return "", rest, Context() if end else context


def _in_tag(text: str, context: Context) -> _Step:
    attribute = _ATTRIBUTE.match(text)
    if attribute:
        name = attribute[1].lower()
        url = "start" if name.removeprefix("data-") in _URL_ATTRIBUTES else ""
        handler = name.startswith("on") or name in ("style", "srcset", "srcdoc")
        inside = Context("attribute", context.element, attribute[2], url, handler)
        return attribute[0], text[attribute.end() :], inside
    bare = _BARE.match(text)
    if bare:
        return bare[0], text[bare.end() :], context
    rest = text.lstrip()
    blank = text[: len(text) - len(rest)]
    odd = _ODD.match(rest)
    if odd:
        return blank + odd[0], rest[odd.end() :], context
    if not rest:
        return blank, "", context
    place = _CONTENTS.get(context.element, "text")
    element = context.element if place != "text" else ""
    return blank + ">", rest[1:], Context(place, element)


def _in_attribute(text: str, context: Context) -> _Step:
    inside, quote, rest = text.partition(context.quote)
    if quote:
        return inside + quote, rest, Context("tag", context.element)
    if context.url and inside:
        query = context.url == "query" or "?" in inside or "#" in inside
        return inside, "", replace(context, url="query" if query else "path")
    return inside, "", context


def _in_element(text: str, context: Context) -> _Step:
    """The content of an element without markup, up to its end."""
    end = re.search(rf"</{context.element}(?=[\t\n\f />])", text, re.IGNORECASE)
    content = text if end is None else text[: end.start()]
    if context.place == "raw":
        written = _LONE_LESS_THAN.sub("&lt;", content)
    else:
        change = embedded.script if context.place == "script" else embedded.style
        written, spot = change(content, context.spot)
        context = replace(context, spot=spot)
    if end is None:
        return written, "", context
    return written, text[end.start() :], Context()


_STEPS: dict[str, Callable[[str, Context], _Step]] = {
    "text": _in_text,
    "comment": _in_comment,
    "tag": _in_tag,
    "attribute": _in_attribute,
    "raw": _in_element,
    "script": _in_element,
    "style": _in_element,
}
