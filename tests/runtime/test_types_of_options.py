"""Options and settings of all types, by each way that values come in and go out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from runtime.errors import ConfigError, ScriptError
from runtime.integration import Integrations
from runtime.nodes.alert.handlers import from_tick
from runtime.options import decode
from runtime.pipeline.alert import AlertNode
from runtime.pipeline.evaluate import evaluate
from runtime.pipeline.handler import AlertHandler
from runtime.pipeline.properties import HandlerProperties
from runtime.server.config import file
from runtime.server.config.environment import apply
from runtime.server.config.text import dump
from runtime.services.config.sections import options
from runtime.services.config.values import converted
from runtime.services.servicetest.options import merged, shown
from runtime.settings import setting
from runtime.tick.parser import parse
from runtime.units import SECOND, Duration

DATA = {"a": [1, 2.5, True, "x", {"b": -1}], "c": ""}


@dataclass(frozen=True, slots=True)
class Config:
    """A section, and the options of a handler."""

    extra: object = ""
    labels: dict[str, object] = field(default_factory=dict)
    codes: tuple[object, ...] = ()

    def validate(self) -> None:
        """Accept all values."""


@dataclass(slots=True)
class WombatHandler(AlertHandler):
    """The property of alert nodes."""

    extra: object = None
    labels: dict[str, object] = field(default_factory=dict, metadata={"tick": "label"})
    codes: tuple[object, ...] = setting((), tick="code")


INTEGRATIONS = Integrations(sections={"wombat": Config})
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
    assert shown(FILLED) == {
        "extra": DATA,
        "labels": {"deep": DATA, "n": 1, "x": 1.5},
        "codes": [1, "two", 3.0, [DATA]],
    }


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
    assert options(Config(7, labels)) == {
        "codes": None,
        "extra": 7,
        "labels": {"token": "***", "n": 1, "deep": [{"password": "***"}]},
    }


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
