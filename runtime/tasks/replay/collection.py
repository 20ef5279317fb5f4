"""Stored recordings or replays: listed, shown, and run by jobs."""

from __future__ import annotations

import asyncio
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from runtime.compute.thread import Compute
from runtime.errors import FailedError, InvalidError, KapacitorError, RefusedError
from runtime.services.httpd.listing import Listed, Listing
from runtime.services.httpd.messages import (
    NO_CONTENT,
    Answer,
    Handler,
    Request,
    pretty,
)
from runtime.store.records import Records
from runtime.tasks.replay.jobs import Jobs
from runtime.tasks.replay.records import Recording, Replay, Status
from runtime.units import Clock

INTERRUPTED = "the server stopped meanwhile"

JobT = TypeVar("JobT", Recording, Replay)
ResultT = TypeVar("ResultT")
Work = Callable[[Request], Answer]


class Collection(ABC, Generic[JobT]):
    """The recordings or the replays of a server.

    Records are for the compute thread only. The methods that wait run on the event
    loop.

    Attributes:
        kind: `recording` or `replay`.
        fields: keys that a list may show.
        records: stored recordings or replays.
        compute: the compute thread.
        clock: wall clock, in ns since 1970 UTC.
        jobs: running jobs.
    """

    kind = ""
    fields: tuple[str, ...] = ()

    def __init__(
        self, records: Records[JobT], compute: Compute, clock: Clock, jobs: Jobs
    ) -> None:
        self.records: Records[JobT] = records
        self.compute = compute
        self.clock = clock
        self.jobs = jobs

    def open(self) -> None:
        """Read the records; interrupted ones become failed. On the compute thread."""
        self.records.load()
        for record in self.records.all():
            if record.status == "running":
                self.records.put(ended(record, self.clock(), INTERRUPTED))

    def tree(self, record: JobT) -> dict[str, Any]:
        """A record as JSON shows it now."""
        return record.tree

    @abstractmethod
    def missing(self) -> KapacitorError:
        """The error for an id that no record has."""

    def removed(self, record: JobT) -> None:
        """Clean up after a deleted record whose job has ended; on the event loop."""

    def begin(self, record: JobT, work: Awaitable[None]) -> Answer:
        """Start the job of a record, and answer its request."""
        self.jobs.start(self.kind, record.id, work)
        return pretty(record.tree, 201)

    def check_new(self, id: str) -> None:
        """Check that an id is not taken.

        Raises:
            RefusedError: the id is taken.
        """
        if self.records.get(id) is not None:
            raise FailedError(f"{self.kind} already exists")

    def finish(self, record: JobT, error: str, **changes: Any) -> None:
        """Store the end of a job whose record still exists; on the compute thread."""
        if self.records.get(record.id) is not None:
            done = ended(record, self.clock(), error)
            self.records.put(dataclasses.replace(done, **changes))

    async def show_all(self, request: Request) -> Answer:
        """A list, created while the compute thread continues its work."""
        listing = Listing.of(request, self.fields)
        reader, fields = self.compute.reader, sorted(listing.fields)
        shown = await reader.run(_newest, listing, self.records)

        def chosen(record: JobT) -> dict[str, Any]:
            whole = self.tree(record)
            return {key: whole[key] for key in fields}

        return await Listed({}, f"{self.kind}s", shown, chosen).answer(reader)

    async def show(self, request: Request) -> Answer:
        """One record."""
        if not request.rest:
            raise self._no_id()
        return await answered(self.compute.run(self._shown, request.rest))

    def _shown(self, id: str) -> Answer:
        record = self.records.get(id)
        if record is None:
            raise self.missing()
        status = 202 if record.status == "running" else 200
        return pretty(self.tree(record), status)

    async def delete(self, request: Request) -> Answer:
        """Delete a record, and end its job."""
        if not request.rest:
            raise self._no_id()

        def delete() -> JobT | None:
            record = self.records.get(request.rest)
            self.records.delete(request.rest)
            return record

        record = await self.compute.run(delete)
        await self.jobs.cancel(self.kind, request.rest)
        if record is not None:
            self.removed(record)
        return NO_CONTENT

    def _no_id(self) -> InvalidError:
        return InvalidError(f"must specify {self.kind} id on path")


def ended(record: JobT, now: int, error: str) -> JobT:
    """The record of a job that has ended, with the reason if it failed."""
    status: Status = "failed" if error else "finished"
    return dataclasses.replace(
        record, date=now, error=error, status=status, progress=1.0
    )


def posting(begin: Callable[[Request], Awaitable[Answer]]) -> Handler:
    """A handler that begins a job."""

    async def handler(request: Request) -> Answer:
        return await answered(begin(request))

    return handler


async def answered(answer: Awaitable[Answer]) -> Answer:
    """The answer, also for errors of a file or the task."""
    try:
        return await answer
    except RefusedError:
        raise
    except KapacitorError as error:
        raise FailedError(str(error)) from None


async def to_end(work: Awaitable[ResultT]) -> ResultT:
    """The result of work that is not interrupted: a stop waits for its end."""
    future = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await asyncio.wait([future])
        raise


def _newest(listing: Listing, records: Records[JobT]) -> list[JobT]:
    """The records to show, the newest first."""
    found = sorted(records.all(), key=lambda each: (-each.date, each.id))
    by_id = {record.id: record for record in found}
    return [by_id[id] for id in listing.pick(list(by_id))]
