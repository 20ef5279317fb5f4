"""A fake Kafka broker: one node, which keeps what producers send."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from typing import NamedTuple

from aiokafka.record import MemoryRecords

PRODUCE, METADATA, VERSIONS = 0, 3, 18
# old ones, which are simple; clients use what a broker offers
_OFFERED = {PRODUCE: 3, METADATA: 1, VERSIONS: 0}


class Message(NamedTuple):
    topic: str
    partition: int
    key: bytes
    value: bytes


class Broker:
    """Answers producers.

    Attributes:
        port: its port.
        partitions: the numbers of the partitions of each topic.
        messages: the received messages.
        errors: error codes for produce requests, used in order; 0 means success.
        clients: names of the clients that connected.
    """

    def __init__(self, partitions: tuple[int, ...] = (1, 2, 3)) -> None:
        self.partitions = partitions
        self.messages: list[Message] = []
        self.errors: list[int] = []
        self.clients: set[str] = set()
        self.port = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Broker]:
        """Serve on a port of its own."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                [size] = struct.unpack(">i", await reader.readexactly(4))
                request = _Reader(await reader.readexactly(size))
                kind, _, correlation = request.take(">hhi")
                self.clients.add(request.text())
                answer = struct.pack(">i", correlation) + self._answer(kind, request)
                writer.write(struct.pack(">i", len(answer)) + answer)
        writer.close()

    def _answer(self, kind: int, request: _Reader) -> bytes:
        if kind == VERSIONS:
            offered = [struct.pack(">hhh", k, v, v) for k, v in _OFFERED.items()]
            return struct.pack(">hi", 0, len(offered)) + b"".join(offered)
        if kind == METADATA:
            return self._metadata(request)
        assert kind == PRODUCE
        return self._produced(request)

    def _metadata(self, request: _Reader) -> bytes:
        [count] = request.take(">i")
        topics = [request.text() for _ in range(count)]
        node = struct.pack(">ii", 1, 7) + _text("127.0.0.1")
        answer = node + struct.pack(">ihii", self.port, -1, 7, len(topics))
        for topic in topics:
            answer += struct.pack(">h", 0) + _text(topic) + b"\0"
            answer += struct.pack(">i", len(self.partitions))
            for number in self.partitions:
                # error, number, leader, replicas, replicas in sync
                answer += struct.pack(">hiiiiii", 0, number, 7, 1, 7, 1, 7)
        return answer

    def _produced(self, request: _Reader) -> bytes:
        request.text()  # transaction
        _, _, topics = request.take(">hii")
        answer = struct.pack(">i", topics)
        for _ in range(topics):
            topic = request.text()
            [count] = request.take(">i")
            answer += _text(topic) + struct.pack(">i", count)
            for _ in range(count):
                number, size = request.take(">ii")
                error = self.errors.pop(0) if self.errors else 0
                if not error:
                    self._keep(topic, number, request.bytes(size))
                else:
                    request.bytes(size)
                answer += struct.pack(">ihqq", number, error, 0, -1)
        return answer + struct.pack(">i", 0)

    def _keep(self, topic: str, number: int, data: bytes) -> None:
        batches = MemoryRecords(data)
        while batches.has_next():
            for record in batches.next_batch():
                self.messages.append(Message(topic, number, record.key, record.value))


class _Reader:
    """Reads the fields of a request."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def bytes(self, size: int) -> bytes:
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def take(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self.bytes(struct.calcsize(form)))

    def text(self) -> str:
        [size] = self.take(">h")
        return self.bytes(size).decode() if size >= 0 else ""


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()
