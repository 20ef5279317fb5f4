"""Log lines in logfmt, as Kapacitor writes them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from runtime.errors import ConfigError
from runtime.golang.quoting import quote
from runtime.secrets import hidden
from runtime.server.sections import LOG_LEVELS, LoggingConfig
from runtime.units import MILLISECOND, rfc3339

ROOT = logging.getLogger("kapacitor")

_WORDS = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warn",
    logging.ERROR: "error",
    logging.CRITICAL: "error",
}
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class LogfmtFormatter(logging.Formatter):
    """`ts=… lvl=info msg="…" service=http`, then what `extra` gave."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as one line, with a traceback after it if there is one."""
        line = logfmt(parts_of(record))
        if record.exc_info:
            line += f"\n{hidden(self.formatException(record.exc_info))}"
        return line


def parts_of(record: logging.LogRecord) -> dict[str, str]:
    """What a line says, in order; the names are those of Kapacitor's tags.

    The service is the logger's unless the line names its own.
    """
    parts = {
        "ts": rfc3339(int(record.created * 1000) * MILLISECOND),
        "lvl": _WORDS.get(record.levelno, record.levelname.lower()),
        "msg": record.getMessage(),
    }
    if service := record.name.removeprefix(ROOT.name).removeprefix("."):
        parts["service"] = service
    for key, value in vars(record).items():
        if key not in _STANDARD:
            parts[key] = str(value)
    # whatever put it there: no secret is logged
    said = hidden("\0".join(parts.values())).split("\0")
    if len(said) != len(parts):
        said = [hidden(value) for value in parts.values()]
    return dict(zip(parts, said, strict=True))


def logfmt(parts: Mapping[str, str]) -> str:
    """A line without its end."""
    return " ".join(f"{key}={_quoted(value)}" for key, value in parts.items())


def _quoted(value: str) -> str:
    plain = value and not any(char in ' "=\\' or char < " " for char in value)
    return value if plain else quote(value)


def configure(config: LoggingConfig) -> logging.Handler:
    """Send the runtime's log where `config` says; the handler that does it.

    Raises:
        ConfigError: the level is unknown, or the file cannot be written.
    """
    level = LOG_LEVELS.get(config.level.upper())
    if level is None:
        raise ConfigError("invalid log level")
    handler = _handler(config.file)
    handler.setFormatter(LogfmtFormatter())
    ROOT.addHandler(handler)
    ROOT.setLevel(level)
    ROOT.propagate = False
    return handler


def _handler(file: str) -> logging.Handler:
    streams: dict[str, IO[str]] = {"STDERR": sys.stderr, "STDOUT": sys.stdout}
    if file in streams:
        return logging.StreamHandler(streams[file])
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        return logging.FileHandler(file, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"failed to open log file {file}: {error.strerror}"
        ) from error
