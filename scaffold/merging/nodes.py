"""Statements and their parts as libcst nodes: names, comments, meanings, used names."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Sequence

import libcst as cst

from scaffold.merging.likeness import Meaning, meaning
from scaffold.patching import brackets

Statement = cst.BaseStatement | cst.BaseSmallStatement
Body = Sequence[Statement]
Key = tuple[str, ...]

_WORDS = re.compile(r"\w+")
_EMPTY = cst.Module([])
# the code around a node that makes it a module: of an expression, an entry, a key with its
# value, a decorator, parameters, and the later parts of `if` and `try`
_FRAMES = (
    *("{}", "x[{}\n]", "f({}\n)", "{{{}\n}}"),
    *("{}\ndef f(): ...", "def f({}\n): ..."),
    *("if x: ...\n{}", "try: ...\n{}", "try: ...\nexcept: ...\n{}"),
)
_SEPARATED = (*brackets.Node.__args__, cst.Param)


def code_of(node: cst.CSTNode) -> str:
    """The code of a node, not indented."""
    if isinstance(node, cst.Annotation):  # its sign depends on its place
        node = node.annotation
    return _EMPTY.code_for_node(node)


def meaning_of(node: cst.CSTNode) -> Meaning:
    """The meaning of a node: its syntax and comments, without its layout."""
    code = code_of(node).strip()
    if isinstance(node, _SEPARATED):
        code = code.rstrip(",").rstrip()
    for frame in _FRAMES:
        try:
            return meaning(frame.format(code) + "\n")
        except SyntaxError:
            continue
    return (" ".join(code.split()),)


def comments_of(lines: Sequence[cst.EmptyLine]) -> list[str]:
    """The comments that stand alone on lines."""
    return [each.comment.value.rstrip() for each in lines if each.comment]


def is_import(node: Statement) -> bool:
    """True for a statement that only imports."""
    return isinstance(node, cst.SimpleStatementLine) and all(
        isinstance(small, cst.Import | cst.ImportFrom) for small in node.body
    )


def named(body: Body, *, with_imports: bool) -> dict[Key, Statement]:
    """Statements by the name that they define, and by their number among like ones.

    Args:
        body: the statements of a module or class.
        with_imports: true if those that import are among them, each by its position.
    """
    counts: Counter[Key] = Counter()
    found: dict[Key, Statement] = {}
    for index, node in enumerate(body):
        if is_import(node):
            if with_imports:
                found["import", str(index)] = node
            continue
        kind, name = _name(node)
        counts[kind, name] += 1
        found[kind, name, str(counts[kind, name])] = node
    return found


def used_names(code: str) -> set[str]:
    """The names that statements use: variables, attributes, names in quoted types."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names |= {*_WORDS.findall(node.value)} if " " not in node.value else set()
    return names


# statements that define no name, by their first words
_NAMELESS: dict[type[cst.CSTNode], str] = {
    cst.SimpleStatementLine: "the line with `;`",
    cst.For: "the `for` loop",
    cst.While: "the `while` loop",
    cst.Try: "the `try` statement",
    cst.TryStar: "the `try` statement",
    cst.With: "the `with` statement",
    cst.Match: "the `match` statement",
    cst.Assert: "the `assert`",
    cst.AugAssign: "the changed value",
    cst.Del: "the `del`",
    cst.Expr: "the expression",
    cst.Global: "the `global`",
    cst.Nonlocal: "the `nonlocal`",
    cst.Pass: "the `pass`",
    cst.Raise: "the `raise`",
    cst.Return: "the `return`",
}


def _nameless(node: cst.CSTNode) -> tuple[str, str]:
    return _NAMELESS.get(type(node), "the statement"), ""


def _name(node: Statement) -> tuple[str, str]:
    """The kind of a statement, in words, and the name that it defines."""
    if isinstance(node, cst.FunctionDef):
        return "the function", node.name.value
    if isinstance(node, cst.ClassDef):
        return "the class", node.name.value
    if isinstance(node, cst.If):
        return "the condition", code_of(node.test)
    if isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1:
        return _small_name(node.body[0])
    return _nameless(node)


def _small_name(node: cst.BaseSmallStatement) -> tuple[str, str]:
    if isinstance(node, cst.AnnAssign):
        return "the value", code_of(node.target)
    if isinstance(node, cst.Assign):
        return "the value", ", ".join(code_of(each.target) for each in node.targets)
    if isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString):
        return "the docstring", ""
    if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
        return "the call", code_of(node.value.func)
    return _nameless(node)
