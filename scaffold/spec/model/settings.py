"""Settings and options: their types, records and defaults, and values per alert level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from scaffold.expressions.code import Code, Type
from scaffold.names import constant, identifier, snake_case


@dataclass(frozen=True)
class FieldType:
    """A type of settings and options.

    Attributes:
        name: its name in specs.
        base: type of its values in expressions.
        empty: value of a field that is not set.
        record: description of the records of a list, or None.
    """

    name: str
    base: Type
    empty: Any
    record: Record | None = None

    @property
    def is_template(self) -> bool:
        """True for a template, and for a list or a map of them."""
        return "template" in self.name

    @property
    def unrendered(self) -> Type:
        """Type of its values outside of an event, where templates are not rendered."""
        if self.name == "template":
            return Type.TEMPLATE
        return Type.TEMPLATES if self.is_template else self.base


TYPES = {
    each.name: each
    for each in (
        FieldType("str", Type.STR, ""),
        FieldType("secret", Type.SECRET, ""),
        FieldType("int", Type.INT, 0),
        FieldType("float", Type.FLOAT, 0.0),
        FieldType("bool", Type.BOOL, False),
        FieldType("duration", Type.DURATION, 0),
        FieldType("url", Type.STR, ""),
        FieldType("list[str]", Type.LIST, ()),
        FieldType("map[str]", Type.MAP, {}),
        FieldType("any", Type.ANY, ""),
        FieldType("list[any]", Type.VALUES, ()),
        FieldType("map[any]", Type.FIELDS, {}),
        FieldType("template", Type.STR, ""),
        FieldType("list[template]", Type.LIST, ()),
        FieldType("map[template]", Type.MAP, {}),
        FieldType("flag", Type.BOOL, False),
    )
}
FIELD_TYPES = tuple(name for name in TYPES if name != "flag")
"""The types of fields and of the configuration; options alone may be flags."""
UNKNOWN_TYPE = FieldType("unknown", Type.ANY, "")
"""Placeholder of a wrong type, so that one mistake is one fault."""
LEVEL_TYPE = FieldType("level", Type.LEVEL, "CRITICAL")
RECORD_TYPES = (*("str", "int", "float", "bool", "duration", "url", "any", "template"),)
"""The types of the fields of records."""
ARGUMENT_TYPES = ("str", "secret", "int", "float", "duration", "url", "list[str]")
"""The types of options that the handler's own arguments can fill."""
TYPE_ALIASES = {"string": "str", "list": "list[str]", "map": "map[str]"}


# names that the body of a class of settings uses
_TAKEN = (
    *(
        "call",
        "call_fields",
        "bool",
        "dict",
        "field",
        "float",
        "int",
        "object",
        "self",
        "setting",
        "str",
    ),
    "tuple",
)


@dataclass(frozen=True)
class Setting:
    """A named value of the configuration file or of a handler.

    Attributes:
        key: its name in TOML, or in a handler's options.
        type: its type.
        default: value where it is not set; nanoseconds for durations.
        doc: its purpose, in the author's words, or "".
        example: value that the author gives for tests, or None.
        formerly: its deprecated keys.
        scope: the names that its templates may use; none: the usual ones.
    """

    key: str
    type: FieldType
    default: Any
    doc: str = ""
    example: Any = None
    formerly: tuple[str, ...] = ()
    scope: tuple[str, ...] = ()

    # members of the classes of such settings
    taken: ClassVar[tuple[str, ...]] = ()

    @cached_property
    def name(self) -> str:
        """Its name in Python; one that its class has already gets an underscore."""
        name = identifier(snake_case(self.key))
        return f"{name}_" if name in (*_TAKEN, *self.taken) else name

    @property
    def is_secret(self) -> bool:
        """True if it must never be shown."""
        return self.type.base is Type.SECRET


@dataclass(frozen=True)
class RecordField(Setting):
    """A field of a record.

    Attributes:
        is_optional: true if it may be missing.
    """

    is_optional: bool = False


@dataclass(frozen=True)
class Record:
    """The form of the records in a list.

    Attributes:
        class_name: the class of the generated code.
        key: the setting or option that it is described at.
        fields: its fields, those that may be missing last.
        is_configured: true if it belongs to a setting.
    """

    class_name: str
    key: str
    fields: tuple[RecordField, ...]
    is_configured: bool = False

    def is_like(self, other: Record | None) -> bool:
        """True if another record has the same fields."""
        return other is not None and self.fields == other.fields


@dataclass(frozen=True)
class ConfigField(Setting):
    """A setting in the handler's section of the configuration file.

    Attributes:
        required: "", "enabled" or "always".
        error: error text if it is required and empty, or None.
        is_url: true if it must be a URL.
        check: condition that must hold, or None.
        check_error: error text if the condition does not hold; None for the reason that a
            value is not a URL.
    """

    taken: ClassVar[tuple[str, ...]] = ("validate", "instances")

    required: str = ""
    error: Code | None = None
    is_url: bool = False
    check: Code | None = None
    check_error: Code | None = None


@dataclass(frozen=True)
class Option(Setting):
    """An option of one handler.

    Attributes:
        tick: its TICKscript property, or None.
        former_ticks: deprecated names of that property.
        fallback: value used where it is empty, or None.
        is_bound_early: true if the fallback is evaluated when the handler is created.
        aliases: its other names.
        alias_of: key of the option that this is an alias of, or "".
        own_name: its Python name if the usual one is taken, or "".
        is_argument: true if the handler's own arguments fill it.
        local: variable of generated code with its rendered text, or "".
    """

    taken: ClassVar[tuple[str, ...]] = (
        "go_type",
        "node",
        "resolve",
        "validate",
    )

    tick: str | None = None
    former_ticks: tuple[str, ...] = ()
    fallback: Code | None = None
    is_bound_early: bool = False
    aliases: tuple[str, ...] = ()
    alias_of: str = ""
    own_name: str = ""
    is_argument: bool = False
    local: str = ""

    @cached_property
    def name(self) -> str:
        """Its name in Python."""
        return self.own_name or super().name


@dataclass(frozen=True)
class LevelMap:
    """A value for each alert level.

    Attributes:
        key: its name in expressions: `color` in `level.color`.
        values: values by level.
        default: value of the other levels.
    """

    key: str
    values: Mapping[str, Any]
    default: Any

    @property
    def constant(self) -> str:
        """The constant of the generated module."""
        return constant(self.key)


def scope_constants(
    settings: Iterable[Setting], levels: Iterable[LevelMap]
) -> dict[tuple[str, ...], str]:
    """The constants of scopes: `SCOPE`, or after the first setting of each of several."""
    first: dict[tuple[str, ...], str] = {}
    for each in settings:
        if each.scope:
            first.setdefault(each.scope, each.key)
    taken = {each.constant for each in levels}
    names: dict[tuple[str, ...], str] = {}
    for scope, key in first.items():
        name = "SCOPE" if len(first) == 1 else f"{constant(key)}_SCOPE"
        while name in {*taken, *names.values()}:
            name += "_NAMES"
        names[scope] = name
    return names
