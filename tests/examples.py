"""The number of examples that property tests try.

The profile decides (`desk` or `deep`, see `conftest.py`); a test whose examples take
long asks for fewer of them, one whose examples take no time for more. Tests that go
through all combinations of something go through a part of them at a desk.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

from hypothesis import settings

T = TypeVar("T")


def share(of_profile: float) -> int:
    """A number of examples: this share of what the profile says."""
    return max(1, round(settings.default.max_examples * of_profile))


def at_most(number: int) -> int:
    """A number of examples: what the profile says, but no more than this.

    The deep profile takes 500 because most examples take a millisecond or less. Where one
    runs whole tasks, or a test does the same for many nodes, its share of the ten minutes
    of the gate is bounded; at a desk nothing changes.
    """
    return min(number, settings.default.max_examples)


def some(cases: Iterable[T]) -> Iterable[T]:
    """Every third of many cases at a desk; all of them in the deep profile."""
    is_deep = settings.default.max_examples >= 500
    return islice(cases, 0, None, 1 if is_deep else 3)
