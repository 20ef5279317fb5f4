"""What the templates of the fake server and of the tests see."""

from __future__ import annotations

import ast
import re
from functools import cached_property
from typing import Any

from scaffold.expressions.code import Type
from scaffold.layout.printer import literal, statement
from scaffold.names import identifier, snake_case
from scaffold.rendering.declarations import duration_node
from scaffold.rendering.sample import Sample, sample_value
from scaffold.spec.model import (
    ConfigField,
    Example,
    HandlerSpec,
    Option,
    RequestSpec,
    Setting,
)

_MESSAGE_TYPES = {
    Type.STR: "str",
    Type.INT: "int",
    Type.FLOAT: "float",
    Type.BOOL: "bool",
    Type.DURATION: "int",
    Type.TIME: "int",
    Type.LIST: "list[object]",
    Type.VALUES: "list[object]",
    Type.MAP: "dict[str, str]",
    Type.FIELDS: "dict[str, object]",
}
# what the body of the message's class has to find under its own name
_MESSAGE_NAMES = ("bool", "dict", "float", "int", "list", "msgspec", "object", "str")


class TestView:
    """The tests of a spec, for templates."""

    __test__ = False  # pytest: this is no test

    def __init__(self, spec: HandlerSpec, package: str, sample: Sample) -> None:
        self.spec = spec
        self.package = package
        self.sample = sample

    # the fake server

    @cached_property
    def message_source(self) -> str:
        """What a message is made of: `json`, `form`, `query` or `text`."""
        kinds = {each.body_kind for each in self.spec.requests}
        if kinds == {"json"} and all(
            isinstance(_table_of(each), ast.Dict) for each in self.spec.requests
        ):
            return "json"
        if kinds == {"form"}:
            return "form"
        if kinds == {""} and all(each.query for each in self.spec.requests):
            return "query"
        return "text"

    @cached_property
    def message_fields(self) -> list[str]:
        """The fields of the fake server's message."""
        if self.message_source == "text":
            return ["text: str"]
        tables = [self._keys(each) for each in self.spec.requests]
        names: dict[str, str] = {}
        lines = []
        for key in dict.fromkeys(key for table in tables for key in table):
            types = {table[key][0] for table in tables if key in table}
            is_optional = any(key not in table or table[key][1] for table in tables)
            name = _field_name(key, names)
            lines.append(_message_field(name, key, types, is_optional=is_optional))
        return lines

    def _keys(self, request: RequestSpec) -> dict[str, tuple[str, bool]]:
        """By key: the type of its value, and whether it may be missing."""
        if self.message_source == "query":
            return {
                name: ("str", each.is_optional or each.code.type is not Type.STR)
                for name, each in (request.query or {}).items()
            }
        assert request.body is not None
        optional = _optional_keys(request)
        is_form = self.message_source == "form"
        return {
            # the key of a list comes once per item, so never if there is none
            key: (
                ("str", key in optional or type_ is not Type.STR)
                if is_form
                else (_MESSAGE_TYPES.get(type_, "object"), key in optional)
            )
            for key, type_ in request.body.fields
        }

    @cached_property
    def forbids_unknown(self) -> bool:
        """Whether the fake server knows all keys of the messages."""
        return not any(
            None in _table_of(each).keys
            for each in self.spec.requests
            if isinstance(_table_of(each), ast.Dict)
        )

    @property
    def message_options(self) -> str:
        """The options of the message's class."""
        options = ["frozen=True"]
        if self.message_source != "text" and self.forbids_unknown:
            options.append("forbid_unknown_fields=True")
        if any(
            line.endswith("= None") or "default=None" in line
            for line in self.message_fields
        ):
            options.append("kw_only=True")
        return ", ".join(options)

    @property
    def init_arguments(self) -> str:
        """What the fake server answers, where that is not just 200."""
        answer = []
        if self.sample.good_status != 200:
            answer.append(f"status={self.sample.good_status}")
        if self.sample.accepted:
            answer.append(f"body={literal(self.sample.accepted)}")
        return ", ".join(answer)

    # the tests

    @cached_property
    def config_call(self) -> str:
        """The configuration of the tests, at a running server."""
        return statement("return ", self._config({}))

    def _config(self, changes: dict[str, Any]) -> ast.expr:
        keywords = [ast.keyword("enabled", ast.Name("enabled"))]
        for field in self.spec.config:
            if field.key in self.sample.url_keys:
                node = _url(field, self.sample.url_path(field))
            else:
                value = self.sample.config[field.key]
                if value == field.default:
                    continue
                node = value_node(field, value)
            keywords.append(ast.keyword(field.name, node))
        return ast.Call(ast.Name("Config"), [], keywords)

    @cached_property
    def constants(self) -> list[str]:
        """Options and changes of handlers and events that make the checks pass."""
        lines = []
        options = {each.key: each for each in self.spec.options}
        if self.sample.options:
            keywords = [
                ast.keyword(options[key].name, value_node(options[key], value))
                for key, value in self.sample.options.items()
            ]
            made = ast.Call(ast.Name("HandlerConfig"), [], keywords)
            lines.append(statement("OPTIONS = ", made))
        if self.sample.changes:
            lines.append(statement("CHANGES = ", plain(self.sample.changes)))
            event = [_call("sample_event"), ast.Name("CHANGES")]
            made = ast.Call(ast.Name("changed_event"), event, [])
            lines.append(statement("EVENT = ", made))
        return lines

    @cached_property
    def arguments(self) -> str:
        """Further arguments of the deliveries of the tests."""
        options = ", options=OPTIONS" if self.sample.options else ""
        return options + (", event=EVENT" if self.sample.changes else "")

    @cached_property
    def all_levels(self) -> str:
        """The statement that sends an event of each level."""
        arguments = [ast.Name("Service"), _call("config", "server"), ast.Name("server")]
        keywords = []
        if self.sample.options:
            keywords.append(ast.keyword("options", ast.Name("OPTIONS")))
        if self.sample.changes:
            keywords.append(ast.keyword("changes", ast.Name("CHANGES")))
        made = ast.Call(ast.Name("requests_of_all_levels"), arguments, keywords)
        return statement("sent = ", made)

    @cached_property
    def fallbacks(self) -> list[tuple[Option, ConfigField]]:
        """Options that fall back to one key of the configuration."""
        return self.sample.fallbacks()

    @property
    def configured(self) -> str:
        """A configuration with other values for what options fall back to."""
        keywords = [
            ast.keyword(field.name, value_node(field, sample_value(field, "other")))
            for _, field in {
                field.key: (o, field) for o, field in self.fallbacks
            }.values()
        ]
        made = ast.Call(ast.Name("replace"), [_call("config", "server")], keywords)
        return statement("configured = ", made)

    @property
    def explicit(self) -> str:
        """Options that say the same."""
        keywords = [
            ast.keyword(option.name, value_node(option, sample_value(field, "other")))
            for option, field in self.fallbacks
        ]
        made = ast.Call(ast.Name("HandlerConfig"), [], keywords)
        return statement("explicit = ", made)

    @property
    def tick_options(self) -> list[Option]:
        """The options that a test can set in a script."""
        return [
            each
            for each in self.spec.options
            if each.tick is not None and not each.alias_of
        ]

    @property
    def script(self) -> str:
        """The properties of a handler in a script, as a literal."""
        calls = "".join(
            f".{each.tick}({_tick_value(each)})" for each in self.tick_options
        )
        text = ast.Constant(f".{self.spec.names.property}(){calls}")
        return statement("script = ", text)

    @property
    def script_options(self) -> str:
        """What the script's handler has as options."""
        keywords = [
            ast.keyword(each.name, value_node(each, sample_value(each, "explicit")))
            for each in self.tick_options
        ]
        made = ast.Call(ast.Name("HandlerConfig"), [], keywords)
        return statement("wanted = ", made)

    @property
    def wrong_types(self) -> list[str]:
        """Pairs of an option's key and a value of a wrong type, as items of a list."""
        lines = []
        for option in self.spec.options:
            if option.alias_of:
                continue
            wrong = 5 if option.type.base in (Type.STR, Type.SECRET) else "x"
            pair = ast.Tuple([ast.Constant(option.key), ast.Constant(wrong)])
            lines.append(statement("", pair, suffix=","))
        return lines

    @cached_property
    def failure_body(self) -> str:
        """The statement that makes the server's answer mean failure."""
        body = ast.Constant(self.sample.failure(self.sample.bad_status)[0])
        return statement("server.body = ", body)

    @property
    def failure_text(self) -> str:
        """The statement that says what the service makes of it."""
        text = ast.Constant(self.sample.failure(self.sample.bad_status)[1])
        return statement("wanted = ", text)

    @property
    def secrets(self) -> list[str]:
        """The secrets of the tests' configuration, as literals."""
        return [
            literal(self.sample.config[each.key])
            for each in self.spec.config
            if each.is_secret and each.key not in self.sample.url_keys
        ]

    @property
    def required(self) -> list[dict[str, str]]:
        """What the configuration must not leave empty, with the error text."""
        found: list[dict[str, str]] = []
        for field in self.spec.config:
            if field.required and not any(row["name"] == field.name for row in found):
                empty = value_node(field, field.type.empty)
                found.append(
                    {
                        "name": field.name,
                        "change": statement(
                            "made = ",
                            ast.Call(
                                ast.Name("replace"),
                                [_call("config", "server")],
                                [ast.keyword(field.name, empty)],
                            ),
                        ),
                        "error": statement("wanted = ", ast.Constant(field.error)),
                    }
                )
        return found

    @property
    def examples(self) -> list[dict[str, Any]]:
        """The author's own cases, as statements."""
        return [
            self._example(index, each) for index, each in enumerate(self.spec.examples)
        ]

    def _example_value(self, field: ConfigField, value: Any) -> ast.expr:
        """A value of an example; URLs are paths on the fake server."""
        if field.key not in self.sample.url_keys:
            return value_node(field, value)
        return _url(field, value)

    def _example(self, index: int, example: Example) -> dict[str, Any]:
        config = {each.key: each for each in self.spec.config}
        options = {each.key: each for each in self.spec.options}
        changes = [
            ast.keyword(config[key].name, self._example_value(config[key], value))
            for key, value in example.config.items()
        ]
        made = ast.Call(ast.Name("replace"), [_call("config", "server")], changes)
        lines = [
            statement("configured = ", made if changes else _call("config", "server"))
        ]
        event = ast.Call(
            ast.Name("changed_event"), [_call("sample_event"), plain(example.event)], []
        )
        lines.append(statement("event = ", event))
        arguments: list[ast.expr] = [ast.Name("Service"), ast.Name("configured")]
        keywords = [ast.keyword("event", ast.Name("event"))]
        if example.options:
            said = [
                ast.keyword(options[key].name, value_node(options[key], value))
                for key, value in example.options.items()
            ]
            lines.append(
                statement("options = ", ast.Call(ast.Name("HandlerConfig"), [], said))
            )
            arguments.append(ast.Name("options"))
        sent = statement("", ast.Call(ast.Name("deliver"), arguments, keywords))
        want = dict(example.want)
        error = want.pop("error", None)
        name = re.sub("[^a-z0-9]+", "_", example.name.lower()).strip("_")[:50]
        return {
            "name": f"example_{index + 1}{'_' if name else ''}{name}",
            "lines": lines,
            "sent": sent,
            "error": None if error is None else statement("wanted = ", plain(error)),
            "wants": [_want(key, value) for key, value in want.items()],
        }


