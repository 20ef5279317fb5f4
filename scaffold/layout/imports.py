"""The import block of a generated module, derived from the names that it uses."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from types import FunctionType

from runtime.services import expressions
from scaffold.layout.style import DEFAULT_LENGTH


def table(text: str) -> dict[str, str]:
    """The modules of names, from import statements; "" for a module itself."""
    found: dict[str, str] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom):
            found |= {each.name: node.module or "" for each in node.names}
        elif isinstance(node, ast.Import):
            found |= {each.name: "" for each in node.names}
    return found


@cache
def functions() -> Mapping[str, str]:
    """The public functions of the module that expressions call, and that module."""
    return {
        name: expressions.__name__
        for name, value in vars(expressions).items()
        if isinstance(value, FunctionType)
        and value.__module__ == expressions.__name__
        and not name.startswith("_")
    }


def with_imports(
    text: str, package: str, known: Mapping[str, str], length: int = DEFAULT_LENGTH
) -> str:
    """A module with an import of every known name that it uses and does not define.

    Args:
        text: the module: its docstring, and behind it the blank lines that follow
            imports.
        package: the import package that the module is in.
        known: the modules of names; the functions of expressions need not be imported.
        length: maximum length of a line.
    """
    known = {**functions(), **known}
    block = import_lines(
        {name: known[name] for name in _used(text) if name in known}, package, length
    )
    if not block:
        return text
    docstring = ast.parse(text).body[0]
    lines = text.split("\n")
    lines[docstring.end_lineno : docstring.end_lineno] = ["", *block.split("\n")]
    return "\n".join(lines)


@lru_cache(
    maxsize=16
)  # a module that is tried for samples is mostly generated without changes
def _used(text: str) -> set[str]:
    """The global names that a module uses, except those that it defines for others.

    A name that is used at its own definition, as in `class FooServer(FooServer)`, is
    that of an import.
    """
    module = symtable.symtable(text, "<generated>", "exec")
    defined = {each.get_name() for each in module.get_symbols() if each.is_assigned()}
    used = {each.get_name() for each in module.get_symbols() if each.is_referenced()}
    waiting = module.get_children()
    inner: set[str] = set()
    while waiting:
        table = waiting.pop()
        inner |= {each.get_name() for each in table.get_symbols() if each.is_global()}
        waiting += table.get_children()
    return used | (inner - defined)


def import_lines(
    names: Mapping[str, str], package: str, length: int = DEFAULT_LENGTH
) -> str:
    """Import statements, sorted and grouped as ruff wants them.

    Args:
        names: the module of each name, "" for a module itself.
        package: the import package that the module is in.
        length: maximum length of a line.
    """
    by_module: dict[str, set[str]] = {}
    for name, module in names.items():
        by_module.setdefault(module or name, set()).add(name)
    groups: list[list[str]] = [[], [], []]
    for module in sorted(by_module):
        wanted = by_module[module]
        top = module.partition(".")[0]
        # to a project of its own the runtime is one library among others
        group = 2 if top == package else int(top == "runtime" or module in wanted)
        groups[group].append(
            f"import {module}"
            if module in wanted
            else _line(module, sorted(wanted, key=_order), length)
        )
    return "\n\n".join("\n".join(group) for group in groups if group)


def _order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest."""
    if name.isupper():
        return 0, name
    return (1 if name[:1].isupper() else 2), name


def _line(module: str, names: Iterable[str], length: int) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= length:
        return line
    inner = "".join(f"    {name},\n" for name in names)
    return f"from {module} import (\n{inner})"
