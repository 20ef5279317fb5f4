"""Former names of settings, options and properties, in generated tests."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from scaffold.expressions.code import Type
from scaffold.rendering.samples.values import sample_value
from scaffold.rendering.views import scripts
from scaffold.rendering.views.cases import Renaming
from scaffold.rendering.views.fields import plain, toml_value
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.model.settings import Option


def settings(spec: HandlerSpec) -> list[Renaming]:
    """Lines of a section of the configuration file."""
    found = []
    for field in spec.config:
        value = toml_value(field, sample_value(field, "explicit"))
        new = ast.Constant(f"{field.key} = {value}")
        for old in field.formerly:
            found.append(Renaming(ast.Constant(f"{old} = {value}"), new))
    return found


def options(spec: HandlerSpec) -> list[Renaming]:
    """Options of a handler over HTTP."""
    return [
        Renaming(plain({old: value}), plain({each.key: value}))
        for each in spec.options
        for value in [sample_value(each, "explicit")]
        for old in each.formerly
    ]


def properties(spec: HandlerSpec, value: Callable[[Option], Any]) -> list[Renaming]:
    """Properties of a handler in a script.

    Args:
        spec: the handler.
        value: returns an option's value in the script.
    """

    def script(option: Option, tick: str) -> ast.expr:
        """A handler with a property of this name, and its required properties."""
        chosen = [
            replace(each, tick=tick) if each is option else each
            for each in spec.options
            if each is option or (each.is_argument and each.type.base is not Type.LIST)
        ]
        return ast.Constant(scripts.handler(spec, chosen, value))

    return [
        Renaming(script(each, old), script(each, each.tick or ""))
        for each in spec.options
        for old in each.former_ticks
    ]
