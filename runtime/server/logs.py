"""Log lines in logfmt, as Kapacitor writes them."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from runtime.errors import ConfigError
from runtime.golang.quoting import quote
from runtime.secrets import hidden
from runtime.server.config.sections import LOG_LEVELS, LoggingConfig
from runtime.server.log_limits import Repeats
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


# Maximum length of a line, so that a client's tags or ids cannot fill the disk.
_LONGEST_LINE = 16 * 1024
_LONGEST_PART = 8 * 1024


class LogfmtFormatter(logging.Formatter):
    """`ts=… lvl=info msg="…" service=http`, then the values of `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as one line; a traceback is the last part of it."""
        return logfmt(parts_of(record))


def parts_of(record: logging.LogRecord) -> dict[str, str]:
    """The parts of a line, in order, under the names of Kapacitor's tags.

    The service is the logger's unless the line names its own. The value `parts` of
    `extra` is a mapping of further parts.
    """
    parts = {
        "ts": rfc3339(int(record.created * 1000) * MILLISECOND),
        "lvl": _WORDS.get(record.levelno, record.levelname.lower()),
        "msg": record.getMessage(),
    }
    if service := record.name.removeprefix(ROOT.name).removeprefix("."):
        parts["service"] = service
    for key, value in vars(record).items():
        if key == "parts":
            parts |= {name: str(each) for name, each in value.items()}
        elif key not in _STANDARD:
            parts[key] = str(value)
    if record.exc_info and record.exc_info[1] is not None:
        # the end of a traceback is more useful than its start
        text = "".join(traceback.format_exception(record.exc_info[1]))
        parts["stack"] = text[-_LONGEST_PART // 2 :]
    # hide secrets in all parts, whatever their source
    redacted = hidden("\0".join(parts.values())).split("\0")
    if len(redacted) != len(parts):
        redacted = [hidden(value) for value in parts.values()]
    return dict(
        zip(parts, (_cut(each, _LONGEST_PART) for each in redacted), strict=True)
    )


def logfmt(parts: Mapping[str, str]) -> str:
    """A single line of bounded length, without its newline."""
    line = _line(parts)
    longest = _LONGEST_PART
    while longest and len(line) * 4 > _LONGEST_LINE < len(line.encode()):
        longest //= 2
        line = _line({key: _cut(value, longest) for key, value in parts.items()})
    return line


def _line(parts: Mapping[str, str]) -> str:
    return " ".join(f"{_key(key)}={_quoted(value)}" for key, value in parts.items())


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


def _key(name: str) -> str:
    # clients choose the names of tags
    if name.isidentifier():
        return name
    return "".join(
        char if char.isprintable() and char not in ' "=' else "_" for char in name
    )


def _quoted(value: str) -> str:
    # direction marks and other line ends are not printable either
    if value and value.isprintable() and not any(char in ' "=\\' for char in value):
        return value
    return quote(value)


def configure(config: LoggingConfig) -> logging.Handler:
    """Send the runtime's log to the target of `config` and return its handler.

    Raises:
        ConfigError: the level is unknown, or the file cannot be written.
    """
    level = LOG_LEVELS.get(config.level.upper())
    if level is None:
        raise ConfigError("invalid log level")
    handler = _handler(config.file)
    handler.setFormatter(LogfmtFormatter())
    handler.setLevel(level)
    handler.addFilter(Repeats(handler.handle))
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
