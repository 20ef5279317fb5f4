"""Templates ready to render."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.golang.templates.execute import Compiler, State, Step
from runtime.golang.templates.functions import BUILTINS, Function, to_json
from runtime.golang.templates.html import printers
from runtime.golang.templates.parser import Tree, parse

_JSON: Mapping[str, Function] = {
    "json": Function(lambda value: to_json(value, newline=True), 1, 1),
    "jsonCompact": Function(lambda value: to_json(value, newline=False), 1, 1),
}
_HTML_FUNCTIONS = {**BUILTINS, **_JSON}


class Template:
    """A parsed template; `render` may be called any number of times."""

    __slots__ = ("_run", "_slots", "source")

    def __init__(self, source: str, run: Step, slots: int) -> None:
        self.source = source
        self._run = run
        self._slots = slots

    def render(self, data: object) -> str:
        """The text for `data`, a `Struct`, map or other value that becomes `.`.

        Raises:
            TemplateError: it does not execute; the text is Go's.
        """
        state = State(data, self._slots)
        self._run(state, data)
        return "".join(state.out)


def text(
    source: str, name: str, functions: Mapping[str, Function] | None = None
) -> Template:
    """A text template.

    Raises:
        TemplateError: it does not parse.
    """
    known = {**BUILTINS, **(functions or {})}
    tree = parse(source, name, known)
    return _made(source, tree, Compiler(name, source, known, slots=tree.slots))


def html(source: str, name: str) -> Template:
    """An html template, with Kapacitor's `json` and `jsonCompact`.

    Raises:
        TemplateError: it does not parse, or holds an action in a place where this
            runtime cannot escape it.
    """
    tree = parse(source, name, _HTML_FUNCTIONS)
    escapers = printers(tree.body, name, source)
    compiler = Compiler(name, source, _HTML_FUNCTIONS, escapers, tree.slots)
    return _made(source, tree, compiler)


def _made(source: str, tree: Tree, compiler: Compiler) -> Template:
    for name, body in tree.defined.items():
        compiler.defined[name] = compiler.block(body)
    return Template(source, compiler.block(tree.body), tree.slots)
