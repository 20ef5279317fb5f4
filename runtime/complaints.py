"""Errors that may come with every point: nothing is made of those that nobody writes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol, cast

_ROOT = logging.getLogger("kapacitor")


class Limit(Protocol):
    """A filter of a log handler that has had enough of some complaints."""

    def takes(self, logger: str, message: str, parts: Mapping[str, object]) -> bool:
        """True if a complaint would be written."""

    def leave_out(self, logger: str, message: str, parts: Mapping[str, object]) -> None:
        """Count a complaint that was not made into a record."""


def complain(log: logging.Logger, message: str, parts: Mapping[str, object]) -> None:
    """Log an error, unless it would be left out everywhere.

    A record takes some 20 µs before a filter sees it, which is more than the work on the
    point that it is about.

    Args:
        log: below the runtime's root.
        message: the same for all complaints of a kind.
        parts: what else the line has.
    """
    if not log.isEnabledFor(logging.ERROR):
        return
    limits = _limits()
    if limits and not any(each.takes(log.name, message, parts) for each in limits):
        for each in limits:
            each.leave_out(log.name, message, parts)
        return
    log.error(message, extra=dict(parts))


def _limits() -> list[Limit]:
    """The limits, if everything that may write has one."""
    if _ROOT.propagate:
        return []
    found: list[Limit] = []
    for handler in _ROOT.handlers:
        own = [each for each in handler.filters if hasattr(each, "leave_out")]
        if not own:
            return []
        found += cast(list[Limit], own)
    return found