def _want(key: str, value: Any) -> str:
    node = plain(value)
    sources = {
        "method": "request.method",
        "path": "request.path",
        "query": "request.query",
        "text": "request.text",
        "json": "request.json",
    }
    if key == "headers":
        return statement("assert request.headers.items() >= ", _call_on(node, "items"))
    if key == "form":
        return statement("assert dict(parse_qsl(request.text)) == ", node)
    return statement(f"assert {sources[key]} == ", node)


def _call_on(node: ast.expr, method: str) -> ast.expr:
    return ast.Call(ast.Attribute(node, method), [], [])


def _call(name: str, *arguments: str) -> ast.Call:
    return ast.Call(ast.Name(name), [ast.Name(each) for each in arguments], [])


def plain(value: Any) -> ast.expr:
    """TOML data as a Python literal."""
    match value:
        case dict():
            keys: list[ast.expr | None] = [ast.Constant(key) for key in value]
            return ast.Dict(keys, [plain(each) for each in value.values()])
        case list() | tuple():
            return ast.List([plain(each) for each in value])
    return ast.Constant(value)


def value_node(field: Setting, value: Any) -> ast.expr:
    """A value of a field, as code."""
    match field.type.base:
        case Type.SECRET:
            return ast.Call(ast.Name("Secret"), [ast.Constant(value)], [])
        case Type.DURATION:
            return duration_node(value)
        case Type.LIST:
            return ast.Tuple([ast.Constant(each) for each in value])
        case Type.MAP:
            return plain(value)
    return ast.Constant(value)


