"""Options and settings of all types, by each way that values come in and go out."""

from __future__ import annotations

import json
import typing
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest

from runtime.alert.templates import NO_TEMPLATE, Template
from runtime.errors import ConfigError, OptionsError, ScriptError
from runtime.golang.json_decode import JsonError
from runtime.integration import Integrations
from runtime.nodes.alert.handlers import from_tick
from runtime.pipeline.alert import AlertNode
from runtime.pipeline.evaluate import evaluate
from runtime.pipeline.handler import AlertHandler
from runtime.pipeline.properties import HandlerProperties, Signature
from runtime.server.config import file
from runtime.server.config.environment import apply
from runtime.server.config.text import dump
from runtime.services.config.sections import options
from runtime.services.config.values import converted
from runtime.services.options import decode
from runtime.services.servicetest.options import merged, shown
from runtime.settings import setting
from runtime.tick.parser import parse
from runtime.units import SECOND, Duration

DATA = {"a": [1, 2.5, True, "x", {"b": -1}], "c": ""}


@dataclass(frozen=True, slots=True)
class Link:
    """An element of `links`."""

    href: Template
    title: Template = NO_TEMPLATE
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Config:
    """A section, and the options of a handler."""

    extra: object = ""
    labels: dict[str, object] = field(default_factory=dict)
    codes: tuple[object, ...] = ()
    subject: Template = NO_TEMPLATE
    lines: tuple[Template, ...] = ()
    facts: dict[str, Template] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    to: tuple[str, ...] = ()

    def validate(self) -> None:
        """Accept all values."""


@dataclass(slots=True)
class WombatHandler(AlertHandler):
    """The property of alert nodes."""

    extra: object = None
    labels: dict[str, object] = field(default_factory=dict, metadata={"tick": "label"})
    codes: tuple[object, ...] = setting((), tick="code")
    subject: Template = NO_TEMPLATE
    lines: tuple[Template, ...] = setting((), tick="line")
    facts: dict[str, Template] = field(default_factory=dict, metadata={"tick": "fact"})
    links: tuple[Link, ...] = setting((), tick="link")
    call: ClassVar[Signature] = Signature(rest=str)
    call_fields: ClassVar[tuple[str, ...]] = ("to",)
    to: tuple[str, ...] = ()


INTEGRATIONS = Integrations(sections={"wombat": Config})
FACTS = {"id": Template("{{ .ID }}"), "n": Template("666")}
LINKS = (Link(Template("http://x/{{ .ID }}")), Link(Template("a"), Template("b"), 3))
TEXTS = Config(
    subject=Template("{{ .ID }} is {{ .Level }}"),
    lines=(Template("a"), Template("{{ .Name }}")),
    facts=FACTS,
    links=LINKS,
)
FILLED = Config(DATA, {"n": 1, "x": 1.5, "deep": DATA}, (1, "two", 3.0, [DATA]))


class Service:
    """Keeps the options of its handlers."""

    kind = handler_kind = "wombat"
    is_global = state_changes_only = False

    def default_handler_config(self) -> Config:
        """The options of a handler that sets none."""
        return Config(extra="usual")

    def handler(self, options: Config) -> Any:
        """Not used."""


def scripted(properties: str) -> list[Any]:
    """The options of the handlers in a script."""
    script = evaluate(
        parse(f"stream|from()|alert(){properties}"),
        "stream",
        handlers=HandlerProperties({"wombat": WombatHandler}),
    )
    [node] = [each for each in script.pipeline.nodes if isinstance(each, AlertNode)]
    return [each.options for each in from_tick(node.handlers, Service())]


def configured(text: str) -> Config:
    """The section in a configuration file."""
    found = file.decode(f"[wombat]\n{text}", INTEGRATIONS).config.handlers["wombat"]
    assert isinstance(found, Config)
    return found


def test_data_comes_as_it_is_from_json() -> None:
    sent = {"extra": DATA, "labels": FILLED.labels, "codes": list(FILLED.codes)}
    found = decode(sent, Config(), type_name="*wombat.HandlerConfig")
    assert found == FILLED
    assert type(found.codes[0]) is int
    assert type(found.codes[2]) is float
    body = b'{"extra": 5, "codes": [1, 2.0], "labels": {"a": [1]}}'
    assert repr(merged(body, Config(), "wombat.testOptions")) == repr(
        Config(5, {"a": [1]}, (1, 2.0))
    )
    found = shown(FILLED)
    assert (found["extra"], found["codes"]) == (DATA, [1, "two", 3.0, [DATA]])
    assert found["labels"] == {"deep": DATA, "n": 1, "x": 1.5}


