"""Writes the points of one `influxDBOut` node.

Nodes add lines on the compute thread; the event loop writes them, in order. Several
nodes write concurrently.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from runtime.errors import DeliveryError, KapacitorError
from runtime.services.influxdb.point_queue import ClusterQueue
from runtime.services.influxdb.points import (
    BODY_BYTES,
    BODY_POINTS,
    Body,
    Target,
    pieces,
    refusal,
)
from runtime.trouble import Trouble
from runtime.units import SECOND, Nanoseconds

# A body is dropped after InfluxDB has answered it with errors for this time, as it may
# be their cause.
FAILING_S = 900.0

# Maximum length of an answer in the log.
_TEXT = 500

_log = logging.getLogger("kapacitor.influxdb")
_STOPPED = KapacitorError("they were still waiting for their request")
# Messages about points that InfluxDB did not refuse, by reason.
_DROPPED = {
    "failing": "dropped points after InfluxDB answered with errors for "
    f"{FAILING_S / 60:.0f} minutes",
    "full": "dropped the oldest points: too many are waiting for InfluxDB",
    "no_fields": "dropped points without a field that InfluxDB can store",
    "stopped": "dropped points that were not written to InfluxDB before the stop",
    "unsendable": "dropped points that cannot be sent to InfluxDB",
}
_NO_FIELDS = KapacitorError(
    "no field has a value that is a finite number, text or bool"
)


@dataclass(frozen=True, slots=True)
class Options:
    """Options for writing the points of a node.

    Attributes:
        cluster: name of the cluster; "" for the default one.
        precision: unit of the times.
        consistency: `any`, `one`, `quorum`, `all`, or "".
        buffer: number of points to write at once.
        flush_interval: maximum time that points wait for others, in ns; 0 for none.
        create: statement that creates the database, or "".
    """

    cluster: str = ""
    precision: str = "ns"
    consistency: str = ""
    buffer: int = 1000
    flush_interval: Nanoseconds = 10 * SECOND
    create: str = ""


class PointWriter:
    """Writes the points of one node.

    Attributes:
        options: options for writing them.
        written: number of written points.
        write_errors: number of failed requests.
        lost: number of points that were not written, by reason.
        size: bytes in memory of the waiting points.
    """

    def __init__(
        self, queue: ClusterQueue, options: Options, context: Mapping[str, object]
    ) -> None:
        self.options = options
        self.written = 0
        self.write_errors = 0
        self.lost: Counter[str] = Counter()
        self.size = 0
        self._queue = queue
        self._context = context
        self._filling: dict[Target, Body] = {}
        self._waiting: deque[Body] = deque()
        self._is_busy = False
        self._is_closed = False
        self._failures = 0
        self._must_create = bool(options.create)
        self._troubles: dict[str, Trouble] = {}
        queue.writers[self] = None
        if self._must_create:
            self._begin()

    def put(self, database: str, retention_policy: str, lines: Sequence[str]) -> None:
        """Write points; on the compute thread.

        Args:
            database: database of the points.
            retention_policy: retention policy of the points; "" for the default one.
            lines: one line per point, with its newline.
        """
        target = Target(database, retention_policy)
        is_due, is_begun = False, None
        with self._queue.lock:
            for piece in pieces(lines):
                body = self._filling.get(target)
                if body is None:
                    is_begun = body = self._filling[target] = Body(target)
                body.add(piece)
                self._grow(piece.size)
                if self._is_full(body):
                    self._line_up(body)
                    is_due, is_begun = True, None
            self._queue.bound()
        if is_due:
            self._begin()
        if is_begun is not None:
            delay_s = self.options.flush_interval / SECOND
            self._queue.later(delay_s, partial(self.flush, is_begun))

    def leave_out(self, points: int) -> None:
        """Count points that line protocol cannot express; on the compute thread."""
        with self._queue.lock:
            self.lose("no_fields", points, _NO_FIELDS)

    def flush(self, body: Body | None = None) -> None:
        """Write a body, or all of them, without waiting for more points."""
        with self._queue.lock:
            due = [b for b in self._filling.values() if body is None or b is body]
            for each in due:
                self._line_up(each)
        # a closed writer has to run to end, even without points
        if due or body is None:
            self._begin()

    def close(self) -> None:
        """End as soon as the waiting points are written."""
        self._is_closed = True
        self.flush()

    def stats(self) -> dict[str, int]:
        """The counters of the node."""
        with self._queue.lock:
            lost = {f"points_lost_{name}": count for name, count in self.lost.items()}
            waiting = sum(body.points for body in self._bodies())
        return {
            "points_written": self.written,
            "write_errors": self.write_errors,
            "points_waiting": waiting,
            **lost,
        }

    def lose(self, reason: str, points: int, error: KapacitorError) -> None:
        """Count dropped points, and log them at growing intervals."""
        if reason not in self._troubles:
            refused = (
                f"dropped points that InfluxDB refused: {reason.replace('_', ' ')}"
            )
            text = _DROPPED.get(reason, refused)
            self._troubles[reason] = Trouble(_log, text, "", context=self._context)
        self.lost[reason] += points
        lost = str(self.lost[reason])
        self._troubles[reason].failed(_short(error), points=lost)

    def lose_oldest(self, reason: str, error: KapacitorError) -> int:
        """Drop the oldest points that are not being sent; the caller holds the lock.

        Returns:
            Number of points; 0 if all are being sent.
        """
        body = next((each for each in self._bodies() if not each.is_sent), None)
        if body is None:
            return 0
        self._remove(body)
        self.lose(reason, body.points, error)
        return body.points

    def give_up(self, error: KapacitorError = _STOPPED) -> None:
        """Drop the waiting points, as the server stops."""
        with self._queue.lock:
            for body in list(self._bodies()):
                self._remove(body)
                self.lose("stopped", body.points, error)

    async def run(self) -> None:
        """Write the waiting points; on the event loop."""
        if self._must_create:
            await self._create()
        while (body := self._next()) is not None:
            try:
                await self._write(body)
            # any error: a bug must not block later points
            except Exception as error:
                _log.exception("failed to write points to InfluxDB")
                with self._queue.lock:
                    self.lose("failing", body.points, KapacitorError(repr(error)))
                self._done(body, 0)

    def _is_full(self, body: Body) -> bool:
        options = self.options
        return (
            body.points >= min(options.buffer, BODY_POINTS)
            or body.length >= BODY_BYTES
            or options.flush_interval <= 0
        )

    def _bodies(self) -> Iterator[Body]:
        yield from self._waiting
        yield from self._filling.values()

    def _line_up(self, body: Body) -> None:
        """Queue a body for its request; the caller holds the lock."""
        del self._filling[body.target]
        if self._failures:
            # it may be long before InfluxDB is back
            packed = body.packed()
            self._grow(packed.size - body.size)
            body = packed
        if self._waiting and self._waiting[-1].has_room_for(body):
            self._waiting[-1].absorb(body)
        else:
            self._waiting.append(body)

    def _remove(self, body: Body) -> None:
        self._grow(-body.size)
        if self._filling.get(body.target) is body:
            del self._filling[body.target]
        else:
            self._waiting.remove(body)

    def _grow(self, size: int) -> None:
        self.size += size
        self._queue.size += size

    def _begin(self) -> None:
        with self._queue.lock:
            was_busy, self._is_busy = self._is_busy, True
        if not was_busy:
            self._queue.begin(self)

    def _next(self) -> Body | None:
        """The first waiting body, now marked as being sent."""
        with self._queue.lock:
            if self._waiting:
                self._waiting[0].is_sent = True
                return self._waiting[0]
            self._is_busy = False
            if self._is_closed:
                self._queue.writers.pop(self, None)
            return None

    async def _write(self, body: Body) -> None:
        """Write a body. After a failed attempt, wait."""
        options = self.options
        try:
            await self._queue.write(
                options.cluster,
                body.text,
                database=body.target.database,
                retention_policy=body.target.retention_policy,
                precision=options.precision,
                consistency=options.consistency,
            )
        except KapacitorError as error:
            self.write_errors += 1
            await self._failed(body, error)
        else:
            self._failures = 0
            self._queue.writing.ended()
            self._done(body, body.points)

    def _done(self, body: Body, written: int) -> None:
        self.written += written
        with self._queue.lock:
            self._remove(body)

    async def _failed(self, body: Body, error: KapacitorError) -> None:
        found = refusal(error)
        if found is None:
            await self._wait(body, error)
            return
        is_gone = found.reason == "no_database" and self.options.create
        if is_gone and not body.was_missing:
            # the database was dropped, or a server has lost its data
            body.was_missing = True
            await self._create()
            return
        halves = body.halves() if found.reason == "too_large" else None
        if halves is not None:
            self._replace(body, halves)
            return
        lost = min(found.points or body.points, body.points)
        with self._queue.lock:
            self.lose(found.reason, lost, error)
        self._done(body, body.points - lost)

    def _replace(self, body: Body, others: Sequence[Body]) -> None:
        with self._queue.lock:
            self._remove(body)
            self._waiting.extendleft(reversed(others))
            self._grow(sum(each.size for each in others))

    async def _wait(self, body: Body, error: KapacitorError) -> None:
        """Wait before another attempt; drop the points after failing for too long."""
        now = self._queue.clock()
        if isinstance(error, DeliveryError) and error.status is not None:
            body.failing_since = body.failing_since or now
        is_hopeless = body.failing_since and now - body.failing_since >= FAILING_S
        if is_hopeless:
            with self._queue.lock:
                self.lose("failing", body.points, error)
            self._done(body, 0)
            return
        if self._queue.is_closing:
            # other bodies would fail too, and delay the stop
            self.give_up(error)
            return
        with self._queue.lock:
            body.is_sent = False
        self._queue.writing.failed(error)
        await self._back_off()

    async def _back_off(self) -> None:
        """Wait before another attempt, longer each time."""
        self._failures += 1
        await self._queue.back_off(self._failures)

    async def _create(self) -> None:
        """Create the database; retry until InfluxDB answers."""
        while True:
            try:
                await self._queue.execute(self.options.cluster, self.options.create)
            except KapacitorError as error:
                if refusal(error) is None and not self._queue.is_closing:
                    self._queue.creating.failed(error)
                    await self._back_off()
                    continue
                extra = {**self._context, "err": str(error)}
                _log.error("failed to create database", extra=extra)
            else:
                self._queue.creating.ended()
            self._must_create = False
            return


def _short(error: KapacitorError) -> KapacitorError:
    """The error, shortened: InfluxDB repeats each line that it refuses."""
    text = str(error)
    return error if len(text) <= _TEXT else KapacitorError(f"{text[:_TEXT]}…")
