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

# Consecutive failures after which a handler is only probed: those without an answer,
# and all temporary ones.
BREAK_AFTER = 5
BREAK_AFTER_ANSWERED = 20
SHORT_CHARACTERS = 1000

_TOO_LONG = re.compile(
    r"too (?:long|large|big|many characters)|exceed|maximum|max(?:imum)? length|"
    r"length (?:limit|must)|at most \d+ char",
    re.IGNORECASE,
)


class FailureKind(enum.StrEnum):
    """The kind of a failed delivery's failure."""

    DEFERRED = "deferred"  # its service is disabled
    AUTH = "auth"  # the endpoint refuses our credentials
    LIMITED = "limited"  # the endpoint asks to slow down
    FAILED = "failed"  # the endpoint cannot do it now
    UNREACHABLE = "unreachable"  # no answer
    REJECTED = "rejected"  # the endpoint will never accept it

    @classmethod
    def of(cls, error: DeliveryError) -> FailureKind:
        """The kind of a failure."""
        if error.deferred:
            return cls.DEFERRED
        if error.expired or error.status in (401, 403):
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
        base_s: upper bound of the first delay, in seconds; doubled for each further
            delay.
        cap_s: upper bound of all delays, in seconds.
        retry_after_cap_s: longest delay that an endpoint may request, in seconds.
        max_age_ns: age at which an event becomes a dead letter, in ns.
        probe_s: interval of attempts for a handler that keeps failing, in seconds.
        auth_probe_s: interval of attempts for a handler whose credentials are refused
            or whose service is disabled, in seconds.
        concurrency: maximum number of concurrent attempts per handler, with events of
            different ids.
        rate: maximum number of attempts per handler and second; 0 for no limit.
        drain_s: time in which pending events of a deleted handler are still delivered,
            in seconds.
    """

    base_s: float = 1.0
    cap_s: float = 300.0
    retry_after_cap_s: float = 3600.0
    max_age_ns: Nanoseconds = DAY
    probe_s: float = 30.0
    auth_probe_s: float = 300.0
    concurrency: int = 4
    rate: float = 0.0
    drain_s: float = 5.0

    def delay_s(
        self,
        attempts: int,
        retry_after_s: float | None,
        chance: Callable[[], float] = random.random,
    ) -> float:
        """The delay after `attempts` failures: exponential, with full jitter."""
        # full jitter, so that handlers that failed together do not retry together; the
        # exponent is limited, as it would overflow
        longest = min(self.cap_s, self.base_s * 2.0 ** min(attempts - 1, 30))
        return max(
            longest * chance(), min(retry_after_s or 0.0, self.retry_after_cap_s)
        )


def may_be_too_long(error: DeliveryError) -> bool:
    """True if a shorter message may be accepted."""
    if error.status == 413:
        return True
    return error.status in (400, 422) and _TOO_LONG.search(str(error)) is not None


def shortened(event: Event) -> Event:
    """`event` with a message short enough for every endpoint."""
    message = event.state.message
    if len(message) > SHORT_CHARACTERS:
        message = message[: SHORT_CHARACTERS - 1] + "…"
    state = replace(event.state, message=message, details="")
    return replace(event, state=state, data=replace(event.data, result=()))
