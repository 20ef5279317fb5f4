"""The values of a spec as code: strings with `${…}`, tables with `"key?"`, loops."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scaffold.expressions.code import (
    Code,
    Entry,
    ExpressionError,
    Type,
    called,
    name_node,
)
from scaffold.expressions.compiler import (
    Scope,
    compile_expression,
    compile_pieces,
    list_type,
)
from scaffold.spec.loops import Head, is_identity, read_head, unlooped
from scaffold.spec.model.requests import Loop
from scaffold.spec.reader import Path, Reader, noun_of
from scaffold.spec.strings import EMPTY, joined, printable, with_quotes
from scaffold.spec.variables import LOOP

_NUMBER_BITS = 64
_TEMPLATE = re.compile(r"\{\{-?\s*\.?\w[^{}]*\}\}")
_IF, _VALUE = "@if", "@value"
_MAP_LOOP = '{ "@for" = "k, v in MAP", "${k}" = "${v}" }'


class Values:
    """Compiles the values of one scope; faults go to the reader.

    Attributes:
        scope: names that expressions may use.
    """

    def __init__(
        self, reader: Reader, scope: Scope, *, is_repeated: bool = False
    ) -> None:
        """Compile for a scope.

        Args:
            reader: collects faults.
            scope: names that expressions may use.
            is_repeated: true inside a loop, where keys may be made.
        """
        self._reader = reader
        self.scope = scope
        self._is_repeated = is_repeated

    def inside(self, scope: Scope) -> Values:
        """A compiler of values in another scope."""
        return Values(self._reader, scope, is_repeated=self._is_repeated)

    def expression(self, text: object, path: Path) -> Code:
        """A bare expression, as in `when`; `${…}` around it is allowed."""
        if not isinstance(text, str):
            problem = f"must be an expression in quotes, not {noun_of(text)}"
            self._reader.fault(path, problem)
            return self._failed(path)
        if text.strip().startswith("${"):
            return self.string(text, path)
        try:
            return compile_expression(text, self.scope)
        except ExpressionError as error:
            self._reader.failed(path, with_quotes(text, error))
            return EMPTY

    def _failed(self, path: Path) -> Code:
        self._reader.failed_at.add(path)
        return EMPTY

    def string(self, text: str, path: Path) -> Code:
        """A string; one that is exactly one `${…}` keeps its type."""
        try:
            return self._string(text, path)
        except ExpressionError as error:
            self._reader.failed(path, error)
        return EMPTY

    def text(self, value: object, path: Path) -> Code:
        """A value that becomes a string: part of a URL, a header, an error."""
        if not isinstance(value, (bool, int, float, str)):
            self._reader.fault(path, f"must be a string, not {noun_of(value)}")
            return self._failed(path)
        try:
            return printable(self.value(value, path)).as_text()
        except ExpressionError as error:
            self._reader.failed(path, error)
            return EMPTY

    def refuse_secrets(self, code: Code | None, path: Path) -> None:
        """Refuse secrets in a message."""
        if code is None:
            return
        for table in ("config", "opt"):
            for each in self.scope.tables.get(table, {}).values():
                if each.type is Type.SECRET and each.reads <= code.reads:
                    [key] = each.reads
                    self._reader.fault(path, f"would show the secret {key}")

    def value(self, value: object, path: Path) -> Code:
        """Any value, as it is sent."""
        match value:
            case str():
                return self._sent(value, path)
            case bool():
                return Code(ast.Constant(value), Type.BOOL)
            case int() if value.bit_length() < _NUMBER_BITS:
                return Code(ast.Constant(value), Type.INT)
            case float() if math.isfinite(value):
                return Code(ast.Constant(value), Type.FLOAT)
            case int() | float():
                self._reader.fault(path, "must be a finite number of 64 bits")
                return self._failed(path)
            case list():
                return self._list(value, path)
            case dict():
                return self.mapping(value, path)
        self._reader.fault(path, f"is {noun_of(value)}; write it in quotes")
        return self._failed(path)

    def _sent(self, text: str, path: Path) -> Code:
        try:
            return self.string(text, path).revealed()
        except ExpressionError as error:
            self._reader.failed(path, error)
        return EMPTY

    def mapping(
        self, table: Mapping[str, Any], path: Path, *, as_text: bool = False
    ) -> Code:
        """A table: `"key?"` is left out when empty, `"..."` merges maps.

        Args:
            table: the table.
            path: its place.
            as_text: true if all values become strings, as in forms.
        """
        keys: list[ast.expr | None] = []
        values: list[Code] = []
        entries: list[Entry] = []
        is_open = "..." in table
        given = [key for key in table if key not in ("...", LOOP, _IF, _VALUE)]
        has_optional_only = bool(given) and all(key.endswith("?") for key in given)
        has_fixed = "..." in table or not has_optional_only
        for key, value in table.items():
            place = (*path, key)
            if key == "...":
                merged = self.merged(value, place, as_text=as_text)
                keys += [None] * len(merged)
                values += merged
                continue
            if key in (LOOP, _IF, _VALUE):
                self._reader.fault(place, "is allowed only in the items of a list")
                continue
            name = self.key(key, place)
            is_optional = name != key
            made_key = self._made_key(name, place)
            is_open |= not isinstance(made_key, ast.Constant)
            code = (
                self.parameter(value, place, is_optional=is_optional)
                if as_text
                else self.value(value, place)
            )
            if isinstance(made_key, ast.Constant):
                entries.append(Entry(name, code.type, is_optional))
            # beside entries that are always there: an entry, or none
            is_entry = is_optional and has_fixed
            keys.append(None if is_entry else made_key)
            values.append(_entry(made_key, code) if is_entry else code)
        made: ast.expr = ast.Dict(keys, [each.node for each in values])
        if len(values) == 1 and isinstance(values[0].node, ast.DictComp):
            made = values[0].node
        if not has_fixed:
            made = ast.Call(name_node("without_empty"), [made], [])
        code = Code(made, Type.FIELDS, entries=tuple(entries), is_open=is_open).using(
            *values
        )
        return self._bounded(code, path)

    def key(self, key: str, path: Path) -> str:
        """The key of a table as it is sent, without the `?` that makes it optional."""
        if "${" in key and not self._is_repeated:
            self._reader.fault(
                path,
                "contains ${…}, but keys are sent as they are; merge a map, "
                f'"..." = {_MAP_LOOP}',
            )
        return key.removesuffix("?")

    def _made_key(self, key: str, path: Path) -> ast.expr:
        """A key as code; inside a loop it may have `${…}`."""
        if "${" not in key or not self._is_repeated:
            return ast.Constant(key)
        code = self.text(key, path)
        settings = sorted(code.reads)
        if settings:
            # renaming a setting would have to change the key of a table
            problem = (
                f"uses {settings[0]}; a key can use names of the loop and the event"
            )
            self._reader.fault(path, problem)
        return code.node

    def merged(self, value: object, path: Path, *, as_text: bool = False) -> list[Code]:
        """The maps of `"..."`: expressions, and loops over entries.

        Args:
            value: one of these, or a list of them.
            path: its place.
            as_text: true if the values that loops make become strings, as in forms.
        """
        if not isinstance(value, list):
            return [self._merged(value, path, as_text)]
        return [
            self._merged(each, (*path, index), as_text)
            for index, each in enumerate(value)
        ]

    def _bounded(self, code: Code, path: Path) -> Code:
        """Refuse tables and lists that become too large."""
        try:
            return code.bounded()
        except ExpressionError as error:
            self._reader.failed(path, error)
            return replace(code, weight=1)

    def parameter(self, value: object, path: Path, *, is_optional: bool) -> Code:
        """A value of a form, a query or a header: a string, or a list of values.

        An optional parameter is an empty string if its value is empty.
        """
        if isinstance(value, list):
            return self.value(value, path)
        if isinstance(value, str):
            code = self.string(value, path)
            if code.type in (Type.LIST, Type.VALUES):
                return code
        text = self.text(value, path)
        if not is_optional or not isinstance(value, str):
            return text
        code = self.string(value, path)
        if code.type in (Type.STR, Type.SECRET, Type.LEVEL):
            return text
        made = ast.IfExp(code.node, text.node, ast.Constant(""))
        return Code(made, Type.STR).using(text)

    def _merged(self, text: object, path: Path, as_text: bool) -> Code:
        if isinstance(text, dict):
            return self._map_loop(text, path, as_text)
        code = self.expression(text, path)
        if code.type is Type.ANY:
            return called("entries_of", code, Type.FIELDS)
        if code.type not in (Type.MAP, Type.FIELDS) and code is not EMPTY:
            self._reader.fault(path, f"must be a map, not {code.type.noun}")
        return code

    def _list(self, items: Sequence[object], path: Path) -> Code:
        codes: list[Code] = []
        for index, item in enumerate(items):
            place = (*path, index)
            if isinstance(item, dict) and LOOP in item:
                codes.append(self._loop(item, place))
            else:
                codes.append(self.value(item, place))
        if len(codes) == 1 and isinstance(codes[0].node, ast.ListComp):
            node = unlooped(codes[0].node)
            if node is not codes[0].node:
                node = ast.Call(name_node("list"), [node], [])
            return self._bounded(replace(codes[0], node=node), path)
        nodes = [
            (
                ast.Starred(unlooped(each.node), ast.Load())
                if isinstance(each.node, ast.ListComp)
                else each.node
            )
            for each in codes
        ]
        made = Code(ast.List(nodes, ast.Load()), list_type(codes)).using(*codes)
        return self._bounded(made, path)

    def _loop(self, item: Mapping[str, Any], path: Path) -> Code:
        """`{ "@for" = "x in expr", … }`: one item per element."""
        loop, inner, used = self._begun(item, path)
        rest = {key: value for key, value in item.items() if key not in (LOOP, _IF)}
        if set(rest) == {_VALUE}:
            element = inner.value(rest[_VALUE], (*path, _VALUE))
        else:
            element = inner.mapping(rest, path)
        made = ast.ListComp(element.node, [loop])
        type_ = list_type([element])
        return Code(made, type_).using(*used, element).times(used[0].weight)

    def _map_loop(self, item: Mapping[str, Any], path: Path, as_text: bool) -> Code:
        """`{ "@for" = "k, v in expr", "${k}" = "${v}" }`: one entry per element."""
        rest = {key: value for key, value in item.items() if key not in (LOOP, _IF)}
        if LOOP not in item:
            self._reader.fault(path, f"must be a map or a loop such as {_MAP_LOOP}")
            return self._failed(path)
        loop, inner, used = self._begun(item, path)
        if len(rest) != 1 or _VALUE in rest:
            problem = f"makes one entry of each item; write one key, as in {_MAP_LOOP}"
            self._reader.fault(path, problem)
            return self._failed(path)
        [(key, value)] = rest.items()
        place, name = (*path, key), key.removesuffix("?")
        if "${" not in key:
            problem = f"is the same key for each item; use its name, as in {_MAP_LOOP}"
            self._reader.fault(place, problem)
        made_key = inner._made_key(name, place)
        is_optional = name != key
        code = (
            inner.parameter(value, place, is_optional=is_optional)
            if as_text
            else inner.value(value, place)
        )
        if is_optional:
            loop.ifs.append(code.node)
        if is_identity(loop, made_key, code.node):
            # all entries unchanged: the map itself, without the loop's call of `items`
            assert isinstance(loop.iter, ast.Call)
            assert isinstance(loop.iter.func, ast.Attribute)
            return replace(used[0], node=loop.iter.func.value)
        made = ast.DictComp(made_key, code.node, [loop])
        type_ = Type.MAP if code.type is Type.STR else Type.FIELDS
        return Code(made, type_).using(*used, code).times(used[0].weight)

    def _begun(
        self, item: Mapping[str, Any], path: Path
    ) -> tuple[ast.comprehension, Values, list[Code]]:
        """A loop, the scope inside of it, and the code that it uses, the items first."""
        head = self._head(item[LOOP], (*path, LOOP))
        inner = Values(self._reader, head.scope, is_repeated=True)
        used, tests = [head.items], list[ast.expr]()
        if _IF in item:
            test = inner.expression(item[_IF], (*path, _IF))
            tests.append(test.node)
            used.append(test)
        return head.comprehension(tests), inner, used

    def repeated(self, text: object, path: Path) -> tuple[Loop, Values]:
        """The recipients of a request, and the scope of the request to one of them."""
        head = self._head(text, path)
        inner = Values(self._reader, head.scope, is_repeated=True)
        return Loop(tuple(head.variables), head.items), inner

    def _head(self, text: object, path: Path) -> Head:
        return read_head(self._reader, text, path, self.scope, self.expression)

    def _string(self, text: str, path: Path) -> Code:
        template = _TEMPLATE.search(text)
        if template:
            problem = f"{template[0]!r} is sent as it is; write ${{event.id}}"
            self._reader.warn(path, problem)
        codes = compile_pieces(text, self.scope)
        if not codes:
            return EMPTY
        return codes[0] if len(codes) == 1 else joined(codes)


def _entry(key: ast.expr, code: Code) -> Code:
    """A table with one entry, or none if its value is empty."""
    made = ast.Call(name_node("given"), [key, code.node], [])
    return Code(made, Type.FIELDS).using(code)
