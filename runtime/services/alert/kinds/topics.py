"""Support for kinds that publish events to topics."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from runtime.alert.types import Event
from runtime.errors import DeliveryError
from runtime.services.alert.loop import Loop
from runtime.store.database import Store

# An event that passed this many topics is in a cycle.
MAX_HOPS = 8


class TopicService(Protocol):
    """The interface of the alert service for kinds that publish events."""

    @property
    def loop(self) -> Loop:
        """Calls between the event loop and the compute thread."""

    @property
    def store(self) -> Store:
        """The database."""

    def transaction(self) -> AbstractContextManager[None]:
        """Keep everything collected inside in one transaction."""

    def collect(self, event: Event) -> None:
        """Collect an event in its topic.

        Raises:
            DeliveryError: too many events wait for a handler.
        """


def check_hops(event: Event) -> None:
    """Cut cycles that were not detected when the handlers were defined.

    Raises:
        DeliveryError: the event has passed too many topics.
    """
    if event.hops >= MAX_HOPS:
        text = (
            f"the event has passed {MAX_HOPS} topics: their handlers probably publish "
            f"in a cycle"
        )
        raise DeliveryError(text)


def collect(topics: TopicService, event: Event, targets: Sequence[str]) -> None:
    """Collect `event` in each of `targets`, all or none; on the compute thread.

    Raises:
        DeliveryError: too many events wait for a handler; the event must be repeated.
    """
    missed = ""
    with topics.transaction():
        for topic in targets:
            copy = dataclasses.replace(event, topic=topic, hops=event.hops + 1)
            try:
                topics.collect(copy)
            except DeliveryError as error:
                missed = str(error)
    if missed:
        raise DeliveryError(missed, retry=True)
