"""The view for the template of the configuration."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property

from scaffold.expressions.functions import negated
from scaffold.rendering.views.fields import Field, declared, toml_literal
from scaffold.rendering.views.records import RecordView
from scaffold.rendering.views.view import View
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.model.settings import ConfigField


@dataclass(frozen=True, kw_only=True)
class ConfiguredField(Field):
    """A key of the handler's section.

    Attributes:
        field: the key.
        is_default: true if options fall back to it.
        is_target: true if requests are sent to it.
    """

    field: ConfigField
    is_default: bool = False
    is_target: bool = False

    @property
    def required(self) -> str:
        """The condition on which it must not be empty: `enabled`, `always` or ""."""
        return self.field.required

    @property
    def has_text(self) -> bool:
        """True if it has a description."""
        is_described = self.is_default or self.is_target or self.required == "enabled"
        return bool(self.doc) or is_described

    @property
    def says_no_requirement(self) -> bool:
        """True if it is required and its description does not mention it."""
        if not self.required:
            return False
        description = (
            self.doc.lower()
            if self.doc
            else "required" if self.required == "enabled" else ""
        )
        return "required" not in description

    @property
    def error(self) -> ast.expr | None:
        """The text of the error where it is empty."""
        return self.field.error.node if self.field.error else None

    @property
    def is_url(self) -> bool:
        """True if it is checked to be a URL."""
        return self.field.is_url

    @property
    def refusal(self) -> ast.expr | None:
        """The condition under which its own check refuses it."""
        return negated(self.field.check.node) if self.field.check else None

    @property
    def check_error(self) -> ast.expr | None:
        """The text of the error of its check, or None."""
        return self.field.check_error.node if self.field.check_error else None

    @property
    def toml(self) -> str:
        """Its default in TOML."""
        return toml_literal(self.field)


class ConfigurationView(View):
    """The configuration of a handler."""

    @cached_property
    def fields(self) -> list[ConfiguredField]:
        """The keys of its section, without those that flags add."""
        return configured_fields(self.spec, self.sample.url_keys)

    @property
    def records(self) -> list[RecordView]:
        """The classes of records in its lists."""
        return [
            RecordView.of(each)
            for each in self.spec.records.values()
            if each.is_configured
        ]

    @property
    def has_rules(self) -> bool:
        """True if anything is checked."""
        return any(
            each.required or each.is_url or each.refusal is not None
            for each in self.fields
        )


def configured_fields(
    spec: HandlerSpec, url_keys: frozenset[str]
) -> list[ConfiguredField]:
    """The keys of a handler's section.

    Args:
        spec: the handler.
        url_keys: the keys of destinations.
    """
    defaults = {
        read
        for option in spec.options
        if option.fallback is not None
        for read in option.fallback.reads
    }
    return [
        ConfiguredField(
            **vars(declared(field)),
            field=field,
            is_default=f"config.{field.key}" in defaults,
            is_target=field.key in url_keys,
        )
        for field in spec.config
    ]