def _url(field: Setting, path: str) -> ast.expr:
    """A URL of the fake server, as the field holds it."""
    node: ast.expr = ast.Attribute(ast.Name("server"), "url")
    if path:
        node = ast.BinOp(node, ast.Add(), ast.Constant(path))
    return ast.Call(ast.Name("Secret"), [node], []) if field.is_secret else node


def _tick_value(option: Option) -> str:
    value = sample_value(option, "explicit")
    match option.type.base:
        case Type.BOOL:
            return ""
        case Type.DURATION:
            return f"{value // 1_000_000_000}s"
        case Type.LIST:
            return ", ".join(f"'{each}'" for each in value)
        case Type.MAP:
            return ", ".join(f"'{key}', '{each}'" for key, each in value.items())
        case Type.INT | Type.FLOAT:
            return str(value)
    return f"'{value}'"


def _table_of(request: RequestSpec) -> Any:
    """The table that a body is, without what leaves out its empty values."""
    node = request.body.node if request.body is not None else None
    if isinstance(node, ast.Call) and isinstance(node.args[0], ast.Dict):
        return node.args[0]
    return node


def _optional_keys(request: RequestSpec) -> set[str]:
    node = request.body.node if request.body is not None else None
    if not isinstance(node, ast.Call):
        return set()
    return {
        each.value
        for each in node.args[1:]
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }


def _field_name(key: str, taken: dict[str, str]) -> str:
    """A name for a field of the message; JSON keys may be anything."""
    name = re.sub("[^a-z0-9]+", "_", snake_case(key)).strip("_")
    if not name or name[0].isdigit():
        name = f"key_{name}".rstrip("_")
    name = identifier(name)
    while name in taken or name in _MESSAGE_NAMES:
        name += "_"
    taken[name] = key
    return name


def _message_field(name: str, key: str, types: set[str], *, is_optional: bool) -> str:
    annotation = types.pop() if len(types) == 1 else "object"
    keywords = []
    if is_optional:
        annotation += "" if annotation == "object" else " | None"
        keywords.append(ast.keyword("default", ast.Constant(None)))
    if name != key:
        keywords.append(ast.keyword("name", ast.Constant(key)))
        made = ast.Call(ast.Attribute(ast.Name("msgspec"), "field"), [], keywords)
        return statement(f"{name}: {annotation} = ", made)
    return f"{name}: {annotation} = None" if is_optional else f"{name}: {annotation}"