def test_data_in_the_configuration_reads_back() -> None:
    written = configured(
        'extra = {a = [1, 2.5, true, "x", {b = -1}], c = ""}\n'
        'codes = [1, "two", 3.0, [{a = [1, 2.5, true, "x", {b = -1}], c = ""}]]\n'
        'labels = {n = 1, x = 1.5, deep = {a = [1, 2.5, true, "x", {b = -1}], c = ""}}\n'
    )
    assert written == FILLED
    config = file.decode("", INTEGRATIONS).config
    config.handlers = {"wombat": FILLED}
    again = file.decode(dump(config), INTEGRATIONS).config.handlers["wombat"]
    assert again == FILLED
    assert type(again.codes[2]) is float


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("extra = 1979-05-27", "a date or time must be in quotes here"),
        ("codes = [1, [inf]]", "inf is not a number that JSON can hold"),
        ("labels = { a = 9223372036854775808 }", "is out of range for int64"),
        ("codes = 5", "destination has type slice"),
    ],
)
def test_what_json_cannot_hold_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        configured(text)


def test_variables_of_the_environment_are_json_or_strings() -> None:
    config = file.decode('[wombat]\ncodes = [1, "b"]\n', INTEGRATIONS).config
    changed = apply(
        config,
        {
            "KAPACITOR_WOMBAT_EXTRA": '{"a": [1]}',
            "KAPACITOR_WOMBAT_CODES_0": "2.5",
            "KAPACITOR_WOMBAT_CODES_1": "plain text",
            "KAPACITOR_WOMBAT_LABELS_team": "ops",
        },
    )
    assert changed.handlers["wombat"] == Config(
        {"a": [1]}, {"team": "ops"}, (2.5, "plain text")
    )


def test_overrides_take_and_show_data() -> None:
    assert converted(object, DATA, "") == DATA
    assert converted(tuple[object, ...], [1, DATA], ()) == (1, DATA)
    assert converted(dict[str, object], DATA, {}) == DATA
    labels = {"token": "abc", "n": 1, "deep": [{"password": "abc"}]}
    found = options(Config(7, labels))
    assert (found["codes"], found["extra"]) == (None, 7)
    assert found["labels"] == {"token": "***", "n": 1, "deep": [{"password": "***"}]}


def test_a_script_gives_any_literal() -> None:
    script = (
        ".wombat().extra(0).label('a', 5).label('b', 1.5).label('c', ['x', 'y'])"
        ".label('d', 10s).code('a', 2).code(TRUE)"
    )
    [found] = scripted(script)
    labels = {"a": 5, "b": 1.5, "c": ["x", "y"], "d": Duration(10 * SECOND)}
    assert repr(found) == repr(Config(0, labels, ("a", 2, True)))
    others = scripted(".wombat().extra(FALSE).wombat()")
    assert others == [Config(False), Config("usual")]


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (".extra(lambda: 1 > 0)", "cannot use *ast.LambdaNode as an option; use a "),
        (".label('a', /x/)", "cannot use *regexp.Regexp as an option; use a "),
        ('.code("a")', "did you use double quotes instead of single quotes?"),
        (".label('a')", "reflect: Call with too few input arguments"),
    ],
)
def test_what_is_no_data_is_refused_in_a_script(call: str, problem: str) -> None:
    with pytest.raises(ScriptError) as caught:
        scripted(f".wombat(){call}")
    assert problem in str(caught.value)


# templates and records

SENT: dict[str, Any] = {
    "subject": "{{ .ID }} is {{ .Level }}",
    "lines": ["a", "{{ .Name }}"],
    "facts": {"id": "{{ .ID }}", "n": 666},
    "links": [
        {"href": "http://x/{{ .ID }}"},
        {"href": "a", "title": "b", "weight": 3},
    ],
}
SHOWN = {
    "subject": SENT["subject"],
    "lines": SENT["lines"],
    "facts": {"id": "{{ .ID }}", "n": "666"},
    "links": [
        {"href": "http://x/{{ .ID }}", "title": "", "weight": 0},
        {"href": "a", "title": "b", "weight": 3},
    ],
}


def test_templates_and_records_over_http() -> None:
    assert decode(SENT, Config(), type_name="*wombat.HandlerConfig") == TEXTS
    body = json.dumps(SENT).encode()
    assert merged(body, Config(), "wombat.testOptions") == TEXTS
    assert shown(TEXTS).items() >= SHOWN.items()
    assert options(TEXTS).items() >= SHOWN.items()
    for name, value in SENT.items():
        hint = typing.get_type_hints(Config)[name]
        assert converted(hint, value, None) == getattr(TEXTS, name)


@dataclass(frozen=True, slots=True)
class Target:
    """A setting whose name says that it is a URL."""

    url: Template = NO_TEMPLATE


