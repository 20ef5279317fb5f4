"""The rules between several sections of one service, and the choice among them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.integration import Integrations
from runtime.outbound.client import Request, Response
from runtime.outbound.connection import Certificates
from runtime.services.instanced import InstancesService
from runtime.services.instances import Instances
from runtime.testing.events import sample_event


@dataclass(frozen=True)
class Chat:
    instances: ClassVar[Instances] = Instances("workspace", "workspace", "Chat", "flag")

    enabled: bool = True
    default: bool = False
    workspace: str = ""
    url: str = ""
    ca: str = ""
    global_: bool = False
    state_changes_only: bool = False

    def validate(self) -> None:
        """Nothing can be wrong."""


@dataclass(frozen=True)
class Cluster:
    instances: ClassVar[Instances] = Instances("id", "cluster", "Relay", "none")

    enabled: bool = True
    id: str = "default"
    url: str = ""

    def validate(self) -> None:
        """Nothing can be wrong."""


@dataclass(frozen=True)
class Room:
    instances: ClassVar[Instances] = Instances("name", "room-name", "Room", "only")

    enabled: bool = True
    name: str = ""
    url: str = ""


@dataclass(frozen=True)
class Workspace:
    workspace: str = ""


@dataclass(frozen=True)
class ClusterChoice:
    cluster: str = ""


@dataclass(frozen=True)
class RoomChoice:
    room_name: str = ""


class Client:
    """Keeps the URLs that it is asked for."""

    def __init__(self):
        self.urls = []

    async def send(self, request):
        self.urls.append(request.url)
        return Response(200)


class Service(InstancesService):
    kind = "chat"
    config_type = Chat
    options_type = Workspace

    def default_handler_config(self):
        return self.options_type()

    def certificates(self, config):
        return Certificates(ca=getattr(config, "ca", ""))

    def request(self, config, options, event):
        return Request("POST", config.url)

    def test_options(self):
        return None

    def test_event(self, options):
        return self.options_type(), sample_event()


class Clusters(Service):
    kind = "relay"
    config_type = Cluster
    options_type = ClusterChoice


class Rooms(Service):
    kind = "room"
    config_type = Room
    options_type = RoomChoice


def sent(service, options):
    """The URL that an event was sent to, or the error."""
    try:
        asyncio.run(service.handler(options).handle(sample_event()))
    except DeliveryError as error:
        assert error.retry
        return str(error)
    return service._client.urls.pop()


A = Chat(default=True, workspace="a", url="http://a", global_=True)
B = Chat(workspace="b", url="http://b")


def test_a_handler_chooses_by_name():
    service = Service([A, B], Client())
    assert sent(service, Workspace("a")) == "http://a"
    assert sent(service, Workspace("b")) == "http://b"
    assert sent(service, Workspace("")) == "http://a"
    assert sent(service, Workspace("c")) == "workspace id not found"


def test_a_lone_section_is_the_default_one():
    service = Service([B], Client())
    assert sent(service, Workspace("")) == "http://b"
    assert sent(service, Workspace("b")) == "http://b"
    assert service.config is B


def test_an_unnamed_default_stands_beside_named_ones():
    unnamed = Chat(default=True, url="http://unnamed")
    service = Service([unnamed, B], Client())
    assert sent(service, Workspace("")) == "http://unnamed"
    assert sent(service, Workspace("b")) == "http://b"


def test_without_sections_nothing_is_found():
    assert sent(Service([], Client()), Workspace("")) == "no chat configuration found"


def test_each_section_is_enabled_by_itself():
    off = Chat(enabled=False, workspace="off")
    service = Service([A, off], Client())
    assert sent(service, Workspace("off")) == "service is not enabled"
    assert sent(service, Workspace("a")) == "http://a"


def test_the_switches_are_those_of_the_default():
    service = Service([A, B], Client())
    assert service.is_global
    assert not service.state_changes_only
    assert not Clusters([Cluster()], Client()).is_global


def test_without_a_default_each_handler_chooses():
    service = Clusters([Cluster(id="one", url="http://one")], Client())
    assert sent(service, ClusterChoice("one")) == "http://one"
    assert sent(service, ClusterChoice("")) == 'unknown cluster ""'
    assert sent(service, ClusterChoice("two")) == 'unknown cluster "two"'
    # for the service test
    assert service.config.id == "one"


def test_only_a_lone_section_is_the_default():
    one, two = Room(name="one", url="http://one"), Room(name="two", url="http://two")
    assert sent(Rooms([one], Client()), RoomChoice()) == "http://one"
    both = Rooms([one, two], Client())
    assert sent(both, RoomChoice()) == 'unknown room-name ""'
    assert sent(both, RoomChoice("two")) == "http://two"


def test_a_definition_for_a_missing_section_is_refused():
    service = Clusters([Cluster()], Client())
    service.handler(ClusterChoice("default")).check()
    with pytest.raises(OptionsError, match='unknown cluster "x"'):
        service.handler(ClusterChoice("x")).check()
    # as in Kapacitor it is accepted where there is a default
    Service([A], Client()).handler(Workspace("x")).check()


def test_sections_come_and_go():
    service = Service([A], Client())
    assert sent(service, Workspace("b")) == "workspace id not found"
    put_in_force = service.prepared([A, B])
    assert sent(service, Workspace("b")) == "workspace id not found"
    put_in_force()
    assert sent(service, Workspace("b")) == "http://b"
    service.prepared([A])()
    assert sent(service, Workspace("b")) == "workspace id not found"


@pytest.mark.parametrize(
    ("configs", "text"),
    [
        (
            [Chat(workspace="a"), B],
            "at least one Chat config must be set as default",
        ),
        (
            [A, Chat(workspace="b", global_=True)],
            "only the default config may be assigned as global",
        ),
        (
            [A, Chat(workspace="b", state_changes_only=True)],
            "stateChangesOnly may only be assigned when the config is both default "
            "and global",
        ),
        (
            [Chat(default=True, state_changes_only=True)],
            "stateChangesOnly may only be assigned when the config is both default "
            "and global",
        ),
        (
            [A, Chat(workspace="b", ca="/no/such/file")],
            "Could not load TLS CA: open /no/such/file: no such file or directory "
            "(ssl-ca)",
        ),
        (
            [A, Cluster()],
            "expected config object to be of type chat.Config, got Cluster",
        ),
    ],
)
def test_a_change_is_refused(configs, text):
    service = Service([A], Client())
    with pytest.raises(ConfigError) as caught:
        service.prepared(configs)
    assert str(caught.value) == text
    assert sent(service, Workspace("")) == "http://a"


def test_the_default_can_move_by_single_changes():
    service = Service([A, B], Client())
    both = Chat(default=True, workspace="b", url="http://b", global_=True)
    service.prepared([A, both])()
    assert sent(service, Workspace("")) == "http://b"
    service.prepared([Chat(workspace="a", url="http://a"), both])()
    assert sent(service, Workspace("")) == "http://b"
    assert service.is_global


@pytest.mark.parametrize(
    ("configs", "text"),
    [
        ([A, Chat(url="http://x")], "id must not be empty"),
        ([A, B, B], 'workspace "b" is not unique'),
        (
            [A, Chat(default=True, workspace="b")],
            "only one Chat config may be set as default",
        ),
        (
            [Chat(workspace="a"), B],
            "at least one Chat config must be set as default",
        ),
        (
            [A, Chat(workspace="b", global_=True)],
            "only the default config may be assigned as global",
        ),
        ([Cluster(id="")], "id must not be empty"),
        ([Cluster(), Cluster()], 'id "default" is not unique'),
        ([Room(name="a"), Room()], "id must not be empty"),
    ],
)
def test_a_file_is_refused(configs, text):
    with pytest.raises(ConfigError) as caught:
        configs[0].instances.validate(configs)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "configs",
    [
        [Chat()],
        [Chat(global_=True)],
        [A, B],
        [Cluster(enabled=False, id="")],
        [Cluster(), Cluster(id="b")],
        [Room()],
        [Room(name="a"), Room(name="b")],
    ],
)
def test_a_file_is_accepted(configs):
    configs[0].instances.validate(configs)


def test_a_file_without_the_section_has_its_initial_one():
    tables = Integrations({"a": Chat, "b": Cluster, "c": Room}).tables()
    assert tables == {
        "a": (Chat(default=True),),
        "b": (Cluster(),),
        "c": (Room(),),
    }


def test_a_nameless_section_that_none_could_choose_is_not_there():
    @dataclass(frozen=True)
    class Nameless:
        instances: ClassVar[Instances] = Instances("id", "id", "Nameless", "none")

        enabled: bool = False
        id: str = ""

    assert Integrations({"a": Nameless}).tables() == {"a": ()}
