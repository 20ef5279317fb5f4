"""Handlers of every origin whose endpoints are in denied networks."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from runtime.server.config.config import Config
from runtime.services.deliveries.config import Config as DeliveryConfig
from runtime.testing.loopback import LoopbackServer
from tests.runtime.alerting import use_hipchat

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
        use_hipchat(config, url, "s3cret", room="r")
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

    def found() -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = api.json("GET", "/deliveries?state=dead")[
            "deliveries"
        ]
        return listed if len(listed) >= count else []

    dead: list[dict[str, Any]] = api.until(found)
    return dead
