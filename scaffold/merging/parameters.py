"""Parameters of functions, merged by their names."""

from __future__ import annotations

import ast
from typing import Any

import libcst as cst

from scaffold.layout.style import Style, by_black
from scaffold.merging.clash import ClashError, picked
from scaffold.merging.nodes import code_of
from scaffold.merging.sequences import order
from scaffold.merging.versions import Versions


def merged(versions: Versions[cst.FunctionDef], style: Style) -> dict[str, Any]:
    """The changes of the person's function that give it the parameters of both sides.

    Raises:
        ClashError: both changed the same parameter, or together they are not valid.
    """
    texts = Versions(*(_texts(each.params) for each in versions))
    found = []
    for name in order(Versions(*map(list, texts))):
        text = picked(Versions(*(each.get(name) for each in texts)))
        if text is not None:
            found.append(text)
    return _laid_out(versions.mine, ", ".join(found), style)


def _texts(parameters: cst.Parameters) -> dict[str, str]:
    """The text of each parameter by its name, and of the stars and the slash.

    Raises:
        ClashError: there are comments between them, which would be lost.
    """
    code = code_of(parameters)
    if "#" in code:
        raise ClashError
    function = ast.parse(f"def f({code}\n): ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    given = function.args
    simple = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(simple) - len(given.defaults)) + [*given.defaults]
    found = {
        each.arg: _text(each, default)
        for each, default in zip(simple, defaults, strict=True)
    }
    if given.posonlyargs:
        count = len(given.posonlyargs)
        items = list(found.items())
        found = dict([*items[:count], ("/", "/"), *items[count:]])
    if given.vararg or given.kwonlyargs:
        found["*"] = "*" + (_text(given.vararg, None) if given.vararg else "")
    for each, value in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        found[each.arg] = _text(each, value)
    if given.kwarg:
        found["**"] = "**" + _text(given.kwarg, None)
    return found


def _text(parameter: ast.arg, default: ast.expr | None) -> str:
    text = ast.unparse(parameter)
    if default is None:
        return text
    sign = " = " if parameter.annotation else "="
    return text + sign + ast.unparse(default)


def _laid_out(function: cst.FunctionDef, text: str, style: Style) -> dict[str, Any]:
    returns = function.returns
    arrow = f" -> {code_of(returns.annotation)}" if returns else ""
    head = f"def {function.name.value}({text}){arrow}: ...\n"
    try:
        ast.parse(head)
    except SyntaxError:
        raise ClashError from None
    [made] = cst.parse_module(by_black(head, style)).body
    assert isinstance(made, cst.FunctionDef)
    return {
        "params": made.params,
        "whitespace_before_params": made.whitespace_before_params,
    }
