"""Random edits of generated modules, by people and by tools.

Each addition has a word of its own, `mine_7`, by which it is found in a merged module.
"""

from __future__ import annotations

import ast
import io
import random
import re
import textwrap
import tokenize
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from scaffold.layout.style import PLAIN, by_black

# statements as people write them; `W` becomes the word
STATEMENTS = (
    "W = 1",
    "W: int = 1  # W_beside",
    "# W_above\n\n# W_near\nW = 2  # W_beside",
    'def W(self, a, *args, b=1, **kw):\n    """W doc.\n\n  odd W_odd\n    """\n'
    "    def W_inner():\n        return a\n\n    return W_inner\n    # W_end",
    "@property\ndef W(self):\n    return self.W_\n\n@W.setter\ndef W(self, v):\n    self.W_ = v",
    "@overload\ndef W(a: int) -> int: ...\n@overload\ndef W(a: str) -> str: ...\n"
    "@W_deco(\n    1,  # W_entry\n)\ndef W(a): return a",
    "if TYPE_CHECKING:\n    from W_module import W",
    "if TYPE_CHECKING:\n    import W\nelse:\n    # W_none\n    W = None",
    "try:\n    import W\nexcept ImportError:  # W_beside\n    W = None\nfinally:\n    pass",
    "from W import *",
    "import W as W_m, os as W_o",
    "import W.path  # W_beside",
    "from W import (  # W_open\n    a as W_a,  # W_beside\n    # W_above\n    W_b,\n    # W_end\n)",
    "from __main__ import W; import W_other",
    "from . import W",
    "W = 1; W_b = 2",
    "W = 1; import W_b",
    "W = 1 + \\\n    2",
    "if (W := 1):\n    pass",
    "W = f\"a {'b'} {1!r:>{10}} {{}}\" 'c' \"d'\"",
    'W = """\n  odd\n\tW_tab\n"""',
    'W = (\n  """a\nW_line\n  """\n)',
    'match W:\n    case {"a": 1, **W_rest}:\n        pass\n    # W_above\n    case _: pass',
    "async def W():\n    async with W_a as y, W_b:\n        await y\n    async for a in W_c: pass\n"
    "    return [x async for x in W_d]",
    'W: "TypeAlias" = "list[W_name]"',
    'W = {"a": 1, "b": 2,}',
    "W = {\n    'a': 1,  # W_beside\n    # W_above\n    **W_other,\n    # W_end\n}",
    "W = {1, 2}, [3,\n  4], (5,), ()",
    "# fmt: off\nW = [1,\n       2]\n# fmt: on",
    "class W:\n    ...",
    "class W: pass",
    "class W(Exception):\n    # W_only\n    pass\n    # W_end",
    "def W(): ...",
    "def W(a, /, b, *, c): return a  # W_beside",
    "with W_a as b: W()",
    "with (\n    W_a as b,  # W_beside\n    W_b,\n):\n    W()",
    "for W in []:\n    continue\nelse:\n    pass",
    "while W:\n    break",
    "W()",
    "await W()",
    "yield W",
    "return W",
    "return",
    "raise W from None",
    "assert W, 'x'",
    "del W",
    "global W",
    "W.a += 1",
    "W[0], *W_rest = lambda x: x, 1",
    "W = W_b = 1",
    '"""W text."""',
    "...  # W_beside",
    "pass  # W_beside",
    'if __name__ == "__main__":\n    W()\n    # W_end',
    "if W:\n    pass\nelif W_b:\n    pass\n# W_above\nelse:\n    pass",
    "\x0c\nW = 3",
    '__all__ = ["W"]',
    "__all__ += ['W']",
    "W = 5  # type: ignore[W_code]",
    "W = '\\\n'",
    "W = 0x_ff, 1_0.e-1j, rb'\\d', u'x', ...",
    "@dataclass\nclass W:\n    a: int = field(default=1)\n\n\n\n    b: int = 2",
    "W = lambda: (yield)",
    "W = [\n    x\n    for x in W_b  # W_beside\n    if x\n]",
    "W = not(W_b)if(1)else-W_c",
    "print('W', end='')",
)
ENTRIES = (
    "{e}, ",
    "{e},  # W_beside\n",
    "\n# W_above\n{e},\n",
    "\n    {e}, ",
    "# W_only\n{e}\n,",
)


