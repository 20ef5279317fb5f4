"""A process to be killed: writes events, delivers them, stops; run by the tests.

`python victim.py DATABASE URL COUNT` offers COUNT events, says `acked N` after the
commit of each, delivers all that waits and stops; without COUNT it only delivers.
"""

import asyncio
import sys
from pathlib import Path

from runtime.alert.types import Event, EventState, Level, Recipient
from runtime.delivery import Address, Backlog, Dispatcher, RetryPolicy
from runtime.outbound.client import AiohttpClient
from runtime.services.foo.config import Config
from runtime.services.foo.handler import HandlerConfig
from runtime.services.foo.service import Service
from runtime.store.database import Store


async def main() -> None:
    path, url, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    store = Store(path)
    dispatcher = Dispatcher(Backlog(store, policy=RetryPolicy(base_s=0.01, cap_s=0.05)))
    client = AiohttpClient()
    service = Service(Config(enabled=True, url=url), client)
    handlers = {room: service.handler(HandlerConfig(room)) for room in ("a", "b")}
    for room, handler in handlers.items():
        dispatcher.backlog.resume(Address("t", room), Recipient(handler))
    await dispatcher.start()
    known = int(store.values.get("victim", "seq") or b"0")
    for seq in range(known + 1, known + 1 + count):
        host = f"h{seq % 3}"
        state = EventState(host, f"{host} {seq}", time=seq, level=Level.CRITICAL)
        for room, handler in handlers.items():
            event = Event("t", state)
            dispatcher.backlog.offer(Address("t", room), event, Recipient(handler))
        with store.transaction():
            store.values.put("victim", "seq", b"%d" % seq)
            dispatcher.backlog.keep()
        dispatcher.backlog.release()
        print(f"acked {host} {seq}", flush=True)
        await asyncio.sleep(0)
    while dispatcher.backlog.pending:
        await asyncio.sleep(0.001)
    await dispatcher.close(10)
    await client.close()
    store.close()


asyncio.run(main())
