"""Evaluates one expression of a spec.

The compiler accepts only listed forms and functions, so no other code runs here.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping
from typing import Any

from scaffold.expressions.code import Code
from scaffold.layout.imports import functions
from scaffold.layout.printer import source

BUILTINS: dict[str, Any] = {
    each.__name__: each
    for each in (bool, dict, float, int, len, list, object, str, tuple)
}
"""Modules of Python that generated code uses."""


def run(code: Code, values: Mapping[str, Any], known: Mapping[str, str]) -> Any:
    """The value of an expression.

    Args:
        code: the expression.
        values: the values of its names.
        known: the modules of names that it may import.
    """
    names = {**bound(code.node, known), **values, "__builtins__": BUILTINS}
    return eval(source(code.node), names)


def bound(node: ast.expr, known: Mapping[str, str]) -> dict[str, Any]:
    """The imported names of an expression, and their values."""
    modules = {**functions(), **known}
    used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return {
        name: getattr(importlib.import_module(modules[name]), name)
        for name in used & modules.keys()
        if modules[name]
    }
