"""Messages to a fake Kafka broker; those to a real one are in `test_hook_broker.py`."""

import contextlib

import pytest

from runtime.errors import ConfigError, DeliveryError, OptionsError
from runtime.outbound.addresses import DeniedNetworks
from runtime.outbound.client import AiohttpClient, TimeLimits
from runtime.outbound.dialing import Dialer
from runtime.secrets import Secret
from runtime.services.kafka import hook
from runtime.services.kafka.config import Config
from runtime.services.kafka.handler import HandlerConfig
from runtime.services.kafka.service import Service
from runtime.testing.events import changed_event, sample_event
from runtime.testing.loopback import Answer
from runtime.units import SECOND, Duration
from tests.runtime.services.kafka.fake import Broker
from tests.runtime.services.limited import running

SERVICE = {
    "sasl_mechanism": "OAUTHBEARER",
    "sasl_oauth_client_id": "me",
    "sasl_oauth_client_secret": Secret("s3cret"),
}
MESSAGE_TOO_LARGE, NOT_AUTHORIZED, NO_LEADER = 10, 29, 5


@contextlib.asynccontextmanager
async def service(*configs, dialer=None):
    client = AiohttpClient(TimeLimits(), dialer)
    made = Service(configs, client)
    try:
        yield made
    finally:
        await made.close()
        await client.close()


def config(broker, **settings):
    usual = {"id": "main", "timeout": Duration(2 * SECOND), **settings}
    return Config(enabled=True, brokers=(f"127.0.0.1:{broker.port}",), **usual)


def options(**given):
    return HandlerConfig(**{"cluster": "main", "topic": "test", **given})


@pytest.mark.parametrize(
    ("key", "partition"), [("kapacitor/cpu/serverA", 2), ("id", 3)]
)
def test_kapacitors_messages(key, partition):
    async def test():
        async with (
            Broker().running() as broker,
            service(config(broker)) as kafka,
        ):
            event = changed_event(sample_event(), {"id": key})
            await kafka.alert(options(), event)
            await kafka.alert(options(partitionalgorithm="murmur2"), event)
            assert broker.clients == {"main"}
        first, second = broker.messages
        assert first[:3] == ("test", partition, key.encode())
        assert first.value.startswith(b'{"id":"')
        assert first.value.endswith(b'"recoverable":true}\n')
        # the handlers of one topic need not agree about the hash
        chosen = hook.chosen((1, 2, 3), key.encode(), "murmur2")
        assert second.partition == chosen

    running(test())


def test_clusters_have_connections_of_their_own():
    async def test():
        async with (
            Broker().running() as one,
            Broker().running() as two,
            service(config(one), config(two, id="other")) as kafka,
        ):
            await kafka.alert(options(), sample_event())
            await kafka.alert(options(cluster="other"), sample_event())
            await kafka.alert(options(), sample_event())
            assert (len(one.messages), len(two.messages)) == (2, 1)
            # the connection of the one that stays is kept
            kept = kafka._clients["main"].client
            kafka.prepared([config(one)])()
            await kafka._retiring
            assert {key: each.client for key, each in kafka._clients.items()} == {
                "main": kept
            }
            with pytest.raises(DeliveryError, match='unknown cluster "other"') as error:
                await kafka.alert(options(cluster="other"), sample_event())
            assert error.value.deferred

    running(test())


@pytest.mark.parametrize(
    ("code", "retry", "shown"),
    [
        (MESSAGE_TOO_LARGE, False, "MessageSizeTooLargeError"),
        (NOT_AUTHORIZED, False, "TopicAuthorizationFailedError"),
    ],
    ids=["too large", "not authorized"],
)
def test_a_message_that_is_refused(code, retry, shown):
    async def test():
        async with Broker().running() as broker, service(config(broker)) as kafka:
            broker.errors.append(code)
            with pytest.raises(DeliveryError) as caught:
                await kafka.alert(options(), sample_event())
            assert str(caught.value).startswith("kafka client error: ")
            assert shown in str(caught.value)
            assert caught.value.retry is retry
            await kafka.alert(options(), sample_event())
        assert len(broker.messages) == 1

    running(test())


