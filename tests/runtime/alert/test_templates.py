"""Templates over an event, as handlers hold them."""

import logging

import pytest

from runtime.alert.templates import (
    NO_TEMPLATE,
    Template,
    render_all,
    render_values,
)
from runtime.alert.types import SCOPE_NAMES, TEMPLATE_NAMES
from runtime.golang.templates import TemplateError
from runtime.testing.events import sample_event

EVENT = sample_event()


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        ("{{ .ID }} is {{ .Level }}", "cpu:serverA is CRITICAL"),
        ('{{ index .Tags "host" }} {{ .Tags.rack }}', "serverA <no value>"),
        ("{{ .Fields.usage_idle }} of {{ .Name }}", "3.5 of cpu"),
        ("{{ .TaskName }} {{ .Group }}", "cpu_alert host=serverA"),
        ("{{ .Time.Unix }} {{ .Duration }}", "1500000000 1m0s"),
    ],
)
def test_renders_the_event(source, text):
    assert Template(source).render(EVENT) == text


def test_every_name_of_a_scope_can_be_rendered():
    source = "".join(f"{{{{ .{name} }}}} " for name in SCOPE_NAMES)
    assert "serverA" in Template(source).render(EVENT, SCOPE_NAMES)
    assert set(TEMPLATE_NAMES) < set(SCOPE_NAMES)


@pytest.mark.parametrize(
    ("source", "names", "problem"),
    [
        ("{{ .Nope }}", TEMPLATE_NAMES, "can't evaluate field Nope in type alert."),
        ("{{ .ID }}", ("Name", "Tags"), "can't evaluate field ID in type alert."),
        ("{{ index .Name 99 }}", TEMPLATE_NAMES, "index out of range"),
    ],
)
def test_what_fails_is_empty_and_logged(source, names, problem, caplog):
    with caplog.at_level(logging.ERROR, "kapacitor.templates"):
        assert Template(source, name="subject").render(EVENT, names) == ""
    [record] = caplog.records
    assert record.getMessage() == "failed to render a template: it counts as empty"
    assert vars(record)["event"] == "cpu:serverA"
    assert problem in vars(record)["err"]
    assert vars(record)["err"].startswith("template: subject:1:")


def test_lists_and_maps_of_templates():
    found = [Template(""), Template("{{ .Nope }}"), Template("{{ .Name }}")]
    assert render_all(found, EVENT) == ["cpu"]
    named = {"a": Template("{{ .Nope }}"), "b": Template("{{ .Name }}")}
    assert render_values(named, EVENT) == {"a": "", "b": "cpu"}
    assert render_values(named, EVENT, ("ID",)) == {"a": "", "b": ""}


def test_one_that_does_not_parse_is_refused():
    with pytest.raises(TemplateError, match="template: node:1: unclosed action"):
        Template("{{ .ID", name="node")


def test_templates_are_values():
    assert Template("a") == Template("a", name="b") != Template("b")
    assert len({Template("a"), Template("a")}) == 1
    assert not NO_TEMPLATE
    assert repr(Template("{{ .ID }}")) == "Template('{{ .ID }}')"
