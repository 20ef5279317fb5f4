"""The modules of a service are imported when it is needed, not before."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import runtime.services.foo
from runtime.errors import ConfigError
from runtime.integration import Integrations
from runtime.server.config.config import Config
from runtime.server.config.environment import apply, doubtful_names
from runtime.server.config.file import decode
from runtime.testing.loopback import LoopbackServer
from tests.runtime.alerting import QUICK, TASK, alert
from tests.runtime.conftest import Api, StartApi

PARTS = ("config", "handler", "property", "service")
OPENED = """
    async def open(self) -> None:
        print("opened")
"""
Write = Callable[..., Integrations]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a package with the service `foo` under another name.

    Its arguments are modules with other content.
    """
    folder, source = tmp_path / "on_demand", Path(runtime.services.foo.__file__).parent
    monkeypatch.syspath_prepend(tmp_path)

    def written(**contents: str) -> Integrations:
        folder.mkdir()
        (folder / "__init__.py").touch()
        for part in PARTS:
            text = (source / f"{part}.py").read_text()
            text = text.replace("runtime.services.foo", "on_demand")
            (folder / f"{part}.py").write_text(contents.get(part, text))
        return Integrations(
            sections={"foo": "on_demand.config:Config"},
            services={"foo": "on_demand.service:Service"},
            kinds={"foo": "on_demand.handler:HandlerConfig"},
            properties={"foo": "on_demand.property:FooHandler"},
            node_handlers={"foo": "on_demand.property:FooHandler"},
        )

    yield written
    for name in [name for name in sys.modules if name.startswith("on_demand")]:
        del sys.modules[name]


def loaded() -> list[str]:
    """The modules of the service that are imported."""
    return [part for part in PARTS if f"on_demand.{part}" in sys.modules]


@pytest.fixture
def start(config: Config, start_api: StartApi) -> Callable[..., Api]:
    """Starts a server with the sections of a configuration file."""

    def started(integrations: Integrations, text: str = "", **environ: str) -> Api:
        config.handlers = decode(text, integrations).config.handlers
        config.delivery = QUICK
        changed = apply(config, environ)
        changed.validate()
        return start_api(changed, integrations=integrations)

    return started


def test_nobody_needs_a_service_that_is_not_named(write: Write, start: Any) -> None:
    api = start(write())
    api.json("POST", "/tasks", TASK)
    alert(api, "a")
    assert api.json("GET", "/alerts/topics/cpu")["level"] == "CRITICAL"
    assert loaded() == []


@pytest.mark.parametrize(
    ("text", "environ"),
    [("[foo]\nenabled = false\n", {}), ("", {"KAPACITOR_FOO_ROOM": "r"})],
)
def test_a_disabled_section_needs_its_class_only(
    write: Write, start: Any, text: str, environ: dict[str, str]
) -> None:
    api = start(write(), text, **environ)
    assert loaded() == ["config"]
    [shown] = api.json("GET", "/config/foo")["elements"]
    assert shown["options"]["room"] == environ.get("KAPACITOR_FOO_ROOM", "")
    assert loaded() == ["config"]


def test_an_enabled_service_is_made_at_the_start(write: Write, start: Any) -> None:
    with LoopbackServer() as chat:
        api = start(write(), f"[foo]\nenabled = true\nurl = '{chat.url}'\n")
        assert "service" in loaded()
        answer = api.json("POST", "/service-tests/foo", {})
        assert answer == {"success": True, "message": ""}
        assert chat.next().json["message"] == "test foo message"


