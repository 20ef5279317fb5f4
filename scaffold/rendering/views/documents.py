"""The views for documentation, examples and registrations."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any, NamedTuple

from runtime.alert.types import TEMPLATE_NAMES
from scaffold.prose import sentence, started
from scaffold.rendering.samples.values import sample_value
from scaffold.rendering.views import scripts
from scaffold.rendering.views.configuration import ConfiguredField, configured_fields
from scaffold.rendering.views.fields import Field, declared, toml_value
from scaffold.rendering.views.view import View
from scaffold.spec.instances import FLAG_KEY
from scaffold.spec.model.settings import Option


class Scope(NamedTuple):
    """The names that the templates of some options can use."""

    keys: list[str]
    names: tuple[str, ...]


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
        """The keys of its section, without those that flags add."""
        return configured_fields(self.spec, self.sample.url_keys)

    @property
    def options(self) -> list[Field]:
        """The options of a handler."""
        return [declared(each) for each in self.spec.options]

    @property
    def section(self) -> list[Line]:
        """A section with the defaults, without switches; where one is marked, it is the default."""
        return [
            Line(each.setting.key, "true" if self._marks(each) else each.toml)
            for each in self.fields
        ]

    def _marks(self, field: ConfiguredField) -> bool:
        """True for the setting that makes a section the default one."""
        is_flagged = self.instances is not None and self.instances.default == "flag"
        return is_flagged and field.setting.key == FLAG_KEY

    @property
    def example_section(self) -> list[Line]:
        """The section of a configuration that is in use, without its switches."""
        found = []
        for field in self.spec.config:
            value: Any = self.sample.config[field.key]
            if field.key in self.sample.url_keys:
                scheme = "" if self.transport == "tcp" else "http://"
                value = field.default or f"{scheme}127.0.0.1:9999"
            if self.instances and field.key == self.instances.key:
                value = f"my-{self.instances.option}"
            found.append(Line(field.key, toml_value(field, value)))
        return found

    @property
    def scopes(self) -> list[Scope]:
        """The sets of names that templates can use, each with the options that use it."""
        found: dict[tuple[str, ...], list[str]] = {}
        for each in self.spec.options:
            record = each.type.record
            inner = [field.type for field in record.fields] if record else []
            if any(type_.is_template for type_ in (each.type, *inner)):
                found.setdefault(each.scope or TEMPLATE_NAMES, []).append(each.key)
        return [Scope(keys, names) for names, keys in found.items()]

    @property
    def example_options(self) -> list[Line]:
        """Options to be shown in examples, with their values in YAML."""
        return [Line(each.key, _yaml(_example(each))) for each in self._shown_options]

    @property
    def example_script(self) -> str:
        """The handler in the example script."""
        options = self._shown_options
        return scripts.handler(self.spec, options, _example, "\n      ")

    @property
    def _shown_options(self) -> list[Option]:
        """Strings, templates, records and arguments."""
        return [
            each
            for each in self.spec.options
            if (each.tick is not None or each.is_argument)
            and (each.type.name in ("str", "template", "records") or each.is_argument)
            and not each.alias_of
            and not self._is_default(each)
        ]

    def _is_default(self, option: Option) -> bool:
        """True for the option that chooses a section, if a lone section is the default."""
        if self.instances is None or self.instances.default == "none":
            return False
        return option.key == self.instances.option

    @property
    def extra(self) -> str:
        """The extra that installs its libraries, or ""."""
        return self.spec.hook.extra if self.spec.hook else ""

    @property
    def levels(self) -> str:
        """The recorded requests of events of each level."""
        return self.sample.levels()

    @property
    def variants(self) -> str:
        """The recorded requests of other values; "" where nothing can vary."""
        return self.sample.shown_variants()

    @property
    def course(self) -> str:
        """The recorded requests for an alert; "" where nothing is remembered."""
        return self.sample.course()

    @property
    def service_test(self) -> str:
        """The recorded request of the service test."""
        return self.sample.service_test()


def _example(option: Option) -> Any:
    """The value of an option in examples."""
    if option.example is None and option.type.name == "str":
        return f"my-{option.key}"
    value = sample_value(option, "my") if option.example is None else option.example
    return value[:1] if isinstance(value, tuple) else value


def _yaml(value: Any) -> str:
    """A value in YAML, on one line."""
    if isinstance(value, str):
        return f"'{value}'"
    return json.dumps(list(value) if isinstance(value, tuple) else value)