def test_nobody_listens():
    async def test():
        async with Broker().running() as broker:
            pass
        async with service(config(broker)) as kafka:
            with pytest.raises(
                DeliveryError, match=r"from \[127\.0\.0\.1:\d+\]$"
            ) as caught:
                await kafka.alert(options(), sample_event())
        assert caught.value.retry
        assert not caught.value.maybe_duplicate

    running(test())


def test_a_denied_address_is_not_connected_to():
    async def test():
        dialer = Dialer(DeniedNetworks.parsed(["127.0.0.0/8"]))
        async with (
            Broker().running() as broker,
            service(config(broker), dialer=dialer) as kafka,
        ):
            with pytest.raises(DeliveryError, match=r"127\.0\.0\.1 is denied") as error:
                await kafka.alert(options(), sample_event())
        assert not error.value.retry
        assert not broker.clients

    running(test())


@pytest.mark.parametrize("topic", ["a b", "..", "x" * 250, "ü", "a\n"])
def test_a_topic_that_cannot_be(topic):
    async def test():
        async with Broker().running() as broker, service(config(broker)) as kafka:
            with pytest.raises(DeliveryError, match="invalid topic") as caught:
                await kafka.alert(options(topic=topic), sample_event())
        assert not caught.value.retry

    running(test())


# of Kapacitor's services/kafka/hash_test.go, modulo 1000
WORDS = ("hello", "hello2", "hello3", "hello4", "hello5")


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [("crc32", [870, 502, 592, 787, 413]), ("murmur2", [229, 907, 759, 299, 841])],
)
def test_partitions_as_in_kapacitor(algorithm, expected):
    partitions = range(1000)
    assert [
        hook.chosen(partitions, word.encode(), algorithm) for word in WORDS
    ] == expected


def test_partitions_of_an_empty_key():
    partitions = range(1000)
    assert hook.chosen(partitions, b"", "murmur2") == 681
    # nothing to hash, as in Kapacitor
    assert len({hook.chosen(partitions, b"", "crc32") for _ in range(50)}) > 1
    assert len({hook.chosen(partitions, b"key", "") for _ in range(50)}) > 1


def test_a_cluster_that_does_not_exist_is_refused():
    client = AiohttpClient()
    kafka = Service((Config(enabled=True, id="main", brokers=("h:1",)),), client)
    kafka.handler(options()).check()
    for name in ("other", ""):
        with pytest.raises(OptionsError, match=f'unknown cluster "{name}"'):
            kafka.handler(options(cluster=name)).check()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"brokers": ("h:x",)}, 'invalid broker "h:x": it must be HOST:PORT'),
        ({"brokers": (":9092",)}, 'invalid broker ":9092": it must be HOST:PORT'),
        (
            {"brokers": ("h",), "sasl_mechanism": "OAUTHBEARER"},
            "OAUTHBEARER needs 'sasl-access-token', or 'sasl-oauth-client-id' and "
            "'sasl-oauth-client-secret' of a token service",
        ),
    ],
    ids=["port", "host", "token"],
)
def test_a_configuration_that_is_refused(settings, expected):
    with pytest.raises(ConfigError) as caught:
        Service((Config(enabled=True, **settings),), AiohttpClient())
    assert str(caught.value) == expected


class Producer:
    """Stands for the library's: records its settings, and gets a token when it starts."""

    token = None

    def __init__(self, **settings):
        self.settings = settings

    async def start(self):
        if provider := self.settings["sasl_oauth_token_provider"]:
            self.token = await provider.token()

    async def stop(self):
        """Nothing is open."""


@pytest.fixture
def opened(monkeypatch):
    """Opens a client for a configuration, and returns its producer."""
    monkeypatch.setattr("aiokafka.AIOKafkaProducer", Producer)
    producers = []

    def made(**settings):
        async def test():
            client = AiohttpClient()
            try:
                usual = Config(brokers=("127.0.0.1:1",), **settings)
                producers.append(await hook.open(usual, client.network))
            finally:
                await client.close()

        running(test())
        return producers.pop()

    return made


