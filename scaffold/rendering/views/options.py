"""The views for the options and for the property in scripts."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import NamedTuple

from scaffold.expressions.code import Type
from scaffold.layout.printer import operand
from scaffold.rendering.views.fields import Field, declared, has_docs, scripted
from scaffold.rendering.views.view import View
from scaffold.spec.model import Option


class Resolved(NamedTuple):
    """An option, what it is taken from, the first that is not empty.

    Attributes:
        name: the option.
        options: the names of options: itself and its aliases.
        fallback: the last replacement, or "".
    """

    name: str
    options: list[str]
    fallback: str


class OptionsView(View):
    """The options of one handler."""

    @cached_property
    def fields(self) -> list[Field]:
        """The fields of `HandlerConfig`."""
        return [declared(each) for each in self.spec.options]

    @property
    def has_docs(self) -> bool:
        """True if one of them has a description."""
        return has_docs(self.fields)

    @property
    def resolved(self) -> list[Resolved]:
        """The options with replacements for empty values."""
        found = []
        for option in self.spec.options:
            others = [x.name for x in self.spec.options if x.alias_of == option.key]
            is_late = option.fallback is not None and not option.is_bound_early
            if others or is_late:
                fallback = _fallback(option) if is_late else ""
                found.append(Resolved(option.name, [option.name, *others], fallback))
        return found


class PropertyView(View):
    """The property of alert nodes in scripts."""

    @cached_property
    def fields(self) -> list[Field]:
        """The fields of the property's class."""
        return [scripted(each) for each in self.spec.options if each.tick is not None]

    @property
    def has_docs(self) -> bool:
        """True if one of them has a description."""
        return has_docs(self.fields)


def _fallback(option: Option) -> str:
    assert option.fallback is not None
    node = option.fallback.node
    if option.is_secret and option.fallback.type is not Type.SECRET:
        node = ast.Call(ast.Name("Secret"), [node], [])
    return operand(node)
