"""Handler options of kind `ntfy`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.services.ntfy.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        topic: topic to publish to; defaults to the configured one.
        priority: priority from 1 (lowest) to 5; by default that of the alert's level.
        tags: tags, some of which are shown as emojis; by default that of the alert's
            level.
        click: URL that a click on the notification opens.
    """

    topic: str = ""
    priority: int = 0
    tags: tuple[str, ...] = ()
    click: str = ""

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(self, topic=self.topic or config.topic)
