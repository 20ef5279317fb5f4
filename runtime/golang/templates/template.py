"""Templates ready to render."""

from __future__ import annotations

from collections.abc import Mapping

from runtime.golang.templates.errors import TemplateError
from runtime.golang.templates.execute import Compiler, State, Step
from runtime.golang.templates.functions import BUILTINS, Function, to_json
from runtime.golang.templates.html import printers
from runtime.golang.templates.limits import (
    MESSAGES,
    Allowance,
    ExhaustedError,
    RenderingLimits,
)
from runtime.golang.templates.nodes import Action, Command, Field, Pipe, Text
from runtime.golang.templates.parser import Tree, parse

_JSON: Mapping[str, Function] = {
    "json": Function(lambda value: to_json(value, newline=True), 1, 1),
    "jsonCompact": Function(lambda value: to_json(value, newline=False), 1, 1),
}
# Templates with at most this many parts stay within their limits for any point.
_FEW = 16
_HTML_FUNCTIONS = {**BUILTINS, **_JSON}


class GoTemplate:
    """A parsed template; `render` may be called any number of times.

    Attributes:
        source: its text.
        fields: fields of `.` that it prints between texts, if it does nothing else. With
            data that has these fields it cannot fail. None if it does more.
    """

    __slots__ = ("_limits", "_name", "_run", "_slots", "fields", "source")

    def __init__(
        self,
        source: str,
        name: str,
        run: Step,
        slots: int,
        limits: RenderingLimits,
        fields: frozenset[str] | None,
    ) -> None:
        self.source = source
        self.fields = fields
        self._name = name
        self._run = run
        self._slots = slots
        self._limits = limits

    def render(self, data: object) -> str:
        """The text for `data`, a `Struct`, map or other value that becomes `.`.

        Raises:
            TemplateError: it fails, or reaches its limits; the text is Go's.
        """
        allowance = Allowance(self._limits)
        state = State(data, self._slots, allowance)
        try:
            self._run(state, data)
            allowance.check(state.out)
        except ExhaustedError as fault:
            raise TemplateError(f"template: {self._name}: {fault}") from fault
        return "".join(state.out)


def text(
    source: str,
    name: str,
    functions: Mapping[str, Function] | None = None,
    *,
    limits: RenderingLimits = MESSAGES,
) -> GoTemplate:
    """A text template.

    Args:
        source: the template.
        name: name in error texts.
        functions: functions in addition to those of every template.
        limits: limits of a rendering.

    Raises:
        TemplateError: it does not parse.
    """
    known = {**BUILTINS, **(functions or {})}
    tree = parse(source, name, known)
    compiler = Compiler(name, source, known, slots=tree.slots)
    return _made(source, name, tree, compiler, limits)


def html(source: str, name: str) -> GoTemplate:
    """An html template, with Kapacitor's `json` and `jsonCompact`.

    Raises:
        TemplateError: it does not parse, or holds an action in a place where this
            runtime cannot escape it.
    """
    tree = parse(source, name, _HTML_FUNCTIONS)
    escapers = printers(tree.body, name, source)
    compiler = Compiler(name, source, _HTML_FUNCTIONS, escapers, tree.slots)
    return _made(source, name, tree, compiler, MESSAGES)


def _made(
    source: str, name: str, tree: Tree, compiler: Compiler, limits: RenderingLimits
) -> GoTemplate:
    for defined, body in tree.defined.items():
        compiler.defined[defined] = compiler.block(body)
    run = compiler.block(tree.body)
    return GoTemplate(source, name, run, tree.slots, limits, _fields(tree))


def _fields(tree: Tree) -> frozenset[str] | None:
    names: set[str] = set()
    for statement in tree.body:
        match statement:
            case Text():
                pass
            case Action(Pipe([Command([Field([name])])], names=[])):
                names.add(name)
            case _:
                return None
    # each action counts as work, and the length of a text is limited
    return frozenset(names) if len(tree.body) <= _FEW else None
