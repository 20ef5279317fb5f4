"""The log over HTTP: its level, and its lines for clients that follow it.

Sessions receive lines of all levels, whatever the level of the written log.

Source: Kapacitor services/diagnostic, services/httpd.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runtime.compute.bridge import Bridge
from runtime.errors import BusyError, InvalidError
from runtime.golang.json import dumps
from runtime.golang.json_decode import JsonError, decode, string, struct
from runtime.server.logs import ROOT, logfmt, parts_of
from runtime.services.httpd.messages import (
    NO_CONTENT,
    PREVIEW,
    Answer,
    Request,
)
from runtime.services.httpd.router import Router

LOGFMT = "application/logfmt"
JSON = "application/json"
_LEVELS = ("debug", "info", "warn", "error")
_SETTABLE = {"DEBUG": logging.DEBUG, "INFO": logging.INFO, "ERROR": logging.ERROR}
# maximum number of lines that wait for a client; the oldest are dropped
_WAITING = 1000
_SESSIONS = 32


@dataclass(frozen=True, slots=True)
class LogFilter:
    """A filter of log lines.

    Attributes:
        tags: required values of parts of a line.
        least: lowest level; "" for all.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    least: str = ""

    @classmethod
    def of(cls, request: Request) -> LogFilter:
        """Read from a request.

        Raises:
            ValueError: a parameter is repeated, or the level is unknown.
        """
        tags: dict[str, str] = {}
        # credentials are not tags
        names = [name for name in request.query if name not in ("u", "p")]
        for name in names:
            values = request.query[name]
            if len(values) > 1:
                raise ValueError("query params cannot contain duplicate params")
            tags[name] = values[0]
        level = tags.get("lvl", "")
        if not level:
            return cls(tags)
        word = level.removesuffix("+").lower()
        if word not in _LEVELS:
            raise ValueError("invalid log level")
        if level.endswith("+"):
            del tags["lvl"]
            return cls(tags, word)
        return cls({**tags, "lvl": word})

    def takes(self, parts: Mapping[str, str]) -> bool:
        """True if the filter selects a line."""
        if self.least and _rank(parts["lvl"]) < _rank(self.least):
            return False
        return all(parts.get(name) == value for name, value in self.tags.items())


class LogSessions(logging.Handler):
    """Passes log lines to sessions that follow the log."""

    def __init__(self) -> None:
        super().__init__()
        self._sessions: set[_Session] = set()
        # the logger's level while there is no session
        self._level = logging.NOTSET

    def add_routes(self, router: Router) -> None:
        """Add the routes; `logs` exists only below the preview's base."""
        router.add("GET", "/logs", self._watch, base=PREVIEW)
        router.add("POST", "/loglevel", self._set_level)

    def end(self) -> None:
        """End all sessions before the server closes."""
        for session in list(self._sessions):
            session.put(None)
            self._forget(session)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on a line, from any thread."""
        if not self._sessions:
            return
        parts = parts_of(record)
        for session in list(self._sessions):
            if session.filter.takes(parts):
                session.hand_over(session.line(parts))

    async def _watch(self, request: Request) -> Answer:
        try:
            wanted = LogFilter.of(request)
        except ValueError as error:
            raise InvalidError(str(error)) from None
        if len(self._sessions) >= _SESSIONS:
            raise BusyError("too many log sessions")
        content_type = JSON if request.accept == JSON else LOGFMT
        line = _json if content_type == JSON else _logfmt
        session = _Session(wanted, line, self._forget)
        if not self._sessions:
            self._level = ROOT.level
            ROOT.setLevel(logging.DEBUG)
            ROOT.addHandler(self)
        self._sessions.add(session)
        extra = {"service": "sessions", "id": str(uuid.uuid4())}
        record = ROOT.makeRecord(
            ROOT.name, logging.INFO, "", 0, "created log session", (), None, extra=extra
        )
        if wanted.takes(parts := parts_of(record)):
            session.put(line(parts))
        return Answer(200, content_type=content_type, stream=session)

    def _forget(self, session: _Session) -> None:
        if session not in self._sessions:
            return
        self._sessions.remove(session)
        if not self._sessions:
            ROOT.removeHandler(self)
            ROOT.setLevel(self._level)

    async def _set_level(self, request: Request) -> Answer:
        reader = struct("struct", {"level": string})
        try:
            name = decode(request.body, reader, {}).get("level", "")
        except JsonError as error:
            raise InvalidError(f"invalid json: {error}") from None
        level = _SETTABLE.get(name.upper())
        if level is None:
            raise InvalidError("invalid log level")
        for handler in ROOT.handlers:
            if handler is not self:
                handler.setLevel(level)
        self._level = level
        if not self._sessions:
            ROOT.setLevel(level)
        return NO_CONTENT


class _Session(AsyncGenerator[bytes, None]):
    """The lines for one client, until it disconnects or the server ends."""

    def __init__(
        self,
        wanted: LogFilter,
        line: Callable[[Mapping[str, str]], bytes],
        forget: Callable[[_Session], None],
    ) -> None:
        self.filter = wanted
        self.line = line
        self._forget = forget
        self._bridge = Bridge()
        self._bridge.start()
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()

    def hand_over(self, line: bytes) -> None:
        """Add a line, from any thread."""
        self._bridge.soon(self.put, line)

    def put(self, line: bytes | None) -> None:
        """Add a line, on the event loop; None ends the session."""
        if self._lines.qsize() >= _WAITING:
            self._lines.get_nowait()
        self._lines.put_nowait(line)

    async def asend(self, value: None) -> bytes:
        """The next line."""
        line = await self._lines.get()
        if line is None:
            raise StopAsyncIteration
        return line

    async def athrow(self, *error: Any) -> bytes:
        """End the session."""
        self._forget(self)
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the session."""
        self._forget(self)


def _rank(level: str) -> int:
    return _LEVELS.index(level) if level in _LEVELS else 0


def _logfmt(parts: Mapping[str, str]) -> bytes:
    return f"{logfmt(parts)}\n".encode()


def _json(parts: Mapping[str, str]) -> bytes:
    return f"{dumps(dict(parts))}\n".encode()
