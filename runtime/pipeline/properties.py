"""Properties of a class in TICKscript, read from its fields and marked methods.

A dataclass field is a property by its type:

* `str int float Duration LambdaNode object`: a value, `.period(10s)`;
* `bool`: a flag that is set by a call without arguments, `.align()`;
* `tuple[T, ...]`: any number of values, `.as('a', 'b')`;
* `dict[str, T]`: a name and a value, repeatable, `.tag('a', 'b')`;
* `tuple[tuple[str, ...], ...]`: a record per call, repeatable, `.link('a', 'b')`;
* `tuple[R, ...]`, where `R` is a dataclass: an `R` per call, with arguments as fields.

The properties of an `OptionOwner` are options of a handler: a repeated call adds to a
list, `object` is a value that JSON can represent, and a `Template` is parsed by the call.

Other properties are methods marked with `property_method`. Error texts are those of Go's
reflection, which Kapacitor shows to its users.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from runtime.alert.templates import Template
from runtime.errors import ConfigError, ScriptError
from runtime.golang.printing import text
from runtime.golang.templates import TemplateError
from runtime.lazy import Lazy
from runtime.references import loaded
from runtime.settings import former_names, is_required, key_of, tick_of
from runtime.tick import ast
from runtime.units import SECOND, Duration

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., object])

_GO_TYPES: dict[object, str] = {
    str: "string",
    int: "int64",
    float: "float64",
    bool: "bool",
    Duration: "time.Duration",
    list: "[]interface {}",
    ast.RegexNode: "*regexp.Regexp",
    object: "interface {}",
}


# Metadata of fields that are not properties.
INTERNAL: Mapping[str, object] = {"internal": True}

ZERO = Duration(0)
ONE_SECOND = Duration(SECOND)
TEN_SECONDS = Duration(10 * SECOND)


class OptionOwner:
    """Base of classes whose properties are the options of a handler."""

    __slots__ = ()


class Kind(enum.Enum):
    """The effect of calling a property."""

    VALUE = enum.auto()
    FLAG = enum.auto()
    VARIADIC = enum.auto()
    PAIRS = enum.auto()
    RECORDS = enum.auto()
    METHOD = enum.auto()
    HANDLER = enum.auto()


class DoubleQuotesError(ScriptError):
    """A reference is used in place of a string; the text does not name the call."""

    def __init__(self) -> None:
        super().__init__(
            "cannot assign *ast.ReferenceNode to type string,"
            " did you use double quotes instead of single quotes?"
        )


def internal(default: T) -> T:
    """A field that is not a property."""
    made: T = dataclasses.field(default=default, metadata=INTERNAL)
    return made


def switch(*, default: bool = False, tick: str | None = None) -> bool:
    """A bool that is set with an argument, `.delete(TRUE)`."""
    metadata = {"switch": True, "tick": tick}
    made: bool = dataclasses.field(default=default, metadata=metadata)
    return made


def property_method(name: str) -> Callable[[F], F]:
    """Mark a method as the TICKscript property `name`."""

    def mark(method: F) -> F:
        vars(method)["tick"] = name
        return method

    return mark


def go_type(value: object) -> str:
    """The type of a script's value as Go prints it."""
    name = _GO_TYPES.get(type(value))
    if name is not None:
        return name
    if isinstance(value, ast.Node):
        return f"*ast.{type(value).__name__}"
    return str(getattr(value, "go_type", type(value).__name__))


def check_data(value: object) -> None:
    """Check that a script's value can be an option of any type.

    Raises:
        ScriptError: JSON cannot represent the value.
    """
    if isinstance(value, list):
        for each in value:
            check_data(each)
        return
    if isinstance(value, ast.ReferenceNode):
        raise DoubleQuotesError
    if type(value) not in (str, bool, int, float, Duration):
        raise ScriptError(
            f"cannot use {go_type(value)} as an option; use a string, number, boolean, "
            "duration or a list of these"
        )


def check_defaults(fields: Mapping[str, object]) -> None:
    """Check that default values can be values of fields.

    Raises:
        ScriptError: one is of another type.
    """
    for name, value in fields.items():
        if type(value) not in (float, int, str, bool):
            raise ScriptError(
                f'unsupported type {go_type(value)} for field "{name}", field'
                " default values must be float,int,string or bool"
            )


def _go_name(wanted: object) -> str:
    name = _GO_TYPES.get(wanted)
    if name is not None:
        return name
    class_name = getattr(wanted, "__name__", str(wanted))
    if isinstance(wanted, type) and issubclass(wanted, ast.Node):
        return f"*ast.{class_name}"
    return f"pipeline.{class_name}"


