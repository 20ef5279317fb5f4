"""Consequences of a failure for a delivery and its handler; times of retries."""

from __future__ import annotations

import enum
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from runtime.alert.types import Event
from runtime.errors import DeliveryError
from runtime.units import DAY, Nanoseconds

# Failures in a row after which a handler is only probed: of those nobody answered, and
# of all that may pass.
BREAK_AFTER = 5
BREAK_AFTER_ANSWERED = 20
SHORT_CHARACTERS = 1000

_TOO_LONG = re.compile(
    r"too (?:long|large|big|many characters)|exceed|maximum|max(?:imum)? length|"
    r"length (?:limit|must)|at most \d+ char",
    re.IGNORECASE,
)


class Kind(enum.StrEnum):
    """The kind of a failed delivery's failure."""

    DEFERRED = "deferred"  # its service is disabled
    AUTH = "auth"  # the endpoint refuses our credentials
    LIMITED = "limited"  # the endpoint asks to slow down
    FAILED = "failed"  # the endpoint cannot do it now
    UNREACHABLE = "unreachable"  # nobody answered
    REJECTED = "rejected"  # it will never do

    @classmethod
    def of(cls, error: DeliveryError) -> Kind:
        """The kind of a failure."""
        if error.deferred:
            return cls.DEFERRED
        if error.status in (401, 403):
            return cls.AUTH
        if not error.retry:
            return cls.REJECTED
        if error.status == 429:
            return cls.LIMITED
        return cls.UNREACHABLE if error.status is None else cls.FAILED


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The times of retries, and the number of attempts at once.

    Attributes:
        base_s: the longest first delay; each further one may be twice as long.
        cap_s: the longest delay.
        ask_cap_s: the longest delay that an endpoint may ask for.
        max_age_ns: how old an event may get before it is given up.
        probe_s: how often a handler is tried that has failed several times in a row.
        auth_probe_s: how often one is tried whose credentials are refused, or whose
            service is disabled.
        concurrency: how many events of different ids a handler gets at a time.
        rate: how many events a handler gets a second; 0: as many as it takes.
        drain_s: how long what waits for a deleted handler is still delivered.
    """

    base_s: float = 1.0
    cap_s: float = 300.0
    ask_cap_s: float = 3600.0
    max_age_ns: Nanoseconds = DAY
    probe_s: float = 30.0
    auth_probe_s: float = 300.0
    concurrency: int = 4
    rate: float = 0.0
    drain_s: float = 5.0

    def delay_s(
        self,
        attempts: int,
        asked_s: float | None,
        chance: Callable[[], float] = random.random,
    ) -> float:
        """The delay after `attempts` failures: exponential, with full jitter."""
        # full jitter: handlers that failed together do not come back together; and an
        # exponent that grows for ever would overflow
        longest = min(self.cap_s, self.base_s * 2.0 ** min(attempts - 1, 30))
        return max(longest * chance(), min(asked_s or 0.0, self.ask_cap_s))


def may_be_too_long(error: DeliveryError) -> bool:
    """True if a shorter text may be taken."""
    if error.status == 413:
        return True
    return error.status in (400, 422) and _TOO_LONG.search(str(error)) is not None


def shortened(event: Event) -> Event:
    """`event` with a text that every endpoint takes."""
    message = event.state.message
    if len(message) > SHORT_CHARACTERS:
        message = message[: SHORT_CHARACTERS - 1] + "…"
    state = replace(event.state, message=message, details="")
    return replace(event, state=state, data=replace(event.data, result=()))
