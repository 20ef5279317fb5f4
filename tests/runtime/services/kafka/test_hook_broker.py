"""Messages to a real Kafka broker.

    python -m pytest -m broker tests/runtime/services/kafka

Java and Maven are needed; the broker's jars are fetched once. It takes half a minute.
"""

import asyncio
import contextlib
import zlib

import pytest

from runtime.errors import DeliveryError
from runtime.outbound.client import AiohttpClient, TimeLimits
from runtime.outbound.trust import Trust
from runtime.secrets import Secret
from runtime.services.kafka.config import Config
from runtime.services.kafka.handler import HandlerConfig
from runtime.services.kafka.service import Service
from runtime.testing.events import changed_event, sample_event
from runtime.units import SECOND, Duration
from tests.runtime.outbound.authority import Authority
from tests.runtime.services.kafka import broker as brokers
from tests.runtime.services.limited import running

pytestmark = pytest.mark.broker


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("kafka"), "authority")


@pytest.fixture(scope="module")
def broker(tmp_path_factory, authority):
    reason = brokers.missing()
    if reason:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("broker")
    pair = authority.pair("broker")
    keys = folder / "keys.pem"
    keys.write_bytes(pair.key.read_bytes() + pair.certificate.read_bytes())
    with brokers.broker(folder, keys) as running:
        yield running


@contextlib.asynccontextmanager
async def service(*configs, trust=None):
    client = AiohttpClient(TimeLimits(), None, trust)
    made = Service(configs, client)
    try:
        yield made
    finally:
        await made.close()
        await client.close()


def config(address, **settings):
    usual = {"id": "main", "timeout": Duration(5 * SECOND), **settings}
    return Config(enabled=True, brokers=(address,), **usual)


def options(topic, **more):
    return HandlerConfig(cluster="main", topic=topic, **more)


async def received(broker, topic, count):
    """The messages of a topic: partition, key and value of each, sorted."""
    from aiokafka import AIOKafkaConsumer

    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=broker.plain, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        found = [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()
    return sorted((each.partition, each.key, each.value) for each in found)


def test_messages_arrive_in_the_partition_of_their_alert(broker):
    async def test():
        async with service(config(broker.plain)) as kafka:
            for key in ("a", "b", "a", "ü"):
                event = changed_event(sample_event(), {"id": key})
                assert await kafka.alert(options("hashed"), event)
        expected = [
            (zlib.crc32(key.encode()) % 3, key.encode()) for key in ("a", "a", "b", "ü")
        ]
        found = await received(broker, "hashed", 4)
        assert [each[:2] for each in found] == sorted(expected)
        assert all(each[2].startswith(b'{"id":"') for each in found)

    running(test())


def test_a_kept_connection_sends_many_messages_at_once(broker):
    async def test():
        async with service(config(broker.plain)) as kafka:
            events = [changed_event(sample_event(), {"id": str(i)}) for i in range(50)]
            sent = (kafka.alert(options("many"), each) for each in events)
            await asyncio.gather(*sent)
            assert len(kafka._clients) == 1
        found = await received(broker, "many", 50)
        assert {key for _, key, _ in found} == {str(i).encode() for i in range(50)}

    running(test())


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_login(broker, mechanism):
    async def test():
        login = {
            "sasl_username": "me",
            "sasl_password": Secret("pw"),
            "sasl_mechanism": mechanism,
        }
        topic = f"login-{mechanism}"
        async with service(config(broker.login, **login)) as kafka:
            await kafka.alert(options(topic), sample_event())
        assert len(await received(broker, topic, 1)) == 1
        login["sasl_password"] = Secret("wrong-password")
        async with service(config(broker.login, **login)) as kafka:
            with pytest.raises(DeliveryError) as caught:
                await kafka.alert(options(topic), sample_event())
        assert "wrong-password" not in str(caught.value)

    running(test())


def test_an_encrypted_connection(broker, authority):
    async def test():
        settings = {"use_ssl": True, "ssl_ca": str(authority.file)}
        async with service(config(broker.encrypted, **settings)) as kafka:
            await kafka.alert(options("encrypted"), sample_event())
        settings = {"use_ssl": True}
        trust = Trust(authority.file)
        async with service(config(broker.encrypted, **settings), trust=trust) as kafka:
            await kafka.alert(options("encrypted"), sample_event())
        settings["insecure_skip_verify"] = True
        async with service(config(broker.encrypted, **settings)) as kafka:
            await kafka.alert(options("encrypted"), sample_event())
        assert len(await received(broker, "encrypted", 3)) == 3
        async with service(config(broker.encrypted, use_ssl=True)) as kafka:
            with pytest.raises(DeliveryError):
                await kafka.alert(options("encrypted"), sample_event())

    running(test())


def test_several_clusters(broker):
    async def test():
        main = config(broker.plain)
        other = config("127.0.0.1:1", id="other")
        async with service(main, other) as kafka:
            await kafka.alert(options("clusters"), sample_event())
            with pytest.raises(DeliveryError, match="kafka client error") as caught:
                await kafka.alert(
                    HandlerConfig(cluster="other", topic="clusters"), sample_event()
                )
            assert caught.value.retry
        assert len(await received(broker, "clusters", 1)) == 1

    running(test())


def test_a_topic_that_cannot_be(broker):
    async def test():
        async with service(config(broker.plain)) as kafka:
            with pytest.raises(DeliveryError, match="invalid topic") as caught:
                await kafka.alert(options("a topic/"), sample_event())
            assert not caught.value.retry
            await kafka.alert(options("possible"), sample_event())

    running(test())
