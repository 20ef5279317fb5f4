"""What templates see of a spec: finished lines and literals, no logic left to them."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import Any

from runtime.settings import camel_case as settings_camel_case
from scaffold.expressions.code import Type
from scaffold.expressions.functions import negated
from scaffold.layout.printer import returned, statement
from scaffold.layout.style import DEFAULT_LENGTH
from scaffold.prose import (
    code_span,
    docstring,
    markdown,
    paragraphs,
    sentence,
    started,
)
from scaffold.rendering.declarations import (
    attributes,
    declaration,
    default_node,
    toml_literal,
    toml_value,
)
from scaffold.rendering.sample import Sample
from scaffold.rendering.service_view import ServiceView
from scaffold.rendering.test_view import TestView
from scaffold.spec.model import ConfigField, HandlerSpec, Option, Setting

_SWITCH_DOCS = {
    "enabled": "whether the service sends alerts.",
    "global_": "whether alert nodes without a handler of this kind get one.",
    "state_changes_only": "whether a global handler sends state changes only.",
}


class View:
    """A spec, for templates."""

    def __init__(self, spec: HandlerSpec, package: str) -> None:
        self.spec = spec
        self.package = package
        self.sample = Sample(spec)
        self.service = ServiceView(spec, package, self.sample)
        self.test = TestView(spec, package, self.sample)

    def names(self) -> dict[str, str]:
        """The names that templates use bare."""
        names = self.spec.names
        return {
            "package": self.package,
            "kind": names.kind,
            "property": names.property,
            "class_name": names.class_name,
            "title": self.spec.title,
        }

    @cached_property
    def sentence(self) -> str:
        """What the service does, as a sentence."""
        return started(self.list_text)

    @property
    def service_docs(self) -> list[str]:
        """The docstring of the service's module."""
        title, summary = self.spec.title, self.spec.summary
        line = docstring(f"The {title} service: {summary}")
        if summary and len(line) + 6 <= DEFAULT_LENGTH:
            return [line]
        return [docstring(f"The {title} service.")]

    @property
    def class_docs(self) -> list[str]:
        """The docstring of the service's class."""
        return paragraphs(docstring(self.sentence), 4, DEFAULT_LENGTH)

    # configuration

    @cached_property
    def switches(self) -> list[str]:
        """The fields that the flags of the spec bring, but `enabled`."""
        return [
            *(["global_"] if self.spec.is_global else []),
            *(["state_changes_only"] if self.spec.has_state_changes_only else []),
        ]

    @cached_property
    def config_docs(self) -> list[str]:
        """The attributes of `Config`, as docstring lines."""
        entries = [("enabled", _SWITCH_DOCS["enabled"])]
        entries += [(each.name, self._config_doc(each)) for each in self.spec.config]
        entries += [(each, _SWITCH_DOCS[each]) for each in self.switches]
        return attributes(entries)

    def _config_doc(self, field: ConfigField) -> str:
        if field.doc:
            return field.doc
        default = any(
            f"config.{field.key}" in option.fallback.reads
            for option in self.spec.options
            if option.fallback is not None
        )
        required = "required when enabled" if field.required == "enabled" else ""
        if default:
            doc = "the default of handlers"
        elif field.key in self.sample.url_keys:
            doc = "where requests are sent"
        else:
            return f"{required}." if required else ""
        return f"{doc}; {required}." if required else f"{doc}."

    @cached_property
    def config_fields(self) -> list[str]:
        """The fields of `Config`, but the switches."""
        return [declaration(each) for each in self.spec.config]

    @cached_property
    def rules(self) -> list[str]:
        """The statements of `validate`."""
        lines = []
        for field in self.spec.config:
            lines += _rules(field)
        return lines

    # options

    @cached_property
    def option_docs(self) -> list[str]:
        """The attributes of `HandlerConfig`, as docstring lines."""
        return attributes((each.name, _option_doc(each)) for each in self.spec.options)

    @cached_property
    def option_fields(self) -> list[str]:
        """The fields of `HandlerConfig`."""
        return [declaration(each) for each in self.spec.options]

    @cached_property
    def resolutions(self) -> list[str]:
        """The statement of `resolve`: what stands in place of empty options."""
        keywords = []
        for option in self.spec.options:
            parts: list[ast.expr] = [ast.Attribute(ast.Name("self"), option.name)]
            parts += [
                ast.Attribute(ast.Name("self"), each.name)
                for each in self.spec.options
                if each.alias_of == option.key
            ]
            if option.fallback is not None and not option.is_bound_early:
                parts.append(_as_option(option))
            if len(parts) > 1:
                keywords.append(ast.keyword(option.name, ast.BoolOp(ast.Or(), parts)))
        if not keywords:
            return []
        made = ast.Call(ast.Name("replace"), [ast.Name("self")], keywords)
        return [returned(made)]

    # the pipeline

    @cached_property
    def tick_options(self) -> list[Option]:
        """The options that are TICKscript properties."""
        return [each for each in self.spec.options if each.tick is not None]

    @cached_property
    def tick_docs(self) -> list[str]:
        """The attributes of the pipeline's class, as docstring lines."""
        return attributes((each.name, _option_doc(each)) for each in self.tick_options)

    @cached_property
    def tick_fields(self) -> list[str]:
        """The fields of the pipeline's class."""
        return [_tick_field(each) for each in self.tick_options]

    # documentation

    @property
    def settings(self) -> list[dict[str, str]]:
        """The configuration, for tables in documentation."""
        rows = [_row("enabled", "bool", "false", "Whether the service sends alerts.")]
        for field in self.spec.config:
            doc = started(self._config_doc(field))
            if field.required and "required" not in doc.lower():
                doc = f"{doc} Required{' when enabled' if field.required == 'enabled' else ''}.".strip()
            rows.append(_row(field.key, _type_word(field), toml_literal(field), doc))
        if self.spec.is_global:
            doc = "Whether alert nodes without such a handler get one."
            rows.append(_row("global", "bool", "false", doc))
        if self.spec.has_state_changes_only:
            doc = "With `global`: alerts are sent only when the level changes."
            rows.append(_row("state-changes-only", "bool", "false", doc))
        return rows

    @property
    def option_rows(self) -> list[dict[str, str]]:
        """The options, for tables in documentation."""
        rows = []
        for option in self.spec.options:
            tick = f"`.{option.tick}()`" if option.tick else "none"
            doc = started(_option_doc(option))
            rows.append({**_row(option.key, _type_word(option), "", doc), "tick": tick})
        return rows

    @property
    def conf_lines(self) -> list[str]:
        """The table in the sample configuration, without its header."""
        lines = ["enabled = false"]
        lines += [f"{each.key} = {toml_literal(each)}" for each in self.spec.config]
        if self.spec.is_global:
            lines.append("global = false")
        if self.spec.has_state_changes_only:
            lines.append("state-changes-only = false")
        return lines

    @property
    def example_conf(self) -> list[str]:
        """The table of a configuration that is in use, without its header."""
        lines = ["enabled = true"]
        for field in self.spec.config:
            value: Any = self.sample.config[field.key]
            if field.key in self.sample.url_keys:
                value = field.default or "http://127.0.0.1:9999"
            lines.append(f"{field.key} = {toml_value(field, value)}")
        return lines

    @property
    def tick_example(self) -> str:
        """A script that sends its alerts this way."""
        lines = [
            "stream",
            "  |from()",
            "    .measurement('cpu')",
            "  |alert()",
            '    .crit(lambda: "usage_idle" < 10)',
            "    .stateChangesOnly()",
            "    .message('{{ .ID }} is {{ .Level }}')",
            f"    .{self.spec.names.property}()",
        ]
        lines += [
            f"      .{each.tick}('my-{each.key}')" for each in self.example_options
        ]
        return "\n".join(lines) + "\n"

    @property
    def yaml_example(self) -> str:
        """A handler for the alerts of a topic."""
        kind = self.spec.names.kind
        lines = ["topic: cpu", f"id: {kind}", f"kind: {kind}"]
        if self.example_options:
            lines.append("options:")
            lines += [f"  {each.key}: 'my-{each.key}'" for each in self.example_options]
        return "\n".join(lines) + "\n"

    @property
    def list_text(self) -> str:
        """What stands beside the property in the list of the alert node."""
        return self.spec.summary or sentence(f"sends alerts to {self.spec.title}")

    @property
    def example_options(self) -> list[Option]:
        """Text options, to be shown in examples."""
        return [
            each
            for each in self.tick_options
            if each.type.name == "str" and not each.alias_of
        ]


