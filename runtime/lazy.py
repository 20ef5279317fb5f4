"""Mappings whose values are made when they are first read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T")


class Lazy(Mapping[str, T]):
    """A mapping that makes each value once, when it is first read.

    Names, their number and their order are known from the start. An error of `make` is
    raised by each read until one succeeds. Any thread may read.

    Attributes:
        observer: called with each value that is made, by the thread that reads it.
    """

    def __init__(
        self,
        names: Iterable[str],
        make: Callable[[str], T],
        given: Mapping[str, T] | None = None,
    ) -> None:
        """Make the mapping.

        Args:
            names: all names, in order.
            make: makes the value of a name.
            given: values that exist already; those whose names are not in `names` come
                last.
        """
        self._given = dict(given or {})
        self._names = dict.fromkeys((*names, *self._given))
        self._make = make
        self._values = dict(self._given)
        self.observer: Callable[[T], object] | None = None
        # making a value may read another one on the same thread
        self._one = threading.RLock()

    @property
    def given(self) -> Mapping[str, T]:
        """The values that existed from the start, in order."""
        return {name: self._given[name] for name in self if name in self._given}

    @property
    def made(self) -> Mapping[str, T]:
        """The values that exist by now, in order."""
        values = dict(self._values)
        return {name: values[name] for name in self if name in values}

    def with_given(self, changes: Mapping[str, T]) -> Lazy[T]:
        """The same mapping with other values, without those that reading made."""
        return Lazy(self._names, self._make, {**self._given, **changes})

    def __getitem__(self, name: str) -> T:
        if name not in self._values:
            if name not in self._names:
                raise KeyError(name)
            with self._one:
                if name not in self._values:
                    made = self._values[name] = self._make(name)
                    if self.observer is not None:
                        self.observer(made)
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def given(values: Mapping[str, T]) -> Mapping[str, T]:
    """The values of a mapping that were not made by reading it."""
    return values.given if isinstance(values, Lazy) else values


def made(values: Mapping[str, T]) -> Mapping[str, T]:
    """The values of a mapping that exist already."""
    return values.made if isinstance(values, Lazy) else values


def with_given(values: Mapping[str, T], changes: Mapping[str, T]) -> Mapping[str, T]:
    """A mapping with other values, as lazy as before."""
    if isinstance(values, Lazy):
        return values.with_given(changes)
    return {**values, **changes}
