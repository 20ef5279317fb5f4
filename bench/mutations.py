"""Mistakes in specs and in generated code that the generated tests notice.

    python bench/mutations.py [KIND ...] [--each 20] [--seed 1] [-v]

One thing is changed at a time: a text, a number, a switch, an expression or a condition of a
bundled spec, from which the code is generated again; or a constant, a comparison or a
condition of generated code. Then the handler's generated tests run as they are. Of each
handler at most `--each` changes of both kinds are drawn at random. Changes that the
generator refuses, or that leave the code unchanged, do not count. -v prints unnoticed
changes to standard error as they are found. Each run of tests is a fork of this process;
not for Windows.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.abc
import importlib.util
import os
import random
import select
import signal
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tomlkit

import runtime.testing.handlers  # noqa: F401 # loaded once, before the forks
from scaffold import places
from scaffold.errors import ScaffoldError
from scaffold.rendering.render import render
from scaffold.spec.parse import parse

ROOT = Path(__file__).parents[1]
SERVICES = ROOT / "runtime/services"
MODULES = ("config", "handler", "property", "service")
# tables and keys of specs that hold prose, names, or the tests' own data
_PROSE = {"doc", "title", "summary", "example", "examples", "name", "property"}
_TABLES = {"handler", "example"}
# keys that hold an expression, not a text
_EXPRESSIONS = {"when", "that", "default", "retry", "wait", "check", "verify", "token"}
_LIMIT_S = 60.0


class Mutant(NamedTuple):
    """One change.

    Attributes:
        what: one line that describes it.
        modules: the generated modules that differ, by name.
    """

    what: str
    modules: Mapping[str, str]


def generated(kind: str, text: str) -> dict[str, str]:
    """The modules generated from a spec, by name.

    Raises:
        ScaffoldError: the spec is refused.
    """
    spec = parse(text, "handler.toml")
    return {
        Path(file.path).stem: render(file.template, spec, "runtime")
        for file in places.files(spec.names, "runtime")
        if Path(file.path).stem in MODULES and Path(file.path).suffix == ".py"
    }


def of_spec(kind: str) -> Iterator[Callable[[], Mutant | None]]:
    """The changes of a spec; each makes the code when it is asked for."""
    text = (SERVICES / kind / "handler.toml").read_text()
    tree = tomllib.loads(text)
    before = generated(kind, text)

    def made(path: tuple[Any, ...], value: object) -> Mutant | None:
        changed = copy.deepcopy(tree)
        at: Any = changed
        for step in path[:-1]:
            at = at[step]
        was, at[path[-1]] = at[path[-1]], value
        try:
            after = generated(kind, tomlkit.dumps(changed))
        except ScaffoldError:
            return None
        modules = {name: after[name] for name in after if after[name] != before[name]}
        shown = ".".join(map(str, path))
        return Mutant(f"{shown}: {was!r} -> {value!r}", modules) if modules else None

    for path, value in _leaves(tree, ()):
        for other in _others(str(path[-1]), value):
            yield lambda path=path, other=other: made(path, other)  # type: ignore[misc]


def _leaves(tree: Any, above: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    items = enumerate(tree) if isinstance(tree, list) else tree.items()
    for key, value in items:
        if key in _PROSE or (not above and key in _TABLES):
            continue
        if isinstance(value, dict | list):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key), value


def _others(key: str, value: Any) -> Iterator[Any]:
    """Other values for a leaf."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + 1
    elif key in _EXPRESSIONS:
        yield f"not ({value})"
    elif value.startswith("${") and value.endswith("}") and value.count("${") == 1:
        yield "x"
    else:
        yield f"{value}x"


def of_code(kind: str) -> Iterator[Callable[[], Mutant | None]]:
    """The changes of generated code."""
    for name in MODULES:
        file = SERVICES / kind / f"{name}.py"
        if not file.exists():
            continue
        text = file.read_text()
        for number in range(len(_places(ast.parse(text)))):
            yield lambda name=name, text=text, number=number: _changed(  # type: ignore[misc]
                name, text, number
            )


def _changed(name: str, text: str, number: int) -> Mutant:
    tree = ast.parse(text)
    node, change = _places(tree)[number]
    was = ast.unparse(node)
    line = getattr(node, "lineno", 0)
    change()
    return Mutant(f"{name}.py:{line}: {was[:70]}", {name: ast.unparse(tree)})


def _places(tree: ast.Module) -> list[tuple[ast.AST, Callable[[], None]]]:
    """The nodes that can be changed, each with its change."""
    left_alone = {id(each) for each in (*_prose(tree), *_unused(tree))}
    found: list[tuple[ast.AST, Callable[[], None]]] = []
    for node in ast.walk(tree):
        if id(node) in left_alone:
            continue
        match node:
            case ast.Constant(value=bool(value)):
                found.append((node, _set(node, "value", not value)))
            case ast.Constant(value=int(value)):
                found.append((node, _set(node, "value", value + 1)))
            case ast.Constant(value=str(value)):
                found.append((node, _set(node, "value", f"{value}x")))
            case ast.Compare(ops=[operator]):
                other = _OPPOSITES.get(type(operator))
                if other is not None:
                    found.append((node, _set(node, "ops", [other()])))
            case ast.BoolOp(op=ast.And()):
                found.append((node, _set(node, "op", ast.Or())))
            case ast.BoolOp(op=ast.Or()):
                found.append((node, _set(node, "op", ast.And())))
            case ast.If(test=test) | ast.IfExp(test=test):
                negated = ast.UnaryOp(ast.Not(), test)
                found.append((node, _set(node, "test", negated)))
    return found