def _rules(field: ConfigField) -> list[str]:
    own = ast.Attribute(ast.Name("self"), field.name)
    error = ast.Call(ast.Name("ConfigError"), [ast.Constant(field.error)], [])
    lines = []
    if field.required:
        also = "self.enabled and " if field.required == "enabled" else ""
        lines.append(f"        if {also}not self.{field.name}:")
        lines.append(" " * 12 + statement("raise ", error))
    if field.is_url:
        node: ast.expr = own
        if field.is_secret:
            node = ast.Call(ast.Attribute(own, "reveal"), [], [])
        arguments = [node]
        if field.check_error:
            arguments.append(ast.Constant(field.check_error))
        call = ast.Call(ast.Name("check_url"), arguments, [])
        lines.append(" " * 8 + statement("", call))
    if field.check is not None:
        condition = negated(field.check.node)
        error = ast.Call(ast.Name("ConfigError"), [ast.Constant(field.check_error)], [])
        lines.append(" " * 8 + statement("if ", condition, suffix=":"))
        lines.append(" " * 12 + statement("raise ", error))
    return lines


def _as_option(option: Option) -> ast.expr:
    assert option.fallback is not None
    node = option.fallback.node
    if option.is_secret and option.fallback.type is not Type.SECRET:
        return ast.Call(ast.Name("Secret"), [node], [])
    return node