class Hands:
    """A person with tools, who edits modules at random.

    Attributes:
        word: the start of the words of all that is added.
    """

    def __init__(self, chance: random.Random, word: str) -> None:
        self.chance = chance
        self.word = word
        self._count = 0
        self._edits: list[Callable[[str], str]] = [
            self.insert,
            self.insert,
            self.note,
            self.note_beside,
            self.delete,
            self.move,
            self.change,
            self.change,
            self.wrap,
            self.add_entry,
            self.add_entry,
            self.drop_entry,
            self.rename,
            self.add_line_to_docstring,
            self.decorate,
        ]

    def edited(self, text: str, count: int) -> str:
        """The module after some edits, each of which left it valid."""
        for _ in range(count):
            made = self.chance.choice(self._edits)(text)
            if is_valid(made):
                text = made
        return text

    def new_word(self) -> str:
        self._count += 1
        return f"{self.word}_{self._count}"

    def insert(self, text: str) -> str:
        """A statement before or after another one, or at the end."""
        word = self.new_word()
        code = self.chance.choice(STATEMENTS).replace("W", word)
        blank = "\n" * self.chance.choice([0, 0, 1, 2])
        node = self._any(ast.stmt, text)
        lines = text.splitlines(keepends=True)
        if node is None or self.chance.random() < 0.1:
            at, indent = len(lines), ""
        else:
            start, end = _span(node)
            indent = " " * node.col_offset
            at = self.chance.choice([start, end])
        lines.insert(at, blank + _indented(code, indent) + "\n" + blank)
        return _ended(lines)

    def note(self, text: str) -> str:
        """A comment on a line of its own, anywhere."""
        lines = text.splitlines(keepends=True)
        at = self.chance.randrange(len(lines) + 1)
        near = lines[min(at, len(lines) - 1)] if lines else ""
        indent = near[: len(near) - len(near.lstrip())].strip("\n\x0c")
        indent = self.chance.choice([indent, indent, "", indent + "    "])
        lines.insert(at, f"{indent}# {self.new_word()}\n")
        return _ended(lines) if _tokens(_ended(lines)) else text

    def note_beside(self, text: str) -> str:
        """A comment beside code."""
        places = [
            each.start
            for each in _tokens(text)
            if each.type in (tokenize.NEWLINE, tokenize.NL)
            and each.start[1] > 0
            and "#" not in each.line
        ]
        if not places:
            return text
        line, column = self.chance.choice(places)
        return _spliced(text, (line, column), (line, column), f"  # {self.new_word()}")

    def delete(self, text: str) -> str:
        node = self._any(ast.stmt, text)
        if node is None:
            return text
        lines = text.splitlines(keepends=True)
        start, end = _span(node)
        del lines[start:end]
        return "".join(lines)

    def move(self, text: str) -> str:
        """A statement to another place of the same body."""
        bodies = [
            body
            for each in ast.walk(ast.parse(text))
            for body in [getattr(each, "body", None)]
            if isinstance(body, list) and len(body) > 1
        ]
        if not bodies:
            return text
        one, other = self.chance.sample(self.chance.choice(bodies), 2)
        lines = text.splitlines(keepends=True)
        start, end = _span(one)
        at = _span(other)[0]
        piece = lines[start:end]
        if at >= end:
            return _ended(lines[:start] + lines[end:at] + piece + lines[at:])
        return _ended(lines[:at] + piece + lines[at:start] + lines[end:])

    def change(self, text: str) -> str:
        """Another expression in place of one."""
        node = self._any((ast.Name, ast.Constant, ast.Attribute, ast.Call), text)
        word = self.new_word()
        new = self.chance.choice(
            [word, f'"{word}"', f"{word}()", f"{word}.a", f"{word} if 1 else 2"]
        )
        return text if node is None else _replaced(text, node, new)

    def wrap(self, text: str) -> str:
        """A statement in a block."""
        node = self._any(ast.stmt, text)
        if node is None:
            return text
        lines = text.splitlines(keepends=True)
        start, end = _span(node)
        indent = " " * node.col_offset
        head = self.chance.choice(["if W:", "with W() as W_x:", "for W in W_y:"])
        inner = textwrap.indent("".join(lines[start:end]), "    ")
        head = head.replace("W", self.new_word())
        lines[start:end] = [f"{indent}{head}\n{inner}"]
        return _ended(lines)

    def add_entry(self, text: str) -> str:
        """An entry between brackets."""
        node: Any = self._any(
            (ast.List, ast.Dict, ast.Set, ast.Call, ast.Tuple, ast.ImportFrom, ast.arguments),
            text,
        )  # fmt: skip
        if node is None:
            return text
        word = self.new_word()
        entry = self.chance.choice([f'"{word}"', word, f"{word}()"])
        if isinstance(node, ast.Dict):
            inner = node.keys
            entry = f'"{word}": {self.chance.choice(["1", "[2]"])}'
        elif isinstance(node, ast.Call):
            inner = [*node.args, *node.keywords]
            entry = self.chance.choice([entry, f"{word}=1"])
        elif isinstance(node, ast.ImportFrom):
            inner = node.names
            entry = self.chance.choice([word, f"a as {word}"])
        elif isinstance(node, ast.arguments):
            inner = [*node.args, *node.kwonlyargs]
            entry = self.chance.choice([word, f"{word}: int = 1", f"*, {word}"])
        else:
            inner = node.elts
        form = self.chance.choice(ENTRIES).format(e=entry).replace("W", word)
        inner = [each for each in inner if each is not None]
        if not inner:
            line, column = node.end_lineno or 0, (node.end_col_offset or 0) - 1
            return _spliced(text, (line, column), (line, column), form)
        one = self.chance.choice(inner)
        place = one.lineno, one.col_offset
        if self.chance.random() < 0.4:  # after it
            place = one.end_lineno, one.end_col_offset
            form = self.chance.choice(
                [f", {entry}", f",\n{entry}", f",  # {word}_b\n{entry}"]
            )
        return _spliced(text, place, place, form)

    def drop_entry(self, text: str) -> str:
        node: Any = self._any((ast.List, ast.Dict, ast.Call, ast.ImportFrom), text)
        if node is None:
            return text
        if isinstance(node, ast.Dict):
            if not node.keys or None in node.keys:
                return text
            at = self.chance.randrange(len(node.keys))
            start, end = node.keys[at], node.values[at]
        else:
            found = getattr(node, "elts", None) or getattr(node, "names", None)
            found = found or [
                *getattr(node, "args", ()),
                *getattr(node, "keywords", ()),
            ]
            if not found:
                return text
            start = end = self.chance.choice(found)
        rest = _offset(text, (end.end_lineno, end.end_col_offset))
        after = text[rest:].lstrip()
        stop = rest + text[rest:].index(",") + 1 if after.startswith(",") else rest
        return text[: _offset(text, (start.lineno, start.col_offset))] + text[stop:]

    def rename(self, text: str) -> str:
        """Another name for a function, a class or a parameter."""
        node: Any = self._any((ast.FunctionDef, ast.ClassDef, ast.arg), text)
        if node is None:
            return text
        word = self.new_word()
        if isinstance(node, ast.arg):
            end = node.lineno, node.col_offset + len(node.arg)
            return _spliced(text, (node.lineno, node.col_offset), end, word)
        lines = text.splitlines(keepends=True)
        at = node.lineno - 1
        lines[at] = lines[at].replace(f" {node.name}", f" {word}", 1)
        return "".join(lines)

    def add_line_to_docstring(self, text: str) -> str:
        lines = text.splitlines(keepends=True)
        found = [
            number
            for each in ast.walk(ast.parse(text))
            if isinstance(each, ast.Expr)
            and isinstance(each.value, ast.Constant)
            and isinstance(each.value.value, str)
            and each.end_lineno is not None
            for number in range(each.lineno, each.end_lineno)
        ]
        if not found:
            return text
        at = self.chance.choice(found)
        indent = self.chance.choice(["    ", "", "        ", "\t"])
        lines.insert(at, f"{indent}{self.new_word()} in words\n")
        return "".join(lines)

    def decorate(self, text: str) -> str:
        node: Any = self._any((ast.FunctionDef, ast.ClassDef), text)
        if node is None:
            return text
        lines = text.splitlines(keepends=True)
        line = f"{' ' * node.col_offset}@{self.new_word()}\n"
        lines.insert(_span(node)[0], line)
        return "".join(lines)

    def laid_out(self, text: str) -> str:
        """The module as tools lay it out."""
        way = self.chance.choice(LAYOUTS)
        made = way(text)
        return made if is_valid(made) else text

    def _any(self, kind: Any, text: str) -> Any:
        tree = ast.parse(text)
        inside = {
            child
            for each in ast.walk(tree)
            if isinstance(each, ast.JoinedStr)
            for child in ast.walk(each)
        }
        found = [
            each
            for each in ast.walk(tree)
            if isinstance(each, kind)
            and each not in inside
            and hasattr(each, "lineno") | isinstance(each, ast.arguments)
        ]
        if not found:
            return None
        node = self.chance.choice(found)
        if isinstance(node, ast.arguments) and not (node.args or node.kwonlyargs):
            return None
        return node


