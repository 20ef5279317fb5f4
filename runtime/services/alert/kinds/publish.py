"""The handler that publishes events to other topics."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.alert.types import Event
from runtime.services.alert.kinds.topics import TopicService, check_hops, collect


@dataclass(frozen=True, slots=True)
class PublishHandlerConfig:
    """Options of one handler.

    Attributes:
        topics: the ids of the topics.
    """

    topics: tuple[str, ...] = ()


class PublishHandler:
    """Publishes each event unchanged to other topics."""

    def __init__(self, options: PublishHandlerConfig, topics: TopicService) -> None:
        self.options = options
        self._targets = options.topics
        self._topics = topics

    async def handle(self, event: Event) -> None:
        """Publish `event` to each of the topics.

        Raises:
            DeliveryError: the event passed too many topics, or too many events are
                pending.
        """
        check_hops(event)
        await self._topics.loop.call(collect, self._topics, event, self._targets)
