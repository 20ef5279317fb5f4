"""Files, programs and addresses that handlers defined by clients may use.

Anyone who may define a `log`, `exec` or `tcp` handler can write files as the server,
run programs as the server, or reach addresses that only the server reaches. If the API
accepts requests from strangers, such handlers are refused unless the configuration
lists their files, programs and addresses. Handlers from the load directory or the
database have been permitted already.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runtime.alert.types import Event
from runtime.errors import DeliveryError, ForbiddenError
from runtime.secrets.references import references_in

# kind → name of the option with its target, in handlers and in scripts
_TARGETS = {
    "log": ("path", "file_path"),
    "exec": ("prog", "command"),
    "tcp": ("address",),
}
_SETTINGS = {
    "log": "allowed-log-paths",
    "exec": "allowed-programs",
    "tcp": "allowed-tcp-addresses",
}
_STRANGERS = (
    "the API can be reached from other machines without credentials; require them"
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The resources that clients may name.

    Attributes:
        is_open: True if everything is allowed.
        log_paths: files and folders that `log` handlers may write to.
        programs: programs that `exec` handlers may run, as written in the options.
        tcp_addresses: `host:port` that `tcp` handlers may connect to.
        secret_files: files and folders that secrets may be read from.
    """

    is_open: bool = False
    log_paths: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    tcp_addresses: tuple[str, ...] = ()
    secret_files: tuple[str, ...] = ()

    def check_references(self, options: object) -> None:
        """Check the files and variables of the secrets in options.

        A secret is sent to an endpoint: anyone who names both can read it.

        Args:
            options: options as sent.

        Raises:
            ForbiddenError: a file or a variable may not be read.
        """
        for found in () if self.is_open else references_in(options):
            if found.kind == "env":
                raise ForbiddenError(
                    f"secrets may not be read from the environment: {_STRANGERS}"
                )
            if not _is_within(found.name, self.secret_files):
                raise ForbiddenError(
                    f"secrets may not be read from {found.name}: {_STRANGERS}, or name "
                    "it in [alert] allowed-secret-files"
                )

    def check(self, kind: str, options: object) -> None:
        """Check a handler.

        Args:
            kind: `log`, `exec`, …; most kinds are always allowed.
            options: decoded options, an object with the kind's fields.

        Raises:
            ForbiddenError: its file, program or address is not allowed.
        """
        if self.is_open or kind not in _TARGETS:
            return
        target = _target(kind, options)
        if not self._allows(kind, target):
            raise ForbiddenError(
                f"{kind} handlers may not use {target or 'this'}: {_STRANGERS}, or "
                f"name it in [alert] {_SETTINGS[kind]}"
            )

    def lists(self, kind: str, options: object) -> bool:
        """True if a handler is allowed only by a list.

        Args:
            kind: `log`, `exec`, …
            options: options as sent.
        """
        if self.is_open:
            return False
        return kind in _TARGETS or any(True for _ in references_in(options))

    def _allows(self, kind: str, target: str) -> bool:
        if not target:
            return False
        if kind == "log":
            return _is_plain(target) and _is_within(target, self.log_paths)
        return target in (self.programs if kind == "exec" else self.tcp_addresses)


OPEN = Policy(is_open=True)


class ForbiddenHandler:
    """Replaces a handler that is no longer allowed: its events stay pending."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def handle(self, event: Event) -> None:
        """Deliver nothing.

        Raises:
            DeliveryError: for every event.
        """
        raise DeliveryError(self._reason, retry=True, deferred=True)


def _target(kind: str, options: object) -> str:
    for name in _TARGETS[kind]:
        value = getattr(options, name, "")
        if isinstance(value, tuple | list):
            value = value[0] if value else ""
        if isinstance(value, str) and value:
            return value
    return ""


def _is_within(path: str, allowed: Iterable[str]) -> bool:
    # the resolved path: a link could point anywhere
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(os.path.realpath(each)) for each in allowed)


def _is_plain(path: str) -> bool:
    """True if `path` is a regular file or does not exist: not a pipe or a device."""
    return Path(path).is_file() or not os.path.lexists(path)
