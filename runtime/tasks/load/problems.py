"""Files that cannot be loaded: logged, listed, and reported to the topic `_internal`."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping

from runtime.alert.types import Event, EventData, EventState, Level
from runtime.errors import DeliveryError, KapacitorError
from runtime.services.alert.service import AlertService
from runtime.services.deliveries.health import LOAD, TOPIC
from runtime.units import Clock

log = logging.getLogger("kapacitor.load")

# the piece of a script in a parser's error may be a secret
_PIECE = re.compile(r' in ".*"(?=\. expected: )', re.DOTALL)


class Problems:
    """The problems of files. For the compute thread only.

    Attributes:
        current: reasons by file name, as of the last load.
    """

    def __init__(self, alerts: AlertService, clock: Clock) -> None:
        self.current: Mapping[str, str] = {}
        self._alerts = alerts
        self._clock = clock
        self._found: dict[str, str] = {}

    def begin(self) -> None:
        """Begin a load without problems."""
        self._found = {}

    def add(self, file: str, reason: str) -> None:
        """Note the problem of a file."""
        reason = _plain(_PIECE.sub("", reason))
        file = _plain(file)
        log.error("failed to load file", extra={"file": file, "err": reason})
        self._found[file] = reason

    def has(self, file: str) -> bool:
        """Check for a problem of a file in the current load."""
        return _plain(file) in self._found

    def of(self, kind: str) -> Iterator[str]:
        """The files of a kind with a problem in the current load."""
        return (file for file in self._found if file.startswith(f"{kind}/"))

    def end(self) -> None:
        """End a load, and report new and solved problems."""
        self.current = self._found
        try:
            with self._alerts.transaction():
                self._report_all()
        # the problems are logged and listed anyway
        except KapacitorError as error:
            log.error(
                "failed to report problems of the load directory",
                extra={"err": str(error)},
            )

    def _report_all(self) -> None:
        for file, reason in self.current.items():
            self._report(file, Level.CRITICAL, f"{file} cannot be loaded: {reason}")
        for file in self._former():
            self._report(file, Level.OK, f"{file} is loaded or removed")

    def _former(self) -> list[str]:
        topic = self._alerts.topics.get(TOPIC)
        known = [] if topic is None else topic.at_least(Level.INFO)
        names = [
            state.id.removeprefix(LOAD) for state in known if state.id.startswith(LOAD)
        ]
        return [name for name in names if name not in self.current]

    def _report(self, file: str, level: Level, message: str) -> None:
        id = LOAD + file
        before = self._alerts.event_state(TOPIC, id)
        if before is not None and (before.level, before.message) == (level, message):
            return
        state = EventState(id, message, "", self._clock(), 0, level)
        data = EventData(name=TOPIC, tags={"file": file})
        try:
            self._alerts.collect(Event(TOPIC, state, data))
        # the queue of one handler is full; other handlers may take the next event
        except DeliveryError as error:
            log.error(
                "failed to report the problem of a file",
                extra={"file": file, "err": str(error)},
            )


def _plain(text: str) -> str:
    """`text` without surrogates; names of files may hold any bytes."""
    return text.encode("utf-8", "replace").decode()