def _option_doc(option: Option) -> str:
    if option.doc:
        return option.doc
    if option.fallback is None:
        return ""
    if option.type.base is Type.BOOL:
        return "whether to; else as configured."
    return "empty means the configured one."


def _tick_field(option: Option) -> str:
    """A field of the pipeline's class: scripts hold secrets as plain text."""
    annotation = "str" if option.is_secret else option.type.annotation
    default: ast.expr = ast.Constant("") if option.is_secret else default_node(option)
    odd = option.tick != settings_camel_case(option.name)
    if option.type.base is Type.MAP:
        keywords = [ast.keyword("default_factory", ast.Name("dict"))]
        if odd:
            metadata = ast.Dict([ast.Constant("tick")], [ast.Constant(option.tick)])
            keywords.append(ast.keyword("metadata", metadata))
        default = ast.Call(ast.Name("field"), [], keywords)
    elif odd:
        tick = ast.keyword("tick", ast.Constant(option.tick))
        if option.type.base is Type.DURATION:
            default = ast.Name("ZERO")
        default = ast.Call(ast.Name("setting"), [default], [tick])
    elif option.type.base is Type.DURATION:
        default = ast.Name("ZERO")
    return statement(f"{option.name}: {annotation} = ", default)


def _row(key: str, type_: str, default: str, doc: str) -> dict[str, str]:
    return {
        "key": key,
        "type": type_,
        "default": code_span(default),
        "doc": markdown(doc),
    }


def _type_word(field: Setting) -> str:
    words = {
        Type.STR: "string",
        Type.SECRET: "string, secret",
        Type.INT: "integer",
        Type.FLOAT: "float",
        Type.BOOL: "bool",
        Type.DURATION: "duration",
        Type.LIST: "list of strings",
        Type.MAP: "map of strings",
    }
    return words[field.type.base]
