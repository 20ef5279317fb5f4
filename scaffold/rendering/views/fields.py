"""Fields of dataclasses, as templates see them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from runtime.settings import camel_case
from runtime.units import HOUR, MILLISECOND, MINUTE, SECOND, go_duration
from scaffold.expressions.code import Type
from scaffold.spec.model import Option, Setting
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
        key: its name outside of Python where that does not follow from `name`, or None.
        is_scripted: `key` is a method of scripts, not a key of settings.
        formerly: its deprecated names outside of Python, or None.
        is_duration: the default is written as `field(default=…)`.
    """

    setting: Setting
    type_name: str
    default: ast.expr
    key: ast.expr | None = None
    is_scripted: bool = False
    is_duration: bool = False
    formerly: ast.expr | None = None

    @property
    def name(self) -> str:
        """Its name in Python."""
        return self.setting.name

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
        """True if that has items where nothing is set."""
        return not self.is_scripted and bool(self.setting.default)

    @property
    def has_text(self) -> bool:
        """True if it has a description."""
        return bool(self.doc) or self.has_fallback

    @property
    def has_fallback(self) -> bool:
        """True if another value replaces an empty one."""
        return isinstance(self.setting, Option) and self.setting.fallback is not None


def declared(setting: Setting) -> Field:
    """The field of a class that settings are decoded to."""
    is_odd = setting.name.rstrip("_").replace("_", "-") != setting.key
    default = default_node(setting)
    return Field(
        setting,
        setting.type.name,
        default,
        key=ast.Constant(setting.key) if is_odd else None,
        is_duration=setting.type.base is Type.DURATION,
        formerly=_names(setting.formerly),
    )


def scripted(option: Option) -> Field:
    """The field of a property's class: scripts hold secrets as plain text."""
    is_odd = option.tick != camel_case(option.name)
    default: ast.expr = ast.Constant("") if option.is_secret else default_node(option)
    if option.type.base is Type.DURATION:
        default = ast.Name("ZERO")
    elif option.type.base is Type.ANY:
        default = ast.Constant(None)
    return Field(
        option,
        "str" if option.is_secret else option.type.name,
        default,
        key=ast.Constant(option.tick) if is_odd else None,
        is_scripted=True,
        formerly=_names(option.former_ticks),
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
    match field.type.base:
        case Type.DURATION:
            return duration_node(field.default)
        case Type.LIST | Type.VALUES:
            return ast.Tuple([plain(each) for each in field.default])
        case Type.LEVEL:
            return ast.Attribute(ast.Name("Level"), field.default)
    return plain(field.default)


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
    return toml_text(list(value) if isinstance(value, tuple) else value)