def is_valid(text: str) -> bool:
    """True for a module that compiles."""
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(text, "module", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _tabs(text: str) -> str:
    inside = {
        line
        for each in _tokens(text)
        if each.type == tokenize.STRING
        for line in range(each.start[0] + 1, each.end[0] + 1)
    }
    lines = text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        if at + 1 not in inside:
            width = len(line) - len(line.lstrip(" "))
            lines[at] = "\t" * (width // 4) + " " * (width % 4) + line.lstrip(" ")
    return "".join(lines)


def _sorted_imports(text: str) -> str:
    """One name in each import, in an order of their own, as isort may be set."""
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    nodes = [each for each in tree.body if isinstance(each, ast.ImportFrom)]
    made = []
    for node in nodes:
        if "#" in "".join(lines[node.lineno - 1 : node.end_lineno]):
            return text
        module = "." * node.level + (node.module or "")
        made += [
            f"from {module} import {each.name}"
            + (f" as {each.asname}" if each.asname else "")
            for each in node.names
        ]
    for node in reversed(nodes):
        del lines[node.lineno - 1 : node.end_lineno]
    if not nodes:
        return text
    lines.insert(nodes[0].lineno - 1, "\n".join(sorted(made)) + "\n")
    return "".join(lines)


def _by_black(length: int, **more: bool) -> Callable[[str], str]:
    def laid(text: str) -> str:
        try:
            return by_black(text, PLAIN._replace(line_length=length, **more))
        except ValueError:  # black refuses some of the code that people write
            return text

    return laid


LAYOUTS: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: text,
    lambda text: text.replace("\n", "\r\n"),
    lambda text: "\ufeff" + text,
    lambda text: text.rstrip("\n"),
    lambda text: "\n\n" + text + "\n\n\n",
    lambda text: "# SPDX-License-Identifier: MIT\n\n" + text,
    lambda text: "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n" + text,
    lambda text: text.replace("\n\n\n", "\n\x0c\n\n"),
    _tabs,
    _sorted_imports,
    _by_black(60),
    _by_black(79),
    _by_black(120),
    _by_black(100, keeps_trailing_commas=False),
    lambda text: _tabs(_by_black(120)(text)).replace("\n", "\r\n"),
)


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    try:
        return list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return []


def _span(node: Any) -> tuple[int, int]:
    """The lines of a statement, by their indexes."""
    first = min([node.lineno, *(e.lineno for e in getattr(node, "decorator_list", ()))])
    return first - 1, node.end_lineno


def _indented(code: str, indent: str) -> str:
    return "\n".join(
        indent + line if line.strip() else line for line in code.split("\n")
    )


def _ended(lines: list[str]) -> str:
    return "".join(each if each.endswith("\n") else each + "\n" for each in lines)


def _offset(text: str, place: tuple[int, int]) -> int:
    """The index of a place: a line, from 1, and a column in bytes of UTF-8."""
    lines = text.split("\n")
    line = lines[place[0] - 1]
    column = len(line.encode()[: place[1]].decode(errors="ignore"))
    return sum(len(each) + 1 for each in lines[: place[0] - 1]) + column


def _spliced(
    text: str, start: tuple[int, int], end: tuple[int, int], piece: str
) -> str:
    return text[: _offset(text, start)] + piece + text[_offset(text, end) :]


def _replaced(text: str, node: Any, piece: str) -> str:
    start = node.lineno, node.col_offset
    return _spliced(text, start, (node.end_lineno, node.end_col_offset), piece)


def words_of(text: str, word: str) -> Iterator[str]:
    """The words that were added to a module, as often as they are there."""
    return iter(re.findall(rf"\b{word}_\d+\w*", text))
