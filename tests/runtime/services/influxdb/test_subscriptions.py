"""Subscriptions in front of a server that has none."""

from __future__ import annotations

import asyncio
import json

import pytest

from runtime.errors import DeliveryError
from runtime.outbound.client import AiohttpClient
from runtime.services.influxdb.cluster import Cluster
from runtime.services.influxdb.config import Config
from runtime.services.influxdb.subscriptions import ClusterSubscriptions, Listener
from runtime.services.udp.config import Config as UdpConfig
from runtime.testing.loopback import Answer, LoopbackServer

HINT = "; set disable-subscriptions = true, as for InfluxDB 2 and 3"


def statement_error(text: str) -> Answer:
    result = {"statement_id": 0, "error": text}
    return Answer(200, json.dumps({"results": [result]}))


def failure(answer: Answer) -> str:
    """The error of subscribing where `SHOW SUBSCRIPTIONS` has an answer."""

    async def listen(config: UdpConfig) -> Listener:
        raise AssertionError(config)

    async def run(url: str) -> None:
        cluster = Cluster(Config(urls=(url,)), AiohttpClient())
        made = ClusterSubscriptions(
            cluster,
            hostname="here",
            port=lambda: 9092,
            add_host=lambda name: None,
            ids=lambda mode: "id",
            tokens=None,
            listen=listen,
        )
        try:
            await asyncio.wait_for(made.synchronize(), 20)
        finally:
            await cluster.close()

    with LoopbackServer() as server:
        server.answers += [Answer(200, '{"results": [{}]}'), answer]
        with pytest.raises(DeliveryError) as error:
            asyncio.run(run(server.url))
    return str(error.value)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            statement_error("not implemented: SHOW SUBSCRIPTIONS"),
            f"not implemented: SHOW SUBSCRIPTIONS{HINT}",
        ),
        (
            Answer(400, '{"error": "This feature is not implemented: SHOW SUB"}'),
            f"This feature is not implemented: SHOW SUB{HINT}",
        ),
        (Answer(401, '{"error": "authorization failed"}'), "authorization failed"),
    ],
    ids=["statement", "status", "other"],
)
def test_a_server_without_subscriptions_is_told_from_others(
    answer: Answer, text: str
) -> None:
    assert failure(answer) == text