def test_secrets_in_the_urls_of_templates_are_hidden() -> None:
    target = Target(Template("https://user:abc@x.example/{{ .ID }}"))
    assert "abc" not in str(options(target))
    assert "abc" not in str(shown(target))
    config = file.decode("", INTEGRATIONS).config
    config.handlers = {"wombat": target}
    assert "abc" not in dump(config)
    assert "abc" in dump(config, reveal=True)


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (
            {"subject": "{{ .ID"},
            "* error decoding 'subject': template: subject:1: unclosed action",
        ),
        ({"subject": 5}, "'subject' expected type 'string', got unconvertible type"),
        ({"lines": ["{{ if }}"]}, "error decoding 'lines[0]': template: lines[0]:1:"),
        ({"facts": {"a": "{{"}}, "error decoding 'facts[a]': template: facts[a]:1:"),
        ({"links": "x"}, "'links': source data must be an array or slice, got string"),
        ({"links": ["x"]}, "'links[0]' expected a map, got 'string'"),
        ({"links": [{"title": "x"}]}, "'links[0]' has unset fields: href"),
        ({"links": [{"href": "x", "to": 1}]}, "'links[0]' has invalid keys: to"),
        ({"links": [{"href": "{{"}]}, "error decoding 'links[0].href': template: href"),
    ],
)
def test_bad_templates_and_records_are_refused_over_http(
    sent: dict[str, Any], problem: str
) -> None:
    with pytest.raises(OptionsError) as caught:
        decode(sent, Config(), type_name="*wombat.HandlerConfig")
    assert problem in str(caught.value)
    if "to" not in str(sent):  # Go ignores unknown keys in JSON
        with pytest.raises(JsonError):
            merged(json.dumps(sent).encode(), Config(), "wombat.testOptions")
    [(name, value)] = sent.items()
    with pytest.raises(ConfigError):
        converted(typing.get_type_hints(Config)[name], value, None)


def test_templates_and_records_in_the_configuration_read_back() -> None:
    text = """\
    subject = "{{ .ID }} is {{ .Level }}"
    lines = ["a", "{{ .Name }}"]
    facts = { id = "{{ .ID }}", n = 666 }
    [[wombat.links]]
    href = "http://x/{{ .ID }}"
    [[wombat.links]]
    href = "a"
    title = "b"
    weight = 3
    """
    assert configured(text) == TEXTS
    config = file.decode("", INTEGRATIONS).config
    config.handlers = {"wombat": TEXTS}
    again = file.decode(dump(config), INTEGRATIONS).config.handlers["wombat"]
    assert again == TEXTS
    changed = apply(
        config,
        {
            "KAPACITOR_WOMBAT_SUBJECT": "{{ .Name }}",
            "KAPACITOR_WOMBAT_LINKS_0_TITLE": "t",
            "KAPACITOR_WOMBAT_FACTS_more": "{{ .Group }}",
        },
    ).handlers["wombat"]
    assert changed.subject == Template("{{ .Name }}")
    assert changed.links[0] == Link(LINKS[0].href, Template("t"))
    assert changed.facts == {**FACTS, "more": Template("{{ .Group }}")}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('subject = "{{ .ID"', 'line 2 (last key "wombat.subject"): template: subject'),
        ("links = [{ title = 'x' }]", '"wombat.links"): href is required'),
        ("links = ['x']", "destination has type table"),
    ],
)
def test_bad_templates_and_records_are_refused_in_the_configuration(
    text: str, problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(text)
    assert problem in str(caught.value)
    with pytest.raises(ConfigError, match="KAPACITOR_WOMBAT_SUBJECT: template: "):
        apply(file.decode("", INTEGRATIONS).config, {"KAPACITOR_WOMBAT_SUBJECT": "{{"})


def test_templates_records_and_arguments_in_a_script() -> None:
    [found] = scripted(
        ".wombat('a', 'b').to('c').subject('{{ .ID }} is {{ .Level }}').line('a')"
        ".line('{{ .Name }}').fact('id', '{{ .ID }}').fact('n', 666)"
        ".link('http://x/{{ .ID }}').link('a', 'b', 3)"
    )
    assert found == replace(TEXTS, extra="usual", to=("a", "b", "c"))


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (
            "()\n.subject('{{ .ID')",
            'line 2 char 2: error calling func "subject" on obj',
        ),
        ("().subject('{{ .ID')", "template: subject:1: unclosed action"),
        ("().line('{{')", "template: line:1: unclosed action"),
        ("().fact('a', '{{')", "template: fact:1: unclosed action"),
        ("().link('{{')", "template: href:1: unclosed action"),
        (
            "().link()",
            "link expects 1 to 3 arguments (href, title, weight), got 0",
        ),
        ("().link('a', 'b', 3, 4)", "(href, title, weight), got 4"),
        ("().link('a', 5)", "reflect: Call using int64 as type string"),
        ("(5)", "reflect: cannot use int64 as type string in Call"),
    ],
)
def test_bad_calls_are_refused_in_a_script(call: str, problem: str) -> None:
    with pytest.raises(ScriptError) as caught:
        scripted(f".wombat{call}")
    assert problem in str(caught.value)