def _fits(value: object, wanted: object) -> bool:
    if wanted is object or type(value) is wanted:
        return True
    # bool and Duration are ints in Python, but not in a script
    return (
        isinstance(wanted, type)
        and wanted not in _GO_TYPES
        and isinstance(value, wanted)
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Signature:
    """The types of a call's arguments.

    Attributes:
        fixed: types of the required arguments.
        rest: type of any number of further arguments; None if no more are allowed.
    """

    fixed: tuple[object, ...] = ()
    rest: object | None = None

    def check(self, arguments: Sequence[object]) -> None:
        """Compare `arguments` with the signature.

        Raises:
            ScriptError: their number or a type is wrong.
        """
        count = len(self.fixed)
        if len(arguments) < count:
            raise ScriptError("reflect: Call with too few input arguments")
        if self.rest is None and len(arguments) > count:
            raise ScriptError("reflect: Call with too many input arguments")
        for value, wanted in zip(arguments, self.fixed, strict=False):
            if not _fits(value, wanted):
                _refuse_reference(value, wanted)
                raise ScriptError(
                    f"reflect: Call using {go_type(value)} as type {_go_name(wanted)}"
                )
        for value in arguments[count:]:
            if not _fits(value, self.rest):
                _refuse_reference(value, self.rest)
                raise ScriptError(
                    f"reflect: cannot use {go_type(value)} as type"
                    f" {_go_name(self.rest)} in Call"
                )


def _refuse_reference(value: object, wanted: object) -> None:
    if wanted is str and isinstance(value, ast.ReferenceNode):
        raise DoubleQuotesError


@functools.cache
def signature_of(function: Callable[..., object]) -> Signature:
    """The types of a function's arguments after the first, which is the node."""
    hints = typing.get_type_hints(function)
    _, *parameters = inspect.signature(function).parameters.values()
    fixed, rest = [], None
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            rest = hints[parameter.name]
        else:
            fixed.append(hints[parameter.name])
    return Signature(tuple(fixed), rest)


@dataclasses.dataclass(frozen=True, slots=True)
class Property:
    """One property of a class.

    Attributes:
        name: name in TICKscript.
        kind: effect of a call.
        attribute: the field or method behind it.
        signature: the types of its arguments.
        append: a repeated call adds to the values of earlier calls.
        handler: the class of the handler that the call adds to its alert node.
        is_data: its arguments must be values that JSON can represent.
        present: the property's present name if `name` is a former one, else "".
        record: the dataclass of which a call creates a value, or None.
        is_template: its values are templates.
    """

    name: str
    kind: Kind
    attribute: str
    signature: Signature
    append: bool = False
    handler: type[Any] | None = None
    is_data: bool = False
    present: str = ""
    record: type[Any] | None = None
    is_template: bool = False

    def apply(self, owner: object, arguments: Sequence[object]) -> object:
        """Call the property of `owner`; return the result of a method, or a new handler.

        Raises:
            ScriptError: an argument has the wrong type.
        """
        for each in arguments if self.is_data else ():
            check_data(each)
        if self.kind is Kind.VALUE:
            self._set(owner, arguments)
            return None
        if self.record is not None:
            made = _record(self.name, self.record, arguments)
            values = (*getattr(owner, self.attribute), made)
            setattr(owner, self.attribute, values)
            return None
        self.signature.check(arguments)
        if self.kind is Kind.METHOD:
            return getattr(owner, self.attribute)(*arguments)
        if self.handler is not None:
            node: Any = owner
            node.handlers.append(self.handler.called(node, *arguments))
            return node.handlers[-1]
        if self.kind is Kind.FLAG:
            setattr(owner, self.attribute, True)
        elif self.kind is Kind.PAIRS:
            key, value = arguments
            getattr(owner, self.attribute)[key] = self._value(value)
        else:
            before = getattr(owner, self.attribute)
            values = tuple(map(self._value, arguments))
            if self.kind is Kind.RECORDS:
                values = (*before, values)
            elif self.append:
                values = (*before, *values)
            setattr(owner, self.attribute, values)
        return None

    def _set(self, owner: object, arguments: Sequence[object]) -> None:
        [value] = arguments
        [wanted] = self.signature.fixed
        if not _fits(value, wanted):
            _refuse_reference(value, wanted)
            raise ScriptError(
                f"reflect.Set: value of type {go_type(value)} is not assignable"
                f" to type {_go_name(wanted)}"
            )
        setattr(owner, self.attribute, self._value(value))

    def _value(self, value: object) -> object:
        return _template(self.name, value) if self.is_template else value


def _template(name: str, value: object) -> Template:
    """A template; values other than strings are printed as in Go."""
    try:
        return Template(text(value), name=name)
    except TemplateError as error:
        raise ScriptError(str(error)) from None


def _record(name: str, record: type[Any], arguments: Sequence[object]) -> object:
    """A value of a dataclass; the arguments are its fields in order.

    Raises:
        ScriptError: there are too few or too many arguments, or one has the wrong type.
    """
    hints, fields = typing.get_type_hints(record), dataclasses.fields(record)
    least = sum(map(is_required, fields))
    if not least <= len(arguments) <= len(fields):
        most = len(fields)
        between = " or " if most == least + 1 else " to "
        wanted = f"{least}{between}{most}" if most > least else str(most)
        listed = ", ".join(map(key_of, fields))
        raise ScriptError(
            f"{name} expects {wanted} arguments ({listed}), got {len(arguments)}"
        )
    values = []
    for field, value in zip(fields, arguments, strict=False):
        hint = hints[field.name]
        Signature((_argument(hint),)).check([value])
        if hint is object:
            check_data(value)
        is_template = hint is Template
        values.append(_template(key_of(field), value) if is_template else value)
    return record(*values)


def _argument(hint: object) -> object:
    """The type of an argument for a field of a certain type."""
    return str if hint is Template else hint


class Names(Generic[T]):
    """Values by name, found in the spellings that scripts may use.

    Kapacitor raises the first letter and then requires an exact match. If there is none,
    the only match that ignores case is used.
    """

    def __init__(self, named: Mapping[str, T]) -> None:
        # indexed by name without reading values, as reading may import a class
        self._named = named
        self._exact = {upper_first(name): name for name in named}
        self._folded: dict[str, list[str]] = {}
        for name in named:
            self._folded.setdefault(name.lower(), []).append(name)

    def exact(self, written: str) -> T | None:
        """The value for a name by Kapacitor's rule."""
        name = self._exact.get(upper_first(written))
        return None if name is None else self._named[name]

    def tolerant(self, written: str) -> T | None:
        """The value for a name in any case, if there is only one."""
        found = self._folded.get(written.lower(), ())
        return self._named[found[0]] if len(found) == 1 else None

    def find(self, written: str) -> T | None:
        """The value for a name by Kapacitor's rule, or else in any case."""
        found = self.exact(written)
        return self.tolerant(written) if found is None else found


def upper_first(name: str) -> str:
    """`hipChat` → `HipChat`."""
    return name[:1].upper() + name[1:]


@functools.cache
def properties_of(owner: type) -> dict[str, Property]:
    """The properties of a class by TICKscript name, in order of definition."""
    hints = typing.get_type_hints(owner)
    found: dict[str, Property] = {}
    for field in dataclasses.fields(owner):
        if not field.metadata.get("internal"):
            made = _field_property(field, hints[field.name], owner)
            found[made.name] = made
            for old in former_names(field):
                found[old] = dataclasses.replace(made, name=old, present=made.name)
    for class_ in reversed(owner.__mro__):
        for attribute, member in vars(class_).items():
            tick = getattr(member, "__dict__", {}).get("tick")
            if isinstance(member, types.FunctionType) and tick is not None:
                found[tick] = Property(
                    tick, Kind.METHOD, attribute, signature_of(member)
                )
    return found


@functools.cache
def names_of(owner: type) -> Names[Property]:
    """The properties of a class, by the names in scripts."""
    return Names(properties_of(owner))


class HandlerProperties:
    """Handlers that scripts can add to alert nodes, by the names of their properties.

    Attributes:
        classes: `AlertHandler` classes by name; they may be lazy.
    """

    def __init__(self, classes: Mapping[str, type[Any]]) -> None:
        self.classes = classes
        self._of: dict[type, Names[Property]] = {}

    def name_of(self, handler: type) -> str:
        """The name of the property that creates handlers of a class."""
        known = loaded(self.classes)
        return next(name for name, each in known.items() if each is handler)

    def names_of(self, alert: type) -> Names[Property]:
        """The properties of an alert node's class, those of handlers included."""
        if alert not in self._of:
            own = {
                name: each
                for name, each in properties_of(alert).items()
                if name not in self.classes
            }
            self._of[alert] = Names(Lazy((*own, *self.classes), self._property, own))
        return self._of[alert]

    def _property(self, name: str) -> Property:
        try:
            handler = self.classes[name]
        except ConfigError as error:
            raise ScriptError(str(error)) from None
        return Property(name, Kind.HANDLER, "", handler.call, handler=handler)


NO_HANDLERS = HandlerProperties({})


def _field_property(
    field: dataclasses.Field[Any], hint: object, owner: type
) -> Property:
    kind, signature = _kind_of(hint, switch=bool(field.metadata.get("switch")))
    is_option = issubclass(owner, OptionOwner)
    inner = typing.get_args(hint)
    record = inner[0] if inner and dataclasses.is_dataclass(inner[0]) else None
    return Property(
        tick_of(field),
        kind,
        field.name,
        signature,
        append=is_option or bool(field.metadata.get("append")),
        is_data=is_option and object in (*signature.fixed, signature.rest),
        record=typing.cast("type[Any] | None", record),
        is_template=Template in (hint, *inner),
    )


def _kind_of(hint: object, *, switch: bool) -> tuple[Kind, Signature]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is dict:
        key, value = arguments
        return Kind.PAIRS, Signature((key, object if value is Template else value))
    if origin is tuple and typing.get_origin(arguments[0]) is tuple:
        return Kind.RECORDS, Signature(rest=typing.get_args(arguments[0])[0])
    if origin is tuple and dataclasses.is_dataclass(arguments[0]):
        return Kind.RECORDS, Signature()
    if origin is tuple:
        return Kind.VARIADIC, Signature(rest=_argument(arguments[0]))
    if hint is bool and not switch:
        return Kind.FLAG, Signature()
    if origin in (types.UnionType, typing.Union):  # `LambdaNode | None`
        hint = arguments[0]
    return Kind.VALUE, Signature((_argument(hint),))
