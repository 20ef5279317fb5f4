"""Keyword arguments of generated tests: values of settings and options."""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

from runtime.units import Duration
from scaffold.rendering.samples.targets import BASE
from scaffold.rendering.views.fields import duration_node, value_node
from scaffold.spec.model.settings import Option, Setting


class Argument(NamedTuple):
    """A keyword argument.

    Attributes:
        name: its name.
        form: `secret`, `url` (a path on the fake server), `secret_url`, `address` or
            `secret_address` (of that server), or "".
        value: its value; of a URL: its path, or None.
    """

    name: str
    form: str
    value: ast.expr | None


def option_argument(option: Option, value: Any) -> Argument:
    """A value of an option; a configured URL is a path on the fake server."""
    if isinstance(value, str) and value.startswith(BASE):
        return url_argument(option, value.removeprefix(BASE))
    return argument(option, value)


def argument(field: Setting, value: Any) -> Argument:
    """A value of a field, as an argument of its class."""
    form = "secret" if field.is_secret else ""
    return Argument(field.name, form, value_node(field, value))


def setting_node(value: Any) -> ast.expr:
    """A setting of a connection, as code."""
    if isinstance(value, Duration):
        return duration_node(value)
    if isinstance(value, tuple):
        return ast.Tuple([ast.Constant(each) for each in value])
    return ast.Constant(value)


def url_argument(field: Setting, path: str) -> Argument:
    """A URL of the fake server, as the field holds it."""
    form = "secret_url" if field.is_secret else "url"
    return Argument(field.name, form, ast.Constant(path) if path else None)
