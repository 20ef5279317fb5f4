"""Services that send through a module that a person wrote."""

import asyncio
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.outbound.network import Network
from runtime.services.hooks import HookService
from runtime.testing.events import changed_event, sample_event


@dataclass(frozen=True)
class Config:
    name: str = "a"
    enabled: bool = True

    def validate(self):
        """Nothing can be wrong."""


@dataclass
class Hook:
    """Records its calls; errors are raised in order by `open` and `send`."""

    calls: list = field(default_factory=list)
    errors: list = field(default_factory=list)

    async def open(self, config, network):
        self.calls.append(f"open {config.name}")
        return config.name

    async def close(self, client):
        self.calls.append(f"close {client}")

    async def send(self, client, data):
        self.calls.append(f"send {data['text']} with {client}")
        await asyncio.sleep(0)
        if self.errors and (error := self.errors.pop(0)) is not None:
            raise error

    def check(self, options):
        if options == "x":
            raise OptionsError("no options x")

    def validate(self, config):
        if config.name == "x":
            raise ConfigError("no name x")


class Client:
    network = Network()


class Service(HookService):
    kind = "odd"
    extra = "odd"
    used = Hook()

    def hook(self):
        return self.used

    def data(self, config, options, event):
        return {"text": event.state.message} if event.state.message else None

    def default_handler_config(self):
        return None

    def test_options(self):
        return None

    def test_event(self, options):
        return options, sample_event()


@pytest.fixture
def hook(monkeypatch):
    hook = Hook()
    monkeypatch.setattr(Service, "used", hook)
    return hook


def event(text):
    return changed_event(sample_event(), {"message": text})


def deliver(*steps):
    """Run a service through events, given by their messages, and configurations."""
    errors = []

    async def run():
        service = Service(Config(), Client())
        for step in steps:
            if isinstance(step, Config):
                service.prepared([step])()
                continue
            try:
                await service.alert(None, event(step))
            except DeliveryError as error:
                errors.append(error)
        await service.close()

    asyncio.run(run())
    return errors


def test_a_client_serves_many_events(hook):
    assert deliver("1", "2") == []
    assert hook.calls == ["open a", "send 1 with a", "send 2 with a", "close a"]


def test_nothing_is_opened_for_nothing(hook):
    assert deliver("") == []
    assert hook.calls == []


def test_a_changed_configuration_has_a_client_of_its_own(hook):
    assert deliver("1", Config("b"), "2") == []
    assert hook.calls == [
        *("open a", "send 1 with a", "close a"),
        *("open b", "send 2 with b", "close b"),
    ]


@pytest.mark.parametrize(
    ("error", "shown", "retry", "is_reopened"),
    [
        (ConnectionResetError(104, "Connection reset"), "Connection reset", True, True),
        (TimeoutError(), "timed out", True, True),
        (DeliveryError("busy", retry=True), "busy", True, True),
        (DeliveryError("no such topic"), "no such topic", False, False),
        (
            ModuleNotFoundError("no", name="aiokafka"),
            'odd needs the library aiokafka; pip install "tests[odd]"',
            True,
            True,
        ),
    ],
    ids=["reset", "timeout", "busy", "refused", "library"],
)
def test_a_failure_costs_the_client_unless_it_is_a_refusal(
    hook, error, shown, retry, is_reopened
):
    hook.errors.append(error)
    [failure] = deliver("1", "2")
    assert (str(failure), failure.retry) == (shown, retry)
    again = ["close a", "open a"] if is_reopened else []
    assert hook.calls == ["open a", "send 1 with a", *again, "send 2 with a", "close a"]


def test_a_client_is_closed_when_its_last_delivery_has_ended(hook):
    hook.errors += [OSError("lost"), None]

    async def run():
        service = Service(Config(), Client())
        done = await asyncio.gather(
            service.alert(None, event("1")),
            service.alert(None, event("2")),
            return_exceptions=True,
        )
        await service.close()
        return done

    first, second = asyncio.run(run())
    assert isinstance(first, DeliveryError)
    assert second is True
    assert hook.calls == ["open a", "send 1 with a", "send 2 with a", "close a"]


def test_the_client_of_a_disabled_service_is_closed(hook):
    async def run():
        service = Service(Config(), Client())
        await service.alert(None, event("1"))
        service.prepared([Config(enabled=False)])()
        await service._retiring
        assert hook.calls[-1] == "close a"
        await service.close()

    asyncio.run(run())
    assert hook.calls == ["open a", "send 1 with a", "close a"]


def test_no_library_is_loaded_before_a_client_is_opened():
    program = """
import sys
from runtime.integrations.bundled import INTEGRATIONS
from runtime.outbound.client import AiohttpClient
from runtime.services.kafka.config import Config as Kafka
from runtime.services.smtp.config import Config as Smtp
from runtime.services.snmptrap.config import Config as SnmpTrap

tables = {
    "kafka": (Kafka(enabled=True, brokers=("h:1",)),),
    "smtp": Smtp(enabled=True, from_="a@example.com"),
    "snmptrap": SnmpTrap(enabled=True),
}
INTEGRATIONS.started(tables, AiohttpClient())
print(*({"aiokafka", "aiosmtplib", "pysnmp", "pyasn1", "ssl"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["ssl"]  # of the HTTP client


def test_a_hook_may_refuse_options(hook):
    service = Service(Config(), Client())
    service.handler("good").check()
    with pytest.raises(OptionsError, match="no options x"):
        service.handler("x").check()


def test_a_hook_may_refuse_a_configuration(hook):
    with pytest.raises(ConfigError, match="no name x"):
        Service(Config("x"), Client())
    Service(Config("x", enabled=False), Client())
    service = Service(Config(), Client())
    with pytest.raises(ConfigError, match="no name x"):
        service.prepared([Config("x")])


def test_a_missing_library_is_reported_at_the_start(monkeypatch):
    def hook(self):
        raise ModuleNotFoundError("No module named 'aiokafka'", name="aiokafka")

    monkeypatch.setattr(Service, "hook", hook)
    with pytest.raises(ConfigError) as caught:
        Service(Config(), Client())
    assert str(caught.value).startswith("odd needs the library aiokafka; pip install")
    Service(Config(enabled=False), Client())
