"""InfluxQL functions over single values: the reference for the columns."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from runtime.errors import TaskError
from runtime.frames import Point
from runtime.golang.numbers import wrapped
from runtime.tick.lambdas.arithmetic import quotient
from runtime.units import Nanoseconds


class Sample(NamedTuple):
    """A value of the reduced field, with its time and point."""

    value: Any
    time: Nanoseconds
    point: Point


Samples = Sequence[Sample]


def count(samples: Samples) -> int:
    """The number of values."""
    return len(samples)


def sum_(samples: Samples) -> float | int:
    """The values, added in order."""
    if not samples:
        return 0.0
    total = type(samples[0].value)()
    for sample in samples:
        total += sample.value
    return wrapped(total) if isinstance(total, int) else float(total)


def mean(samples: Samples) -> float:
    """The arithmetic mean."""
    return float(sum_(samples)) / len(samples)


def median(samples: Samples) -> float:
    """The middle value, or the mean of the two in the middle."""
    values = sorted(sample.value for sample in samples)
    middle = len(values) // 2
    if len(values) % 2:
        return float(values[middle])
    low, high = values[middle - 1], values[middle]
    return float(low + (high - low) / 2)


def mode(samples: Samples) -> Any:
    """The most frequent value. Source: InfluxQL FloatModeReduceSlice."""
    ordered = sorted(samples, key=lambda sample: sample.value)
    frequency, best_frequency = 0, 0
    current, current_time = ordered[0].value, ordered[0].time
    best, best_time = current, current_time
    for sample in ordered:
        if sample.value != current:
            frequency, current, current_time = 1, sample.value, sample.time
            continue
        frequency += 1
        if best_frequency > frequency or (
            best_frequency == frequency and current_time > best_time
        ):
            continue
        best_frequency, best, best_time = frequency, sample.value, sample.time
    return best


def spread(samples: Samples) -> float | int:
    """The distance between the smallest and the largest value."""
    values = [sample.value for sample in samples]
    result: float | int = max(values) - min(values)
    return wrapped(result) if isinstance(result, int) else result


def stddev(samples: Samples) -> float:
    """The sample standard deviation. Source: InfluxQL FloatStddevReduceSlice."""
    average, number = 0.0, 0
    for sample in samples:
        if not math.isnan(sample.value):
            number += 1
            average += (sample.value - average) / number
    if number < 2:
        return math.nan
    variance = 0.0
    for sample in samples:
        if not math.isnan(sample.value):
            distance = sample.value - average
            # `**` would raise an error where the product is infinite
            variance += distance * distance
    return math.sqrt(variance / (number - 1))


def min_(samples: Samples) -> Sample:
    """The smallest value, the earliest of equals."""
    best = samples[0]
    for sample in samples:
        if sample.value < best.value or (
            sample.value == best.value and sample.time < best.time
        ):
            best = sample
    return best


def max_(samples: Samples) -> Sample:
    """The largest value, the earliest of equals."""
    best = samples[0]
    for sample in samples:
        if sample.value > best.value or (
            sample.value == best.value and sample.time < best.time
        ):
            best = sample
    return best


def first(samples: Samples) -> Sample:
    """The earliest value, the largest of equals."""
    best = samples[0]
    for sample in samples:
        if sample.time < best.time or (
            sample.time == best.time and sample.value > best.value
        ):
            best = sample
    return best


def last(samples: Samples) -> Sample:
    """The latest value, the largest of equals."""
    best = samples[0]
    for sample in samples:
        if sample.time > best.time or (
            sample.time == best.time and sample.value > best.value
        ):
            best = sample
    return best


def percentile(samples: Samples, percent: float) -> Sample | None:
    """The value at the nearest rank; None if the rank is out of range."""
    rank = len(samples) * percent / 100.0 + 0.5
    # NaN and infinities are also out of range
    if not 1 <= rank < len(samples) + 1:
        return None
    # the sort is stable: of equal values the first that arrived comes first
    return sorted(samples, key=lambda sample: sample.value)[math.floor(rank) - 1]


def distinct(samples: Samples) -> list[Sample]:
    """The first sample of each value, in order of time."""
    seen: dict[Any, Sample] = {}
    for sample in samples:
        known = seen.get(sample.value)
        if known is None or sample.time < known.time:
            seen[sample.value] = sample
    return sorted(seen.values(), key=lambda sample: sample.time)


def top(samples: Samples, number: int) -> list[Sample]:
    """The largest values, the largest first, the earliest of equals first."""
    return sorted(samples, key=lambda s: (-s.value, s.time))[:number]


def bottom(samples: Samples, number: int) -> list[Sample]:
    """The smallest values, the smallest first, the earliest of equals first."""
    return sorted(samples, key=lambda s: (s.value, s.time))[:number]


class Transformation(ABC):
    """Turns a series of values into another, one by one."""

    @property
    def remembered(self) -> int:
        """Number of values that it remembers, unless it is one or two."""
        return 0

    @abstractmethod
    def next(self, value: Any, time: Nanoseconds) -> Any:
        """The new value, or None for none."""


class Difference(Transformation):
    """Each value minus the previous one; a point with the same time is skipped."""

    def __init__(self) -> None:
        self._value: Any = None
        self._time: Nanoseconds | None = None

    def next(self, value: Any, time: Nanoseconds) -> Any:
        """The new value, or None for none."""
        # the first of several points with the same time counts
        if self._time == time:
            return None
        before, self._value, self._time = self._value, value, time
        if before is None:
            return None
        result = value - before
        return wrapped(result) if isinstance(result, int) else result


class Elapsed(Transformation):
    """The time since the previous point, in complete units."""

    def __init__(self, unit: Nanoseconds) -> None:
        if not unit:
            raise TaskError("the unit of elapsed cannot be zero")
        self._unit = int(unit)
        self._time: Nanoseconds | None = None

    def next(self, value: Any, time: Nanoseconds) -> Any:
        """The new value, or None for none."""
        before, self._time = self._time, time
        if before is None:
            return None
        # rounded toward zero, even if time goes back
        return quotient(wrapped(time - before), self._unit)


class MovingAverage(Transformation):
    """The mean of the last N values. Source: InfluxQL FloatMovingAverageReducer."""

    def __init__(self, number: int) -> None:
        if number <= 0:
            raise TaskError("movingAverage needs a positive number of points")
        self._number = number
        self._values: list[Any] = []
        self._position = 0
        self._sum: Any = 0

    @property
    def remembered(self) -> int:
        """Number of values that it remembers."""
        return len(self._values)

    def next(self, value: Any, time: Nanoseconds) -> Any:
        """The new value, or None for none."""
        if len(self._values) < self._number:
            self._values.append(value)
        else:
            # a running sum with the rounding errors of InfluxQL's: a new sum would differ
            # in the last digits
            self._sum -= self._values[self._position]
            self._values[self._position] = value
        self._sum += value
        self._position = (self._position + 1) % self._number
        if len(self._values) < self._number:
            return None
        total = self._sum
        # wrapped at the end, as intermediate sums may exceed int64
        if isinstance(total, int):
            total = wrapped(total)
        return float(total) / self._number


class CumulativeSum(Transformation):
    """The sum of all values so far."""

    def __init__(self) -> None:
        self._sum: Any = None

    def next(self, value: Any, time: Nanoseconds) -> Any:
        """The new value, or None for none."""
        total = value if self._sum is None else self._sum + value
        self._sum = wrapped(total) if isinstance(total, int) else total
        return self._sum


AGGREGATES: dict[str, Callable[[Samples], Any]] = {
    "count": count,
    "sum": sum_,
    "mean": mean,
    "median": median,
    "mode": mode,
    "spread": spread,
    "stddev": stddev,
}
SELECTORS: dict[str, Callable[..., Sample | None]] = {
    "min": min_,
    "max": max_,
    "first": first,
    "last": last,
    "percentile": percentile,
}
PICKERS: dict[str, Callable[..., list[Sample]]] = {
    "distinct": distinct,
    "top": top,
    "bottom": bottom,
}
TRANSFORMATIONS: dict[str, Callable[..., Transformation]] = {
    "difference": Difference,
    "elapsed": Elapsed,
    "movingAverage": MovingAverage,
    "cumulativeSum": CumulativeSum,
}

# Functions that accept strings and booleans too.
ANY_KIND = frozenset({"count", "first", "last", "distinct", "elapsed"})
# Functions with a result for a batch without points.
EMPTY_OK = frozenset({"count", "sum"})
