"""Units of timestamps, by the `precision` of a write."""

from __future__ import annotations

from dataclasses import dataclass

from runtime import units
from runtime.units import Nanoseconds

_STEPS = {
    "u": units.MICROSECOND,
    "ms": units.MILLISECOND,
    "s": units.SECOND,
    "m": units.MINUTE,
    "h": units.HOUR,
}


@dataclass(slots=True)  # frozen ones cost more to make, and there is one per write
class Times:
    """The reading of one write's timestamps.

    Attributes:
        step: ns per count of a timestamp.
        default: the time of a line without one.
    """

    step: Nanoseconds
    default: Nanoseconds

    @classmethod
    def of(cls, precision: str, now: Nanoseconds) -> Times:
        """The unit for a precision; unknown ones, `us` included, mean nanoseconds."""
        step = _STEPS.get(precision, 1)
        return cls(step, units.truncate(now, step) if step > 1 else now)
