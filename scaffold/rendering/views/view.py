"""Code shared by all views."""

from __future__ import annotations

import ast
from typing import NamedTuple

from scaffold.expressions.code import Code, Type
from scaffold.layout.style import Style
from scaffold.rendering.samples.sample import Sample
from scaffold.spec.model.handler import HandlerSpec, InstancesSpec


class Pair(NamedTuple):
    """A name and its value: an argument, a key of a table.

    Attributes:
        name: its spelling; for a key, its literal.
        value: an expression.
        is_optional: True if it is omitted where the value is empty.
        is_merged: True if the value is a map whose entries take its place.
    """

    name: str | ast.expr
    value: ast.expr
    is_optional: bool = False
    is_merged: bool = False


class View:
    """A spec, for one template.

    Attributes:
        spec: the handler.
        sample: the values that its tests use.
        style: layout settings of the project.
    """

    def __init__(self, spec: HandlerSpec, sample: Sample, style: Style) -> None:
        self.spec = spec
        self.sample = sample
        self.style = style

    @property
    def is_global(self) -> bool:
        """True if it can be given to all alert nodes."""
        return self.spec.is_global

    @property
    def has_state_changes_only(self) -> bool:
        """True if it can make alert nodes send changes only."""
        return self.spec.has_state_changes_only

    @property
    def transport(self) -> str:
        """The transport of events: `http`, `tcp` or `hook`."""
        return self.spec.transport

    @property
    def instances(self) -> InstancesSpec | None:
        """The names of its sections; None if it has one."""
        return self.spec.instances

    @property
    def header(self) -> str:
        """The header of its section in TOML: `[foo]`, `[[slack]]`."""
        kind = self.spec.names.kind
        return f"[{kind}]" if self.instances is None else f"[[{kind}]]"

    @property
    def summary(self) -> str:
        """The service's summary in the author's words, or ""."""
        return self.spec.summary


def call(function: str, *arguments: ast.expr, **keywords: ast.expr) -> ast.Call:
    """A call, as code."""
    named = [ast.keyword(key, value) for key, value in keywords.items()]
    return ast.Call(ast.Name(function), list(arguments), named)


def truth(code: Code) -> ast.expr:
    """A condition as code whose value is a boolean."""
    return code.node if code.type is Type.BOOL else call("bool", code.node)
