"""The views for documentation, examples and registrations."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from scaffold.prose import sentence, started
from scaffold.rendering.views.configuration import ConfiguredField, configured_fields
from scaffold.rendering.views.fields import Field, declared, toml_value
from scaffold.rendering.views.view import View
from scaffold.spec.model import Option


class Line(NamedTuple):
    """A key of a section, and its value in TOML."""

    key: str
    value: str


class DocumentView(View):
    """A handler, for people."""

    @property
    def sentence(self) -> str:
        """The service's summary, as a sentence."""
        return started(self.list_text)

    @property
    def list_text(self) -> str:
        """The handler's text in lists."""
        return self.summary or sentence(f"sends alerts to {self.spec.title}")

    @cached_property
    def fields(self) -> list[ConfiguredField]:
        """The keys of its section, without those that flags bring."""
        return configured_fields(self.spec, self.sample.url_keys)

    @property
    def options(self) -> list[Field]:
        """The options of a handler."""
        return [declared(each) for each in self.spec.options]

    @property
    def example_section(self) -> list[Line]:
        """The section of a configuration that is in use, without its switches."""
        found = []
        for field in self.spec.config:
            value: Any = self.sample.config[field.key]
            if field.key in self.sample.url_keys:
                value = field.default or "http://127.0.0.1:9999"
            found.append(Line(field.key, toml_value(field, value)))
        return found

    @property
    def example_options(self) -> list[Option]:
        """Text options, to be shown in examples."""
        return [
            each
            for each in self.spec.options
            if each.tick is not None and each.type.name == "str" and not each.alias_of
        ]

    @property
    def levels(self) -> str:
        """The recorded requests of events of each level."""
        return self.sample.levels()

    @property
    def variants(self) -> str:
        """The recorded requests of other values; "" where nothing can vary."""
        return self.sample.shown_variants()

    @property
    def service_test(self) -> str:
        """The recorded request of the service test."""
        return self.sample.service_test()