_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}


def _set(node: ast.AST, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, name, value)


def _prose(tree: ast.Module) -> Iterator[ast.AST]:
    """Docstrings, annotations and decorators, with all that they hold."""
    for node in ast.walk(tree):
        held: list[ast.AST | None] = []
        match node:
            case ast.Expr(value=ast.Constant()):
                held = [node]
            case ast.AnnAssign(annotation=annotation):
                held = [annotation]
            case ast.FunctionDef(returns=returns, decorator_list=decorators):
                held = [returns, *decorators]
            case ast.ClassDef(decorator_list=decorators, bases=bases):
                held = [*decorators, *bases]
            case ast.arg(annotation=annotation):
                held = [annotation]
        for each in held:
            if each is not None:
                yield from ast.walk(each)


def _unused(tree: ast.Module) -> Iterator[ast.AST]:
    """Values of the service test that nothing can depend on.

    They are the defaults of options that `test_options` always sets, and the topic of the
    event: a service that sends the topic has an option for it.
    """
    given: set[str | None] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="TestOptions"), keywords=keywords):
                given |= {each.arg for each in keywords}
            case ast.Call(func=ast.Name(id="Event"), keywords=keywords):
                yield from (each.value for each in keywords if each.arg == "topic")
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == "TestOptions":
            for field in node.body:
                match field:
                    case ast.AnnAssign(
                        target=ast.Name(id=name), value=ast.expr() as it
                    ):
                        if name in given:
                            yield from ast.walk(it)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads changed modules in place of the files."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname in self._texts:
            return importlib.util.spec_from_loader(fullname, self)
        return None

    def exec_module(self, module: Any) -> None:
        exec(compile(self._texts[module.__name__], "changed", "exec"), module.__dict__)


def noticed(kind: str, mutant: Mutant) -> bool:
    """True if the generated tests of a handler fail with changed modules."""
    tests = ROOT / f"tests/runtime/services/{kind}/test_{kind}_service.py"
    texts = {
        f"runtime.services.{kind}.{name}": text for name, text in mutant.modules.items()
    }
    child = os.fork()
    if child == 0:
        os.setsid()
        silent = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(silent, descriptor)
        sys.meta_path.insert(0, _Finder(texts))
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
        os._exit(int(pytest.main([str(tests), *options, "--rootdir", str(ROOT)])))
    return _ended(child) != 0


def _ended(child: int) -> int:
    """The exit code of a process; one that hangs is killed."""
    descriptor = os.pidfd_open(child)
    ready, _, _ = select.select([descriptor], [], [], _LIMIT_S)
    os.close(descriptor)
    if not ready:
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


class Count(NamedTuple):
    """Changes, and those of them that were noticed."""

    noticed: int
    all: int

    def __str__(self) -> str:
        return f"{self.noticed} of {self.all}"


def measured(
    kind: str,
    changes: Sequence[Callable[[], Mutant | None]],
    each: int,
    left: Callable[[str], None],
) -> Count:
    """Try changes until `each` of them count; pass lines about unnoticed ones to `left`."""
    count = all_ = 0
    for change in changes:
        if all_ == each:
            break
        mutant = change()
        if mutant is None:
            continue
        all_ += 1
        if noticed(kind, mutant):
            count += 1
        else:
            left(f"{kind}: {mutant.what}")
    return Count(count, all_)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    bundled = sorted(path.parent.name for path in SERVICES.glob("*/handler.toml"))
    parser.add_argument("kinds", nargs="*", choices=[[], *bundled])
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-v", "--verbose", action="store_true")
    asked = parser.parse_args()
    chance = random.Random(asked.seed)

    def left(line: str) -> None:
        if asked.verbose:
            print(line, file=sys.stderr, flush=True)

    total: list[tuple[Count, Count]] = []
    print("| handler | spec | code |\n|---|---|---|", flush=True)
    for kind in asked.kinds or bundled:
        counts = []
        for source in (of_spec, of_code):
            changes = list(source(kind))
            chance.shuffle(changes)
            counts.append(measured(kind, changes, asked.each, left))
        total.append((counts[0], counts[1]))
        print(f"| {kind} | {counts[0]} | {counts[1]} |", flush=True)
    sums = (
        Count(sum(x.noticed for x in each), sum(x.all for x in each))
        for each in zip(*total, strict=True)
    )
    print("| all | " + " | ".join(map(str, sums)) + " |")


if __name__ == "__main__":
    main()
