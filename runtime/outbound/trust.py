"""Certificate authorities trusted besides those of the system's store."""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import ConfigError

_log = logging.getLogger("kapacitor.trust")


@dataclass(frozen=True, slots=True)
class _Version:
    """The version of a file's content."""

    # both times: the former can be set by hand, and stays the same when permissions
    # change
    modified_ns: int
    changed_ns: int
    size: int
    inode: int


class Trust:
    """A file of authorities that is read again when it changes.

    While the file is missing, unreadable or invalid, its last valid content is used:
    when a file is replaced, it may be missing for a moment.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        """Read a file of certificates.

        Args:
            path: certificates in PEM form.

        Raises:
            ConfigError: the file cannot be read, or has no certificates.
        """
        self.path = path
        self._problem = ""
        try:
            self._version = self._present()
            self._context = self._read()
        except OSError as error:
            raise ConfigError(f"ssl-ca {path}: {_reason(error)}") from error

    def context(self) -> ssl.SSLContext:
        """The SSL context for checking certificates."""
        try:
            version = self._present()
            if version != self._version:
                self._version = version
                self._context = self._read()
                _log.info("reloaded certificates", extra={"path": str(self.path)})
            self._problem = ""
        except OSError as error:
            self._warn(_reason(error))
        return self._context

    def _warn(self, problem: str) -> None:
        """Log the problem of the file, once."""
        if problem != self._problem:
            self._problem = problem
            extra = {"path": str(self.path), "err": problem}
            _log.warning(
                "failed to read certificates: the previous ones stay in use",
                extra=extra,
            )

    def _present(self) -> _Version:
        found = self.path.stat()
        return _Version(
            found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
        )

    def _read(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.load_verify_locations(self.path)
        context.set_alpn_protocols(("http/1.1",))
        return context


def _reason(error: OSError) -> str:
    """The problem with the file; an SSLError is an OSError without `strerror`."""
    if isinstance(error, ssl.SSLError):
        return "contains no certificates in PEM format"
    return error.strerror or "cannot be read"
