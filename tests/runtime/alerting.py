"""A server whose task gives alerts to a HipChat room."""

from __future__ import annotations

import dataclasses
from typing import Any

from runtime.integrations.bundled import INTEGRATIONS
from runtime.secrets import Secret
from runtime.server.config.config import Config
from runtime.services.deliveries.config import Config as DeliveryConfig
from runtime.services.httpd.messages import Answer
from runtime.units import MILLISECOND, SECOND, Duration

SCRIPT = """\
stream
    |from().measurement('cpu').groupBy('host')
    |alert()
        .id('{{ index .Tags "host" }}')
        .message('{{ .ID }} is {{ .Level }}')
        .warn(lambda: "value" > 70)
        .crit(lambda: "value" > 90)
        .stateChangesOnly()
        .topic('cpu')
"""
TASK = {
    "id": "t",
    "type": "stream",
    "dbrps": [{"db": "d", "rp": "r"}],
    "script": SCRIPT,
    "status": "enabled",
}
TOKEN = "tok-12345"
CONFIGURED_TOKEN = "configured-token"
HANDLER = {"id": "h", "kind": "hipchat", "options": {"room": "r", "token": TOKEN}}
QUICK = DeliveryConfig(
    retry_base=Duration(MILLISECOND),
    retry_max=Duration(10 * MILLISECOND),
    timeout=Duration(SECOND // 2),
)


def use_hipchat(
    config: Config, url: str, token: str = CONFIGURED_TOKEN, **options: Any
) -> None:
    """Switch HipChat on in a configuration, with an endpoint below `url`."""
    hipchat = dataclasses.replace(
        INTEGRATIONS.tables()["hipchat"],
        enabled=True,
        url=url,
        token=Secret(token),
        **options,
    )
    config.handlers = INTEGRATIONS.tables(hipchat=hipchat)


def write(api: Any, *lines: str) -> Answer:
    """The answer to points in the database that the task reads."""
    answer: Answer = api.answer("POST", "/write?db=d&rp=r", "\n".join(lines))
    return answer


def alert(api: Any, host: str, value: int = 95) -> None:
    """Write a point that changes the level of a host."""
    answer = write(api, f"cpu,host={host} value={value} 1")
    assert answer.status == 204, answer.body
