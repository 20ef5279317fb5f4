"""Fields of dataclasses, as templates see them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from runtime.settings import camel_case
from runtime.units import HOUR, MILLISECOND, MINUTE, SECOND, go_duration
from scaffold.expressions.code import Type
from scaffold.spec.model.settings import Option, RecordField, Setting
from scaffold.spec.toml import toml_text

_UNITS = (
    ("HOUR", HOUR),
    ("MINUTE", MINUTE),
    ("SECOND", SECOND),
    ("MILLISECOND", MILLISECOND),
)


@dataclass(frozen=True)
class Field:
    """A field of a dataclass with its default.

    Attributes:
        setting: its setting.
        type_name: its type, as specs call it.
        default: its default.
        key: its name outside of Python if that does not follow from `name`, or None.
        is_scripted: true if `key` is a method of scripts, not a key of settings.
        formerly: its deprecated names outside of Python, or None.
        is_call: true if the default is written as `field(default=…)`.
        is_required: true if it has no default.
        is_internal: true if no property of scripts sets it.
    """

    setting: Setting
    type_name: str
    default: ast.expr
    key: ast.expr | None = None
    is_scripted: bool = False
    formerly: ast.expr | None = None
    is_call: bool = False
    is_required: bool = False
    is_internal: bool = False

    @property
    def name(self) -> str:
        """Its name in Python."""
        return self.setting.name

    @property
    def record(self) -> str:
        """The class of the records in a list, or ""."""
        record = self.setting.type.record
        return record.class_name if record else ""

    @property
    def record_text(self) -> str:
        """The fields of the records in a list, in Markdown."""
        record = self.setting.type.record
        return ", ".join(
            f"`{each.key}`{' (optional)' if each.is_optional else ''}"
            for each in (record.fields if record else ())
        )

    @property
    def script(self) -> str:
        """The call that sets it in scripts, in Markdown."""
        if not isinstance(self.setting, Option):
            return "none"
        ways = ["argument"] if self.setting.is_argument else []
        if self.setting.tick:
            ways.append(f"`.{self.setting.tick}({self._arguments})`")
        return ", ".join(ways) or "none"

    @property
    def _arguments(self) -> str:
        text = ""
        record = self.setting.type.record
        for each in record.fields if record else ():
            between = ", " if text else ""
            is_optional = each.is_optional
            text += f"[{between}{each.key}]" if is_optional else f"{between}{each.key}"
        return text

    @property
    def doc(self) -> str:
        """Its meaning in the author's words, or ""."""
        return self.setting.doc

    @property
    def is_secret(self) -> bool:
        """True if it must not be shown."""
        return self.type_name == "secret"

    @property
    def is_own(self) -> bool:
        """True if each object has a map or a list of its own."""
        holders = (Type.MAP, Type.FIELDS)
        is_data = isinstance(self.default, ast.Dict | ast.List)
        return is_data or self.setting.type.base in holders

    @property
    def is_data(self) -> bool:
        """True if its values may have any type."""
        return self.type_name in ("any", "map[any]")

    @property
    def has_items(self) -> bool:
        """True if the map or list has items by default."""
        return not self.is_scripted and bool(self.setting.default)

    @property
    def has_text(self) -> bool:
        """True if it has a description."""
        return bool(self.doc) or self.has_fallback

    @property
    def has_fallback(self) -> bool:
        """True if a configured value replaces an empty one."""
        if not isinstance(self.setting, Option) or self.setting.fallback is None:
            return False
        return bool(self.setting.fallback.reads)


def declared(setting: Setting) -> Field:
    """The field of a class that settings are decoded to."""
    is_odd = setting.name.rstrip("_").replace("_", "-") != setting.key
    default = default_node(setting)
    return Field(
        setting,
        setting.type.name,
        default,
        key=ast.Constant(setting.key) if is_odd else None,
        formerly=_names(setting.formerly),
        is_call=_is_call(setting),
    )


def recorded(field: RecordField) -> Field:
    """The field of a record's class."""
    return replace(declared(field), is_required=not field.is_optional)


def _is_call(setting: Setting) -> bool:
    """True if the default makes an object."""
    is_template = setting.type.name == "template" and bool(setting.default)
    return is_template or setting.type.base is Type.DURATION


