"""The views for the options and for the property in scripts."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import NamedTuple

from scaffold.expressions.code import Type
from scaffold.expressions.functions import negated
from scaffold.layout.printer import operand
from scaffold.rendering.views.fields import Field, declared, has_docs, scripted
from scaffold.rendering.views.records import RecordView
from scaffold.rendering.views.view import View, call
from scaffold.spec.model.settings import Option


class Resolved(NamedTuple):
    """An option, and the sources of its value: the first that is not empty counts.

    Attributes:
        name: the option.
        options: the names of options: itself and its aliases.
        fallback: the last replacement, or "".
    """

    name: str
    options: list[str]
    fallback: str


class Check(NamedTuple):
    """A condition on which options are refused, and the text of the error."""

    refusal: ast.expr
    error: ast.expr


class OptionsView(View):
    """The options of one handler."""

    @property
    def records(self) -> list[RecordView]:
        """The classes of records in lists, but for those of the configuration."""
        return [
            RecordView.of(each)
            for each in self.spec.records.values()
            if not each.is_configured
        ]

    @property
    def checks(self) -> list[Check]:
        """The checks of a definition."""
        return [
            Check(negated(each.that.node), each.error.node)
            for each in self.spec.early_checks
        ]

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
            is_late = is_late and not option.local
            if others or is_late:
                fallback = _fallback(option) if is_late else ""
                found.append(Resolved(option.name, [option.name, *others], fallback))
        return found


class PropertyView(View):
    """The property of alert nodes in scripts."""

    @cached_property
    def fields(self) -> list[Field]:
        """The fields of the property's class."""
        return [
            scripted(each)
            for each in self.spec.options
            if each.tick is not None or each.is_argument
        ]

    @property
    def arguments(self) -> list[Field]:
        """The fields that the arguments of the property fill."""
        return [each for each in self.fields if self._is_argument(each)]

    @property
    def call(self) -> ast.expr | None:
        """The types of these arguments, or None."""
        found = self.arguments
        if not found:
            return None
        has_rest = found[-1].setting.type.base is Type.LIST
        types = [_script_type(each) for each in found]
        fixed = types[:-1] if has_rest else types
        rest = {"rest": types[-1]} if has_rest else {}
        return call("Signature", *([ast.Tuple(fixed)] if fixed else []), **rest)

    @property
    def call_fields(self) -> ast.expr:
        """The names of the fields that they fill."""
        return ast.Tuple([ast.Constant(each.name) for each in self.arguments])

    def _is_argument(self, field: Field) -> bool:
        return isinstance(field.setting, Option) and field.setting.is_argument

    @property
    def has_docs(self) -> bool:
        """True if one of them has a description."""
        return has_docs(self.fields)


def _script_type(field: Field) -> ast.expr:
    """The type of one argument."""
    match field.setting.type.base:
        case Type.INT | Type.FLOAT as number:
            return ast.Name("int" if number is Type.INT else "float")
        case Type.DURATION:
            return ast.Name("Duration")
    return ast.Name("str")


def _fallback(option: Option) -> str:
    assert option.fallback is not None
    node = option.fallback.node
    if option.is_secret and option.fallback.type is not Type.SECRET:
        node = ast.Call(ast.Name("Secret"), [node], [])
    return operand(node)
