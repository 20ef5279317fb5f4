"""The values of a spec as code: strings with `${…}`, tables with `"key?"`, loops."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from scaffold.expressions.code import (
    Code,
    Entry,
    ExpressionError,
    Type,
    UnresolvedError,
    dotted,
    method,
    name_node,
    rendered,
)
from scaffold.expressions.compiler import (
    Scope,
    compile_expression,
    compile_pieces,
    list_type,
)
from scaffold.expressions.functions import FUNCTIONS, RUNTIME
from scaffold.names import identifier, key_faults, words
from scaffold.spec.model.requests import Loop
from scaffold.spec.reader import Path, Reader, noun_of

_PLAIN = Code(ast.Constant(""), Type.STR)
_LOOPED = (
    Type.LIST, Type.VALUES, Type.MAP, Type.FIELDS, Type.RECORDS, Type.ANY,
)  # fmt: skip
_NUMBER_BITS = 64
RESERVED = words("""
    self config options event body headers query response text encode join dumps get
    opt level server delivery now let status reply error str len url request form below go_duration
    bool render_all render_values
    """) | {*FUNCTIONS, *RUNTIME}
"""Names that the methods that send and read use already."""
_TEMPLATE = re.compile(r"\{\{-?\s*\.?\w[^{}]*\}\}")
# a string whose inner quotes were forgotten
_WORDS = re.compile(r"[#@]?\w+(?:[ -]+\w+)*")
LOOP = "@for"
_IF, _VALUE = "@if", "@value"
_MAP_LOOP = '{ "@for" = "k, v in MAP", "${k}" = "${v}" }'
_MOST_NAMES = 2


def variables(value: object) -> Iterator[str]:
    """The variables that a spec makes: its lets, steps, and the names of its loops."""
    if isinstance(value, dict):
        lets = value.get("let", {})
        yield from map(identifier, lets if isinstance(lets, dict) else ())
        yield from _steps(value.get("request"))
        if "remember" in value:
            yield "memory"
        loop = value.get(LOOP)
        if isinstance(loop, str):
            yield from _loop_names(loop)
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from variables(each)


def _loop_names(text: str) -> list[str]:
    """The names that a loop defines: `x`, or `k` and `v`."""
    return [each.strip() for each in text.strip().partition(" in ")[0].split(",")]


def _steps(tables: object) -> Iterator[str]:
    for each in tables if isinstance(tables, list) else ():
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            yield identifier(each["name"])


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
            self._reader.failed(path, _with_quotes(text, error))
            return _PLAIN

    def _failed(self, path: Path) -> Code:
        self._reader.failed_at.add(path)
        return _PLAIN

    def string(self, text: str, path: Path) -> Code:
        """A string; one that is exactly one `${…}` keeps its type."""
        try:
            return self._string(text, path)
        except ExpressionError as error:
            self._reader.failed(path, error)
        return _PLAIN

    def text(self, value: object, path: Path) -> Code:
        """A value that becomes a string: part of a URL, a header, an error."""
        if not isinstance(value, (bool, int, float, str)):
            self._reader.fault(path, f"must be a string, not {noun_of(value)}")
            return self._failed(path)
        try:
            return _printable(self.value(value, path)).as_text()
        except ExpressionError as error:
            self._reader.failed(path, error)
            return _PLAIN

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
        return _PLAIN

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
        if code.type not in (Type.MAP, Type.FIELDS) and code is not _PLAIN:
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
            node = _unlooped(codes[0].node)
            if node is not codes[0].node:
                node = ast.Call(name_node("list"), [node], [])
            return self._bounded(replace(codes[0], node=node), path)
        nodes = [
            (
                ast.Starred(_unlooped(each.node), ast.Load())
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
        if _is_same(loop, made_key, code.node):
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
        variables, scope, sequence = self._loop_parts(item[LOOP], (*path, LOOP))
        inner = Values(self._reader, scope, is_repeated=True)
        used, tests = [sequence], list[ast.expr]()
        if _IF in item:
            test = inner.expression(item[_IF], (*path, _IF))
            tests.append(test.node)
            used.append(test)
        names: list[ast.expr] = [ast.Name(each, ast.Store()) for each in variables]
        target = names[0] if len(names) == 1 else ast.Tuple(names, ast.Store())
        return ast.comprehension(target, sequence.node, tests, 0), inner, used

    def repeated(self, text: object, path: Path) -> tuple[Loop, Values]:
        """The recipients of a request, and the scope of the request to one of them."""
        variables, scope, sequence = self._loop_parts(text, path)
        inner = Values(self._reader, scope, is_repeated=True)
        return Loop(tuple(variables), sequence), inner

    def _loop_parts(self, text: object, path: Path) -> tuple[list[str], Scope, Code]:
        """The variables of a loop in Python, the scope inside of it, and its items."""
        names = _loop_names(text) if isinstance(text, str) else [""]
        expression = text.strip().partition(" in ")[2] if isinstance(text, str) else ""
        if (
            not expression
            or len(names) > _MOST_NAMES
            or any(key_faults(each, "") or identifier(each) != each for each in names)
        ):
            problem = f"{text!r} is not a loop; write 'x in EXPRESSION'"
            hint = ", or 'k, v in EXPRESSION' for a map" if "," in str(text) else ""
            self._reader.fault(path, f"{problem}{hint}")
            names, code = ["item"], _PLAIN
            return names, _with_item(self.scope, "item", "item", code), code
        for each in names:
            if each in self.scope.names or each in {*self.scope.tables, *RESERVED}:
                self._reader.fault(
                    path, f"{each!r} is already defined; use another name"
                )
        code = self.expression(expression, path)
        if len(names) == _MOST_NAMES:
            return names, *self._entries(names, code, path)
        if code is not _PLAIN and code.type not in _LOOPED:
            self._reader.fault(
                path, f"loops over {code.type.noun}; use a list or a map"
            )
        [name] = names
        # linters take `l` for a one
        variable = "item" if name == "l" and "item" not in self.scope.tables else name
        items = called("items_of", code, Type.ANY) if code.type is Type.ANY else code
        return [variable], _with_item(self.scope, name, variable, items), items

    def _entries(
        self, names: Sequence[str], code: Code, path: Path
    ) -> tuple[Scope, Code]:
        """The scope of a loop over the entries of a map, and these entries."""
        key, value = names
        if key == value:
            self._reader.fault(path, f"{key!r} occurs twice; use two names")
        if code.type is Type.ANY:
            code = called("entries_of", code, Type.FIELDS)
        elif code.type not in (Type.MAP, Type.FIELDS) and code is not _PLAIN:
            problem = f"'{key}, {value}' needs a map, not {code.type.noun}"
            self._reader.fault(path, problem)
        type_ = Type.STR if code.type is Type.MAP else Type.ANY
        scope = self.scope.with_name(key, Code(name_node(key), Type.STR))
        scope = scope.with_name(value, Code(name_node(value), type_))
        return scope, replace(code, node=method(code.node, "items"))

    def _string(self, text: str, path: Path) -> Code:
        template = _TEMPLATE.search(text)
        if template:
            problem = f"{template[0]!r} is sent as it is; write ${{event.id}}"
            self._reader.warn(path, problem)
        codes = compile_pieces(text, self.scope)
        if not codes:
            return _PLAIN
        return codes[0] if len(codes) == 1 else _joined(codes)


def _unlooped(node: ast.ListComp) -> ast.expr:
    """The items of a loop that leaves all of them unchanged; else the loop."""
    [loop] = node.generators
    is_plain = isinstance(loop.target, ast.Name) and not loop.ifs
    if is_plain and ast.unparse(node.elt) == ast.unparse(loop.target):
        return loop.iter
    return node


def _is_same(loop: ast.comprehension, key: ast.expr, value: ast.expr) -> bool:
    """True if a loop over entries leaves all of them unchanged."""
    match loop.target:
        case ast.Tuple(elts=names):
            entry = [ast.unparse(each) for each in (key, value)]
            return not loop.ifs and entry == [ast.unparse(each) for each in names]
    return False


def _with_item(scope: Scope, name: str, variable: str, sequence: Code) -> Scope:
    """The scope with the name of an item of a sequence, a variable in Python."""
    if sequence.type is not Type.RECORDS:
        type_ = Type.STR if sequence.type in (Type.LIST, Type.MAP) else Type.ANY
        return scope.with_name(name, Code(name_node(variable), type_))
    fields = {}
    for item in sequence.items:
        node = dotted(f"{variable}.{item.attribute}")
        is_template = item.type is Type.TEMPLATE
        code = (
            rendered(node, Type.STR, item.scope)
            if is_template
            else Code(node, item.type)
        )
        fields[item.name] = code
    return replace(scope, tables={**scope.tables, name: fields})


def called(name: str, code: Code, type_: Type) -> Code:
    """Code that calls a function of the runtime with a value."""
    made = ast.Call(name_node(name), [code.node], [])
    return Code(made, type_).using(code)


def _printable(code: Code) -> Code:
    """The code.

    Raises:
        ExpressionError: it is a list or a map, which endpoints cannot read in Go's format.
    """
    if code.type in (Type.LIST, Type.VALUES, Type.MAP, Type.FIELDS):
        hint = "join(…, ', ')" if code.type in (Type.LIST, Type.VALUES) else "json(…)"
        raise ExpressionError(
            f"is {code.type.noun} inside a string; use ${{{hint}}}, "
            "or ${text(…)} to print it as Go does"
        )
    return code


def _with_quotes(text: str, error: ExpressionError) -> ExpressionError:
    """The error; for words without quotes, with a hint on writing a string."""
    is_words = _WORDS.fullmatch(text.strip()) is not None
    if not is_words or error.suggestion or isinstance(error, UnresolvedError):
        return error
    hint = f"""{error}; write a string as "'{text.strip()}'\""""
    return ExpressionError(hint, error.allowed)


