"""Former names of settings and options: accepted everywhere, each with one warning."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from runtime.errors import ConfigError, OptionsError, ScriptError
from runtime.integration import Integrations
from runtime.integrations.bundled import INTEGRATIONS
from runtime.pipeline.evaluate import EvaluatedScript, evaluate
from runtime.pipeline.handler import AlertHandler
from runtime.secrets import NO_SECRET, Secret
from runtime.server.config.config import Config as ServerConfig
from runtime.server.config.environment import apply, doubtful_names
from runtime.server.config.file import decode as decode_file
from runtime.services.alert.specs import redacted
from runtime.services.hipchat import config as hipchat
from runtime.services.hipchat.handler import HandlerConfig
from runtime.services.hipchat.property import HipChatHandler
from runtime.services.hipchat.service import Service
from runtime.services.options import decode
from runtime.settings import setting
from runtime.tick.parser import parse
from tests.runtime.alerting import TASK
from tests.runtime.conftest import Api


@dataclass(frozen=True, slots=True)
class Config:
    enabled: bool = False
    room: str = setting("", formerly=("channel", "chat-room"))
    room_id: str = ""
    token: Secret = setting(NO_SECRET, formerly=("key",))
    teams: tuple[str, ...] = setting((), formerly=("groups",))
    labels: dict[str, str] = field(
        default_factory=dict, metadata={"formerly": ("marks",)}
    )

    def validate(self) -> None:
        """Accept all values."""


@dataclass(slots=True)
class ChimeHandler(AlertHandler):
    room: str = setting("", formerly=("channel", "chatRoom"))
    teams: tuple[str, ...] = setting((), formerly=("groups",))
    labels: dict[str, str] = field(
        default_factory=dict, metadata={"tick": "label", "formerly": ("mark",)}
    )
    urgent: bool = setting(False, formerly=("loud",))


CHIME = Integrations(
    sections={"chime": Config},
    properties={"chime": ChimeHandler},
    node_handlers={"chime": ChimeHandler},
)


def in_file(text: str) -> tuple[Any, tuple[str, ...]]:
    loaded = decode_file(f"[chime]\n{text}\n", CHIME)
    return loaded.config.handlers["chime"], loaded.warnings


@pytest.mark.parametrize(
    ("text", "expected", "warning"),
    [
        ("channel = 'a'", {"room": "a"}, "chime.channel is deprecated: use chime.room"),
        (
            "Chat-Room = 'a'",
            {"room": "a"},
            "chime.Chat-Room is deprecated: use chime.room",
        ),
        (
            "key = 's'",
            {"token": Secret("s")},
            "chime.key is deprecated: use chime.token",
        ),
        (
            "groups = ['a']",
            {"teams": ("a",)},
            "chime.groups is deprecated: use chime.teams",
        ),
        (
            "[chime.marks]\na = 'b'",
            {"labels": {"a": "b"}},
            "chime.marks is deprecated: use chime.labels",
        ),
    ],
)
def test_a_file(text: str, expected: Mapping[str, Any], warning: str) -> None:
    assert in_file(text) == (Config(**expected), (f"line 2: {warning}",))


@pytest.mark.parametrize(
    ("text", "line", "old"),
    [
        ("room = 'a'\nchannel = 'a'", 3, "channel"),
        ("channel = 'a'\nroom = ''", 2, "channel"),
        ("chat-room = 'a'\nchannel = 'b'", 2, "chat-room"),
        ("CHANNEL = 'a'\nROOM = 'b'", 2, "CHANNEL"),
    ],
)
def test_a_file_with_two_names(text: str, line: int, old: str) -> None:
    with pytest.raises(ConfigError) as caught:
        in_file(text)
    assert str(caught.value) == (
        f'toml: line {line} (last key "chime.{old}"): chime.{old} is the former name of '
        f"chime.room, which is set too: remove chime.{old}"
    )


def in_environment(**variables: str) -> tuple[Any, list[str]]:
    names = {f"KAPACITOR_{name}": value for name, value in variables.items()}
    config = apply(ServerConfig(handlers=CHIME.tables()), names)
    return config.handlers["chime"], list(doubtful_names(config, names))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("CHANNEL", "ROOM", {"room": "1"}),
        ("CHAT_ROOM", "ROOM", {"room": "1"}),
        ("KEY", "TOKEN", {"token": Secret("1")}),
        ("MARKS_a", "LABELS_a", {"labels": {"a": "1"}}),
    ],
)
def test_the_environment(old: str, new: str, expected: Mapping[str, Any]) -> None:
    prefix = "KAPACITOR_CHIME"
    warning = f"{prefix}_{old} is deprecated: use {prefix}_{new}"
    assert in_environment(**{f"CHIME_{old}": "1"}) == (Config(**expected), [warning])
    assert in_environment(**{f"CHIME_{new}": "1"}) == (Config(**expected), [])


def test_the_environment_with_two_names() -> None:
    for old, new, present in (
        ("CHANNEL", "ROOM", "ROOM"),
        ("CHAT_ROOM", "CHANNEL", "ROOM"),
        ("MARKS_a", "LABELS_b", "LABELS"),
    ):
        with pytest.raises(ConfigError) as caught:
            in_environment(**{f"CHIME_{old}": "1", f"CHIME_{new}": "2"})
        assert "is the former name of" in str(caught.value)
        assert f"KAPACITOR_CHIME_{present}, which is set too" in str(caught.value)


def test_a_longer_name_is_another_setting() -> None:
    made, warnings = in_environment(CHIME_CHANNEL="a", CHIME_ROOM_ID="b")
    assert (made.room, made.room_id, len(warnings)) == ("a", "b", 1)


def test_the_environment_wins_over_the_file_by_any_name() -> None:
    loaded = decode_file("[chime]\nchannel = 'a'\n", CHIME)
    changed = apply(loaded.config, {"KAPACITOR_CHIME_ROOM": "b"})
    assert changed.handlers["chime"].room == "b"
    loaded = decode_file("[chime]\nroom = 'a'\n", CHIME)
    changed = apply(loaded.config, {"KAPACITOR_CHIME_CHANNEL": "b"})
    assert changed.handlers["chime"].room == "b"


def test_options() -> None:
    given = {"Channel": "a", "key": "s", "groups": ["b"], "marks": {"c": "d"}}
    made = decode(given, Config(), type_name="x")
    assert made == Config(room="a", token=Secret("s"), teams=("b",), labels={"c": "d"})


def test_options_with_two_names() -> None:
    with pytest.raises(OptionsError) as caught:
        decode({"channel": "a", "room": "b"}, Config(), type_name="x")
    expected = (
        "'': channel is the former name of room, which is set too: remove channel"
    )
    assert expected in str(caught.value)


def test_a_wrong_option_is_named_as_it_was_written() -> None:
    with pytest.raises(OptionsError, match="'channel' expected type 'string'"):
        decode({"channel": 1}, Config(), type_name="x")


def test_a_secret_is_hidden_under_its_former_name() -> None:
    assert redacted({"KEY": "s"}, Config()) == {"KEY": "***"}


def script(properties: str) -> EvaluatedScript:
    text = f"stream|from()|alert().chime(){properties}"
    return evaluate(parse(text), "stream", handlers=CHIME.handler_properties)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (".channel('a')", ".room('a')"),
        (".ChatRoom('a')", ".room('a')"),
        (".groups('a', 'b')", ".teams('a', 'b')"),
        (".mark('a', 'b').mark('c', 'd')", ".label('a', 'b').label('c', 'd')"),
        (".loud()", ".urgent()"),
    ],
)
def test_a_property(old: str, new: str) -> None:
    handlers = []
    for each in (old, new):
        [node] = [x for x in script(each).pipeline.nodes if x.name.startswith("alert")]
        handlers += node.handlers  # type: ignore[attr-defined]
    assert handlers[0] == handlers[1]
    [caveat] = script(old).pipeline.caveats()
    name = new[1:].partition("(")[0]
    assert caveat.startswith("alert2: .")
    assert caveat.endswith(f"() is deprecated: use .{name}()")
    assert script(new).pipeline.caveats() == []


@pytest.mark.parametrize(
    ("properties", "old"),
    [
        (".channel('a').room('b')", "channel"),
        (".room('a').channel('')", "channel"),
        (".channel('a').chatRoom('b')", "chatRoom"),
    ],
)
def test_a_property_by_two_names(properties: str, old: str) -> None:
    with pytest.raises(ScriptError) as caught:
        script(properties)
    assert str(caught.value).endswith(
        f": .{old}() is the former name of .room(), which is set too: remove .{old}()"
    )


def test_two_handlers_may_have_different_names() -> None:
    made = script(".channel('a').chime().room('b')")
    assert made.pipeline.caveats() == ["alert2: .channel() is deprecated: use .room()"]


# HipChat, whose room is called hall now


@dataclass(frozen=True, slots=True)
class HallConfig(hipchat.Config):
    room: str = setting("", key="hall", formerly=("room",))


@dataclass(frozen=True, slots=True)
class HallOptions(HandlerConfig):
    room: str = setting("", key="hall", formerly=("room",))


@dataclass(slots=True)
class HallHandler(HipChatHandler):
    room: str = setting("", tick="hall", formerly=("room",))


class HallService(Service):
    def default_handler_config(self) -> HallOptions:
        return HallOptions()


def renamed(before: Integrations) -> Integrations:
    changes: dict[str, tuple[str, Any]] = {
        "sections": ("hipchat", HallConfig),
        "services": ("hipchat", HallService),
        "kinds": ("hipchat", HallOptions),
        "properties": ("hipChat", HallHandler),
        "node_handlers": ("hipchat", HallHandler),
    }
    return Integrations(
        **{
            table: {**getattr(before, table), name: made}
            for table, (name, made) in changes.items()
        }
    )


SCRIPT = TASK["script"] + ".hipChat().room('a')"  # type: ignore[operator]
ADVICE = "deprecated: use"


@pytest.fixture
def upgrade(
    api: Api,
    config: ServerConfig,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Callable[[], list[str]]:
    """Starts the server again with the new name; returns what it warns of."""

    def restart() -> list[str]:
        after = renamed(INTEGRATIONS)
        monkeypatch.setattr(api, "_integrations", after)
        config.handlers = after.tables()
        caplog.clear()
        api.restart()
        return warnings(caplog)

    return restart


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.message for each in caplog.records if ADVICE in each.message]


def post(api: Api, **update: object) -> tuple[int, str]:
    return api.ask("POST", "/config/hipchat/", update)


def hall(api: Api) -> object:
    options = api.json("GET", "/config/hipchat/")["options"]
    assert "room" not in options
    return options["hall"]


def test_the_override_api(
    api: Api, upgrade: Callable[[], list[str]], caplog: Any
) -> None:
    upgrade()
    assert post(api, set={"room": "a"}) == (204, "")
    assert warnings(caplog) == ["option room is deprecated: use hall"]
    assert hall(api) == "a"
    assert post(api, set={"hall": "b"}) == (204, "")
    assert hall(api) == "b"
    status, text = post(api, set={"room": "a", "hall": "b"})
    assert (status, text) == (
        400,
        "failed to override configuration hipchat/: room is the former name of hall, "
        "which is set too: remove room",
    )
    assert post(api, delete=["room"]) == (204, "")
    assert hall(api) == ""


def test_a_stored_override_gets_the_present_name(
    api: Api, upgrade: Callable[[], list[str]]
) -> None:
    assert post(api, set={"room": "a"}) == (204, "")
    assert upgrade() == []
    assert hall(api) == "a"
    # and no longer needs the former one
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("runtime.settings.former_names", lambda field: ())
        api.restart()
        assert hall(api) == "a"


def test_a_stored_handler_goes_on(api: Api, upgrade: Callable[[], list[str]]) -> None:
    handler = {"id": "h", "kind": "hipchat", "options": {"room": "a"}}
    api.json("POST", "/alerts/topics/cpu/handlers", handler)
    assert upgrade() == ["option room is deprecated: use hall"]
    assert api.json("GET", "/alerts/topics/cpu/handlers/h")["options"] == {"room": "a"}
    changed = {**handler, "options": {"room": "a", "hall": "b"}}
    _, text = api.ask("PUT", "/alerts/topics/cpu/handlers/h", changed)
    assert "room is the former name of hall" in text


def test_a_stored_task_goes_on(api: Api, upgrade: Callable[[], list[str]]) -> None:
    api.json("POST", "/tasks", {**TASK, "script": SCRIPT})
    assert upgrade() == ["alert2: .room() is deprecated: use .hall()"]
    answer = api.answer("GET", "/kapacitor/v1/tasks/t")
    expected = '199 kapacitor "alert2: .room() is deprecated: use .hall()"'
    assert answer.headers["Warning"] == expected
    assert json.loads(answer.body)["executing"]