def test_a_service_enabled_over_the_api_alerts(
    write: Write, start: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    integrations = write()
    service = Path(sys.path[0], "on_demand", "service.py")
    service.write_text(service.read_text() + OPENED)
    with LoopbackServer() as chat:
        api = start(integrations)
        api.json("POST", "/tasks", TASK)
        assert loaded() == []
        update = {"set": {"enabled": True, "url": chat.url, "room": "ops"}}
        api.json("POST", "/config/foo/", update)
        handler = {"id": "h", "kind": "foo", "options": {}}
        api.json("POST", "/alerts/topics/cpu/handlers", handler)
        alert(api, "a")
        assert api.run(asyncio.to_thread(chat.next)).json == {
            "room": "ops",
            "message": "a is CRITICAL",
        }
        assert capsys.readouterr().out == "opened\n"
        # the override is stored, and so is the handler
        api.restart()
        alert(api, "b")
        assert api.run(asyncio.to_thread(chat.next)).json["message"] == "b is CRITICAL"


def test_events_wait_for_a_service_that_is_enabled_later(
    write: Write, start: Any
) -> None:
    with LoopbackServer() as chat:
        api = start(write())
        script = TASK["script"].replace(".topic('cpu')", ".foo().room('r')")
        api.json("POST", "/tasks", {**TASK, "script": script})
        assert loaded() == list(PARTS)
        alert(api, "a")
        update = {"set": {"enabled": True, "url": chat.url}}
        api.json("POST", "/config/foo/", update)
        assert api.run(asyncio.to_thread(chat.next)).json["room"] == "r"


def test_lists_name_every_service(write: Write, start: Any) -> None:
    api = start(write())
    tree = api.json("GET", "/service-tests?pattern=ba*")
    assert (tree["services"], loaded()) == (None, [])
    tests = api.json("GET", "/service-tests")["services"]
    [options] = [each["options"] for each in tests if each["name"] == "foo"]
    assert options["message"] == "test foo message"
    assert "foo" in api.json("GET", "/config")["sections"]


def test_a_service_that_cannot_be_loaded_is_named_where_it_is_needed(
    write: Write, start: Any
) -> None:
    api = start(write(service="import nowhere_at_all\n"))
    problem = (
        "cannot load the service 'foo' (on_demand.service:Service): importing "
        "on_demand.service failed with ModuleNotFoundError: No module named "
        "'nowhere_at_all'. Repair or uninstall it"
    )
    script = TASK["script"].replace(".topic('cpu')", ".foo()")
    handler = {"id": "h", "kind": "foo", "options": {}}
    for method, path, body in (
        ("POST", "/tasks", {**TASK, "script": script}),
        ("POST", "/alerts/topics/cpu/handlers", handler),
        ("POST", "/config/foo/", {"set": {"room": "r"}}),
        ("GET", "/service-tests/foo", None),
    ):
        status, text = api.ask(method, path, body)
        assert status >= 400, path
        assert problem in text, path
    # other tasks run, and the server does
    api.json("POST", "/tasks", {**TASK, "id": "other"})
    alert(api, "a")


def test_a_handler_in_scripts_that_cannot_be_loaded_is_named(
    write: Write, start: Any
) -> None:
    api = start(write(property="class FooHandlr: pass\n"))
    script = TASK["script"].replace(".topic('cpu')", ".foo()")
    status, text = api.ask("POST", "/tasks", {**TASK, "script": script})
    assert status == 400
    assert "cannot load the property 'foo' (on_demand.property:FooHandler)" in text
    assert "on_demand.property has no class FooHandler. Correct the reference" in text


def test_an_enabled_service_that_cannot_be_loaded_ends_the_start(
    write: Write, start: Any
) -> None:
    integrations = write(service="1 / 0\n")
    with pytest.raises(ConfigError, match="cannot load the service 'foo'"):
        start(integrations, "[foo]\nenabled = true\nurl = 'http://x'\n")


def test_a_misspelled_variable_is_compared_with_those_of_all(write: Write) -> None:
    integrations = write()
    config = Config(handlers=integrations.tables())
    assert list(doubtful_names(config, {"KAPACITOR_URL": "x"})) == []
    assert loaded() == []
    [text] = doubtful_names(config, {"KAPACITOR_FOO_ROM": "x"})
    assert text.endswith('did you mean "KAPACITOR_FOO_ROOM"?')