def _joined(codes: Sequence[Code]) -> Code:
    """Strings and values as one string: an f-string, or a sum where quotes would clash.

    The choice does not depend on the contents of the strings.
    """
    codes = [_printable(code) for code in codes]
    shown = [
        code if code.type in (Type.STR, Type.INT) else code.as_text() for code in codes
    ]
    if any(_holds_text(code.node) for code in shown):
        texts = [code.as_text() for code in shown]
        node = texts[0].node
        for each in texts[1:]:
            node = ast.BinOp(node, ast.Add(), each.node)
        return Code(node, Type.STR).using(*texts).bounded()
    values: list[ast.expr] = [
        (
            code.node
            if isinstance(code.node, ast.Constant) and code.type is Type.STR
            else formatted(code.node)
        )
        for code in shown
    ]
    return Code(ast.JoinedStr(values), Type.STR).using(*shown).bounded()


def formatted(node: ast.expr) -> ast.FormattedValue:
    """A value inside an f-string; `{level!s}` instead of `{str(level)}`."""
    match node:
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return ast.FormattedValue(inner, ord("s"), None)
    return ast.FormattedValue(node, -1, None)


def _holds_text(node: ast.expr) -> bool:
    """True if an expression that is not a string itself contains a string."""
    if isinstance(node, ast.Constant):
        return False
    return any(
        isinstance(each, ast.JoinedStr)
        or (isinstance(each, ast.Constant) and isinstance(each.value, str))
        for each in ast.walk(node)
    )


def _entry(key: ast.expr, code: Code) -> Code:
    """A table with one entry, or none if its value is empty."""
    made = ast.Call(name_node("given"), [key, code.node], [])
    return Code(made, Type.FIELDS).using(code)
