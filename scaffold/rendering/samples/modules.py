"""The generated modules of a handler, imported without writing them.

They run as they are generated, except for the classes that use the network, which have
stand-ins. They consist of template text, literals, and expressions that the compiler
accepted, and can import and call only names that templates use.
"""

from __future__ import annotations

import ast
import builtins
import importlib
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from scaffold.rendering.samples.decisions import RECORDER
from scaffold.rendering.samples.evaluation import BUILTINS
from scaffold.rendering.samples.standins import STANDINS


def load(
    trees: Mapping[str, ast.Module], allowed: set[str], decided: Callable[..., Any]
) -> dict[str, Any]:
    """Run modules, each of which may import those before it.

    Args:
        trees: the modules by name.
        allowed: the other modules that they may import.
        decided: called with the number and the value of each decision.

    Returns:
        The modules by name.
    """
    made: dict[str, Any] = {}

    def imported(name: str, *more: Any) -> Any:
        if name in STANDINS or name in made:
            return STANDINS.get(name) or made[name]
        if name not in allowed:
            raise ImportError(f"generated code imports {name}")
        return importlib.import_module(name)

    names = {
        **BUILTINS,
        "__build_class__": builtins.__build_class__,
        "__import__": imported,
        RECORDER: decided,
    }
    for name, tree in trees.items():
        module = ModuleType(name)
        vars(module)["__builtins__"] = names
        exec(compile(tree, name, "exec", dont_inherit=True), vars(module))
        made[name] = module
    return made
