"""Environment overrides. The texts are Kapacitor's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from runtime.errors import ConfigError
from runtime.integrations.bundled import INTEGRATIONS
from runtime.secrets import Secret
from runtime.server.config.config import Config
from runtime.server.config.environment import apply, go_name


def test_names_follow_the_path() -> None:
    config = apply(
        Config(handlers=INTEGRATIONS.tables()),
        {
            "KAPACITOR_HOSTNAME": "h",
            "KAPACITOR_DATA_DIR": "/d",
            "KAPACITOR_HTTP_BIND_ADDRESS": ":1",
            "KAPACITOR_HTTP_SHUTDOWN_TIMEOUT": "1m",
            "KAPACITOR_ALERT_TOPIC_BUFFER_LENGTH": "0x20",
            "KAPACITOR_HIPCHAT_STATE_CHANGES_ONLY": "T",
            "KAPACITOR_HIPCHAT_TOKEN": "s",
            "KAPACITOR_HIPCHAT_ROOM": "",
            "KAPACITOR_NOPE": "x",
        },
    )
    assert (config.hostname, config.data_dir) == ("h", "/d")
    assert config.http.bind_address == ":1"
    assert config.http.shutdown_timeout == 60_000_000_000
    assert config.alert.topic_buffer_length == 32
    assert config.handlers["hipchat"].state_changes_only is True
    assert config.handlers["hipchat"].token == Secret("s")
    assert config.handlers["hipchat"].room == ""


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "HIPCHAT_ENABLED",
            "yes",
            "failed to apply KAPACITOR_HIPCHAT_ENABLED to Enabled using type bool "
            "and value 'yes'",
        ),
        (
            "ALERT_TOPIC_BUFFER_LENGTH",
            "abc",
            "failed to apply KAPACITOR_ALERT_TOPIC_BUFFER_LENGTH to TopicBufferLength "
            "using type int and value 'abc'",
        ),
        (
            "HTTP_SHUTDOWN_TIMEOUT",
            "abc",
            'failed to unmarshal env var: time: invalid duration "abc"',
        ),
        (
            "HTTP_SHUTDOWN_TIMEOUT",
            "5",
            'failed to unmarshal env var: time: missing unit in duration "5"',
        ),
    ],
)
def test_values_must_fit(name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        apply(Config(handlers=INTEGRATIONS.tables()), {f"KAPACITOR_{name}": value})
    assert str(caught.value) == f"apply env config: {message}"


@pytest.mark.parametrize(
    ("text", "number"),
    [("0o17", 15), ("017", 15), ("0b1", 1), ("-5", -5), ("08", None)],
)
def test_integers_as_go_writes_them(text: str, number: int | None) -> None:
    environ = {"KAPACITOR_ALERT_TOPIC_BUFFER_LENGTH": text}
    if number is None:
        with pytest.raises(ConfigError):
            apply(Config(), environ)
    else:
        assert apply(Config(), environ).alert.topic_buffer_length == number


@dataclass(frozen=True, slots=True)
class Element:
    channel: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lists:
    slack: tuple[Element, ...] = (Element("a"), Element("b", {"x": "1"}))
    to: tuple[str, ...] = ("a",)
    empty: tuple[str, ...] = ()


def test_items_that_exist_can_be_replaced() -> None:
    changed = apply(
        Config(handlers={"chat": Lists()}),
        {
            "KAPACITOR_CHAT_SLACK_1_CHANNEL": "c",
            "KAPACITOR_CHAT_SLACK_1_HEADERS_Name": "v",
            "KAPACITOR_CHAT_SLACK_2_CHANNEL": "d",
            "KAPACITOR_CHAT_TO_0": "b",
            "KAPACITOR_CHAT_TO_1": "c",
            "KAPACITOR_CHAT_EMPTY_0": "d",
        },
    )
    headers = {"x": "1", "Name": "v"}
    assert changed.handlers["chat"] == Lists(
        (Element("a"), Element("c", headers)), ("b",)
    )


@dataclass(frozen=True, slots=True)
class Pair:
    value: object


@dataclass(frozen=True, slots=True)
class AnyTypes:
    deep: object = field(default_factory=lambda: {"a": [1]})
    several: object = ("a", {"b": 1})
    extra: dict[str, object] = field(default_factory=lambda: {"n": 1, "m": [1]})
    pairs: tuple[Pair, ...] = (Pair({"x": [1]}), Pair([{"y": 2}]), Pair(3))
    items: tuple[object, ...] = ({"z": 1}, "z")


def test_values_of_any_type_are_left_alone() -> None:
    config = Config(handlers={"chat": AnyTypes()})
    assert apply(config, {"KAPACITOR_CHAT_NOPE": "x"}) == config


def test_values_of_any_type_are_set_in_json() -> None:
    changed = apply(
        Config(handlers={"chat": AnyTypes()}),
        {
            "KAPACITOR_CHAT_DEEP": '{"b": 2}',
            "KAPACITOR_CHAT_SEVERAL": "a word",
            "KAPACITOR_CHAT_EXTRA_n": "[2]",
            "KAPACITOR_CHAT_EXTRA_k": "v",
            "KAPACITOR_CHAT_PAIRS_0_VALUE": "5",
            "KAPACITOR_CHAT_PAIRS_1_VALUE": "[6]",
            "KAPACITOR_CHAT_ITEMS_0": '{"z": 2}',
        },
    )
    assert changed.handlers["chat"] == AnyTypes(
        deep={"b": 2},
        several="a word",
        extra={"n": [2], "m": [1], "k": "v"},
        pairs=(Pair(5), Pair([6]), Pair(3)),
        items=({"z": 2}, "z"),
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("state_changes_only", "StateChangesOnly"),
        ("url", "URL"),
        ("global_", "Global"),
        ("api_key", "APIKey"),
    ],
)
def test_go_names(name: str, expected: str) -> None:
    assert go_name(name) == expected
