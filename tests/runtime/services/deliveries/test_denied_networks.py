"""Handlers of every origin whose endpoints are in denied networks."""

import dataclasses
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from runtime.integrations.bundled import INTEGRATIONS
from runtime.secrets import Secret
from runtime.server.config.config import Config
from runtime.services.deliveries.config import Config as DeliveryConfig
from runtime.testing.loopback import LoopbackServer

SCRIPT = """\
stream
    |from().measurement('cpu')
    |alert()
        .crit(lambda: "value" > 90)
        .tcp('{address}')
        .hipChat()
        .post('{url}/posted?token=s3cret')
        .topic('cpu')
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_leads_to_them_is_dead_and_says_why(
    config: Config, start_api: Callable[..., Any], caplog: Any, host: str
) -> None:
    with LoopbackServer() as server:
        port = server.url.rpartition(":")[2]
        url, address = f"http://{host}:{port}", f"{host}:{port}"
        config.delivery = DeliveryConfig(denied_networks=("127.0.0.0/8", "::1"))
        hipchat = dataclasses.replace(
            INTEGRATIONS.tables()["hipchat"],
            enabled=True,
            url=url,
            room="r",
            token=Secret("s3cret"),
        )
        config.handlers = INTEGRATIONS.tables(hipchat=hipchat)
        api = start_api(config)
        script = SCRIPT.format(address=address, url=url)
        dbrps = [{"db": "d", "rp": "r"}]
        task = {"id": "t", "dbrps": dbrps, "script": script, "status": "enabled"}
        api.json("POST", "/tasks", task)
        for kind, options in (("tcp", {"address": address}), ("post", {"url": url})):
            spec = {"id": kind, "kind": kind, "options": options}
            api.json("POST", "/alerts/topics/cpu/handlers", spec)
        with caplog.at_level(logging.DEBUG):
            assert api.answer("POST", "/write?db=d&rp=r", "cpu value=95").status == 204
            found = dead(api, 5)
        assert server.received.empty()
    for each in found:
        assert "is denied by [delivery] denied-networks" in each["error"]
        assert each["attempts"] == 1
    assert "s3cret" not in json.dumps(found) + caplog.text


def dead(api: Any, count: int) -> list[dict[str, Any]]:
    """The deliveries that were given up, as soon as there are `count`."""
    end_s = time.monotonic() + 10
    while True:
        found: list[dict[str, Any]] = api.json("GET", "/deliveries?state=dead")[
            "deliveries"
        ]
        if len(found) >= count:
            return found
        assert time.monotonic() < end_s, found
