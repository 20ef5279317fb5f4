"""The handler that appends events to a file."""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from runtime.alert.serialize import event_line
from runtime.alert.types import Event
from runtime.errors import DeliveryError, OptionsError
from runtime.services.options import FileMode

DEFAULT_MODE = FileMode(0o600)


@dataclass(frozen=True, slots=True)
class LogHandlerConfig:
    """Options of one handler.

    Attributes:
        path: absolute path of the file, which is created if missing.
        mode: permissions of a new file.
    """

    path: str = ""
    mode: FileMode = field(default=DEFAULT_MODE)

    def validate(self) -> None:
        """Refuse options that no file can have.

        Raises:
            OptionsError: the path is relative, or the file could not be written.
        """
        if not Path(self.path).is_absolute():
            raise OptionsError(
                f"log path must be absolute: {self.path} is not absolute"
            )
        if not self.mode & stat.S_IWUSR:
            shown = stat.filemode(stat.S_IFREG | self.mode)
            raise OptionsError(f"invalid file mode {shown}, must be user writable")


class LogHandler:
    """Appends each event to a file as a line of JSON."""

    def __init__(self, options: LogHandlerConfig) -> None:
        """Check the options.

        Raises:
            OptionsError: the path is relative, or the file could not be written.
        """
        options.validate()
        self.options = options

    async def handle(self, event: Event) -> None:
        """Append `event`.

        Raises:
            DeliveryError: the event has no JSON form, or the file cannot be written.
        """
        line = event_line(event)
        try:
            await asyncio.to_thread(self._append, line)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            text = f"failed to open file for alert logging: {reason}"
            raise DeliveryError(text, retry=True) from error

    def _append(self, line: bytes) -> None:
        # without blocking: a pipe without a reader must not hold the thread forever
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK
        file = os.open(self.options.path, flags, int(self.options.mode))
        try:
            while line:
                line = line[os.write(file, line) :]
        finally:
            os.close(file)