def scripted(option: Option) -> Field:
    """The field of a property's class: scripts hold secrets as plain text."""
    is_odd = option.tick != camel_case(option.name)
    default: ast.expr = ast.Constant("") if option.is_secret else default_node(option)
    if option.type.base is Type.DURATION:
        default = ast.Name("ZERO")
    elif option.type.base is Type.ANY:
        default = ast.Constant(None)
    elif option.type.base in (Type.LIST, Type.VALUES, Type.RECORDS):
        default = ast.Tuple([])
    return Field(
        option,
        "str" if option.is_secret else option.type.name,
        default,
        key=ast.Constant(option.tick) if is_odd and option.tick else None,
        is_scripted=True,
        formerly=_names(option.former_ticks),
        is_call=option.type.name == "template" and bool(option.default),
        is_internal=option.tick is None,
    )


def _names(names: Iterable[str]) -> ast.expr | None:
    """Names as a tuple, or None without any."""
    made: list[ast.expr] = [ast.Constant(each) for each in names]
    return ast.Tuple(made) if made else None


def has_docs(fields: Iterable[Field]) -> bool:
    """True if one of them has a description."""
    return any(field.has_text for field in fields)


def default_node(field: Setting) -> ast.expr:
    """The default of a field, as code."""
    if field.type.base is Type.LEVEL:
        return ast.Attribute(ast.Name("Level"), field.default)
    return value_node(field, field.default)


def value_node(field: Setting, value: Any) -> ast.expr:
    """A value of a field, as code; a secret is not wrapped."""
    make = template_node if field.type.is_template else plain
    match field.type.base:
        case Type.DURATION:
            return duration_node(value)
        case Type.RECORDS:
            return ast.Tuple([_record_node(field, each) for each in value])
        case Type.LIST | Type.VALUES:
            items = [make(each) for each in value]
            if len(items) > 2 and all(each == value[0] for each in value):
                return ast.BinOp(
                    ast.Tuple(items[:1]), ast.Mult(), ast.Constant(len(items))
                )
            return ast.Tuple(items)
        case Type.MAP if field.type.is_template:
            keys: list[ast.expr | None] = [ast.Constant(key) for key in value]
            return ast.Dict(keys, [make(each) for each in value.values()])
    return make(value)


def template_node(source: str) -> ast.expr:
    """A template, as code."""
    if not source:
        return ast.Name("NO_TEMPLATE")
    return ast.Call(ast.Name("Template"), [ast.Constant(source)], [])


def _record_node(field: Setting, values: Mapping[str, Any]) -> ast.expr:
    record = field.type.record
    assert record is not None
    given = [
        ast.keyword(each.name, value_node(each, values[each.key]))
        for each in record.fields
        if each.key in values
    ]
    return ast.Call(ast.Name(record.class_name), [], given)


def plain(value: Any) -> ast.expr:
    """TOML data as a Python literal."""
    match value:
        case dict():
            keys: list[ast.expr | None] = [ast.Constant(key) for key in value]
            return ast.Dict(keys, [plain(each) for each in value.values()])
        case list() | tuple():
            return ast.List([plain(each) for each in value])
    return ast.Constant(value)


def duration_node(value: int) -> ast.expr:
    """A duration as `Duration(90 * SECOND)`."""
    amount: ast.expr = ast.Constant(value)
    for name, size in _UNITS:
        if value and value % size == 0:
            amount = ast.Name(name)
            if value != size:
                amount = ast.BinOp(ast.Constant(value // size), ast.Mult(), amount)
            break
    return ast.Call(ast.Name("Duration"), [amount], [])


def toml_literal(field: Setting) -> str:
    """The default of a field in TOML."""
    return toml_value(field, field.default)


def toml_value(field: Setting, value: Any) -> str:
    """A value of a field in TOML."""
    if field.type.base is Type.DURATION:
        return toml_text(go_duration(value))
    if field.type.record is not None:
        fields = {each.key: each for each in field.type.record.fields}
        tables = [
            ", ".join(
                f"{key} = {toml_value(fields[key], each)}"
                for key, each in record.items()
            )
            for record in value
        ]
        return f"[{', '.join(f'{{ {table} }}' for table in tables)}]"
    return toml_text(list(value) if isinstance(value, tuple) else value)
