"""A process to be killed: overrides configuration; run by the tests.

`python configurer.py DATABASE COUNT` says `acked N` after each of COUNT changes, without
any `shows ROOM URL`, which is what is in force.
"""

import asyncio
import json
import sys
from pathlib import Path

from runtime.compute.thread import Compute
from runtime.integrations.bundled import INTEGRATIONS
from runtime.outbound.client import AiohttpClient
from runtime.services.config.sections import sections_of
from runtime.services.config.service import ConfigService
from runtime.services.foo.config import Config as FooConfig
from runtime.services.foo.service import Service
from runtime.services.httpd.messages import Request
from runtime.services.httpd.service import HttpServer
from runtime.store.database import Store


async def main() -> None:
    store, count = Store(Path(sys.argv[1])), int(sys.argv[2])
    http, compute = HttpServer("", 0, version="1"), Compute()
    before = FooConfig(url="http://localhost/0", room="0")
    foo = Service(before, AiohttpClient())
    sections = {"foo": sections_of(INTEGRATIONS, {"foo": before})["foo"]}
    config = ConfigService(sections, {"foo": foo}, store, compute)
    config.add_routes(http.router)
    config.open()
    compute.start()
    for number in range(1, count + 1):
        change = {"url": f"http://localhost/{number}", "room": str(number)}
        body = json.dumps({"set": change}).encode()
        path = "/kapacitor/v1/config/foo/"
        answer = await http.answer(Request("POST", path, body=body))
        assert answer.status == 204, answer.body
        print(f"acked {number}", flush=True)
    if not count:
        print("shows", foo.config.room, foo.config.url)
    await compute.close()
    store.close()


asyncio.run(main())
