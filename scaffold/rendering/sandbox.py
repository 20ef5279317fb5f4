# ruff: noqa: N802 - jinja2 calls visitors by the names of its classes
"""Templates of a project, rendered in a sandbox.

A project may come from a stranger, and `scaffold check` renders its templates. They read the
attributes of views and write text: no methods, no files, and no more work than a generated
file can need, which a budget counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner
from jinja2.visitor import NodeTransformer

_BUDGET = 5_000_000  # characters written; other work is converted to these
_STEP, _CALL, _INCLUDE = 20, 100, 1_000
_MAX_PRODUCT = 10_000_000
_MAX_NUMBER = 1_000_000
_MAX_ARGUMENT = 1_000
_MAX_ITEMS = 10_000
_FILTERS = (
    *("capitalize", "count", "default", "first", "indent", "int", "items", "join"),
    *("last", "length", "list", "lower", "replace", "reverse", "sort", "title", "trim"),
    *("unique", "upper"),
)
_ARITHMETIC = frozenset(("+", "-", "*", "/", "//", "%"))


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment for the templates of a project.

    Attributes:
        spent: the work that was done for the template being rendered.
    """

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))
    spent = 0

    def __init__(
        self,
        text: Callable[[str], tuple[str, str, Callable[[], bool]] | None],
        filters: Mapping[str, Callable[..., Any]],
        written: Callable[[object], object],
    ) -> None:
        """Make one.

        Args:
            text: gives a template by its name, as `jinja2.FunctionLoader` wants it.
            filters: the generator's own filters.
            written: function that each written value passes through.
        """

        def finalized(value: object) -> object:
            shown = written(value)
            if not isinstance(shown, str | int | float):
                raise SecurityError(f"cannot write a {type(shown).__name__}")
            self.spend(len(shown) if isinstance(shown, str) else 1)
            return shown

        super().__init__(
            loader=jinja2.FunctionLoader(text),
            finalize=finalized,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )
        own = {name: self.filters[name] for name in _FILTERS} | dict(filters)
        own["join"] = _joined
        self.filters = {name: self._guarded(each) for name, each in own.items()}
        for mark in (self._counted, self._included, self._emitted):
            self.filters[mark.__name__] = mark
        self.globals = {"range": self._range, "joiner": Joiner, "cycler": Cycler}

    def spend(self, amount: int) -> None:
        """Count work.

        Raises:
            SecurityError: it is more than a generated file can need.
        """
        self.spent += amount
        if self.spent > _BUDGET:
            raise SecurityError("writes too much, or takes too long")

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """True for data of views and loops; strings and lists have no attributes."""
        is_ours = type(obj).__module__.startswith("scaffold.")
        return (
            (is_ours or isinstance(obj, LoopContext))
            and not callable(value)
            and super().is_safe_attribute(obj, attr, value)
        )

    def is_safe_callable(self, obj: Any) -> bool:
        """True for macros, and the few functions that templates have."""
        if isinstance(obj, type):
            return obj in (Joiner, Cycler)
        return isinstance(obj, Macro | Joiner | Cycler) or obj == self._range

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro or one of the functions."""
        self.spend(_CALL)
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Add strings, or calculate with small numbers; refuse anything else."""
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return self.filters["join"]([left, right])
        if operator not in _ARITHMETIC or not (_is_small(left) and _is_small(right)):
            raise SecurityError(f"`{operator}` needs two small numbers")
        return super().call_binop(context, operator, left, right)

    def _parse(
        self, source: str, name: str | None, filename: str | None
    ) -> nodes.Template:
        return counting(super()._parse(source, name, filename))

    def _range(self, *limits: int) -> range:
        """`range`, of a few numbers."""
        numbers = range(*limits)
        if len(numbers) > _MAX_ITEMS:
            raise SecurityError("range() is too long")
        return numbers

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter that refuses input whose output would be unbounded."""

        def guarded(*args: Any, **kwargs: Any) -> Any:
            product = 1
            for value in (*args, *kwargs.values()):
                if isinstance(value, str):
                    product *= len(value) + 1
                elif isinstance(value, int) and abs(value) > _MAX_ARGUMENT:
                    raise SecurityError(f"{value} is too large for a filter")
            if product > _MAX_PRODUCT:
                raise SecurityError("works on too long strings")
            made = function(*args, **kwargs)
            self.spend(_CALL + (len(made) if isinstance(made, str) else 0))
            return made

        mark = getattr(function, "jinja_pass_arg", None)
        if mark is not None:  # set by `jinja2.pass_context` and the like
            vars(guarded)["jinja_pass_arg"] = mark
        return guarded

    # Filters that get the context are not evaluated when a template is compiled.

    @jinja2.pass_context
    def _counted(self, context: Context, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self.spend(_STEP)
            yield value

    @jinja2.pass_context
    def _included(self, context: Context, name: str) -> str:
        self.spend(_INCLUDE)
        return name

    @jinja2.pass_context
    def _emitted(self, context: Context, text: str) -> str:
        return text  # counted by `finalized`


def counting(template: nodes.Template) -> nodes.Template:
    """A parsed template whose work is counted."""
    _Counting().visit(template)
    return template


class _Counting(NodeTransformer):
    """Inserts counters for all work that a template can repeat."""

    def visit_For(self, node: nodes.For) -> nodes.For:
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "_counted")
        return node

    def visit_Include(self, node: nodes.Include) -> nodes.Include:
        self.generic_visit(node)
        node.template = _filtered(node.template, "_included")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "join")

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Filter:
        return _filtered(nodes.Const(node.data, lineno=node.lineno), "_emitted")


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _joined(values: Iterable[Any], separator: str = "") -> str:
    """The filter `join`, for strings and numbers."""
    parts = list(values)
    for part in parts:
        if not isinstance(part, str | int | float):
            raise SecurityError(f"cannot join a {type(part).__name__}")
    texts = list(map(str, parts))
    if sum(map(len, texts)) + len(texts) * len(separator) > _MAX_NUMBER:
        raise SecurityError("joins too long strings")
    return separator.join(texts)


def _is_small(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= _MAX_NUMBER