def test_a_login_with_a_configured_token(opened):
    made = opened(
        sasl_mechanism="OAUTHBEARER",
        sasl_access_token=Secret("t0ken"),
        sasl_extensions={"logicalCluster": "c"},
    )
    assert made.settings["security_protocol"] == "SASL_PLAINTEXT"
    assert made.settings["sasl_mechanism"] == "OAUTHBEARER"
    assert made.settings["sasl_oauth_token_provider"].extensions() == {
        "logicalCluster": "c"
    }
    assert made.token == "t0ken"


def test_a_login_with_a_token_of_a_service(opened, server):
    server.body = '{"access_token": "t0ken"}'
    made = opened(**SERVICE, sasl_oauth_token_url=server.url)
    assert made.token == "t0ken"
    # the one that was requested before the producer started
    assert len(server.taken()) == 1


def test_a_token_service_that_refuses(opened, server):
    server.status, server.body = 403, '{"error": "access_denied"}'
    with pytest.raises(DeliveryError, match="token service: status 403: access_denied"):
        opened(**SERVICE, sasl_oauth_token_url=server.url)


def test_a_token_service_that_refuses_later(server):
    from aiokafka.errors import KafkaConnectionError

    server.answers.append(Answer(body='{"access_token": "a", "expires_in": 1}'))
    server.status = 503

    async def test():
        client = AiohttpClient()
        settings = Config(**SERVICE, sasl_oauth_token_url=server.url)
        provider = hook._token_provider(settings, client.network)
        await provider.first()
        # the library tries again after an error of its own only
        with pytest.raises(KafkaConnectionError, match="token service: status 503"):
            await provider.token()
        await client.close()

    running(test())


def test_a_login_with_kerberos(opened):
    made = opened(sasl_mechanism="GSSAPI", sasl_gssapi_service_name="broker")
    assert made.settings["sasl_mechanism"] == "GSSAPI"
    assert made.settings["sasl_kerberos_service_name"] == "broker"
    made = opened(sasl_mechanism="GSSAPI")
    assert made.settings["sasl_kerberos_service_name"] == "kafka"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"sasl_gssapi_key_tab_path": "/k"},
            "sasl-gssapi-key-tab-path needs the environment variable "
            "KRB5_CLIENT_KTNAME=/k, where Kerberos reads it; start the server with it",
        ),
        (
            {"sasl_gssapi_kerberos_config_path": "/c"},
            "sasl-gssapi-kerberos-config-path needs the environment variable "
            "KRB5_CONFIG=/c, where Kerberos reads it; start the server with it",
        ),
    ],
    ids=["key tab", "configuration"],
)
def test_files_of_kerberos(monkeypatch, settings, expected):
    monkeypatch.setattr(hook, "required", lambda *names: None)
    monkeypatch.delenv("KRB5_CLIENT_KTNAME", raising=False)
    monkeypatch.setenv("KRB5_CONFIG", "/another")
    made = Config(enabled=True, brokers=("h:1",), sasl_mechanism="GSSAPI", **settings)
    with pytest.raises(ConfigError) as caught:
        hook.validate(made)
    assert str(caught.value) == expected
    monkeypatch.setenv("KRB5_CLIENT_KTNAME", "FILE:/k")
    monkeypatch.setenv("KRB5_CONFIG", "/c")
    hook.validate(made)


def test_kerberos_without_its_library(monkeypatch):
    def missing(*names):
        if "gssapi" in names:
            raise ModuleNotFoundError("no", name="gssapi")

    monkeypatch.setattr(hook, "required", missing)
    made = Config(enabled=True, brokers=("h:1",), sasl_mechanism="GSSAPI")
    with pytest.raises(ConfigError) as caught:
        Service((made,), AiohttpClient())
    assert str(caught.value) == (
        "GSSAPI needs the library gssapi: install the Kerberos libraries of the system, "
        "then pip install gssapi"
    )


def test_a_missing_library_names_the_extra(monkeypatch):
    def missing(*names):
        raise ModuleNotFoundError("no", name="aiokafka")

    monkeypatch.setattr(hook, "required", missing)
    with pytest.raises(ConfigError) as caught:
        Service((Config(enabled=True, brokers=("h:1",)),), AiohttpClient())
    assert str(caught.value) == (
        'kafka needs the library aiokafka; pip install "scaffold-alerts[kafka]"'
    )
