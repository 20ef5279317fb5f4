"""TICKscript property `.ntfy()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler
from runtime.settings import setting


@dataclass(slots=True)
class NtfyHandler(AlertHandler):
    """Options of `.ntfy()`.

    Attributes:
        topic: topic to publish to; defaults to the configured one.
        priority: priority from 1 (lowest) to 5; by default that of the alert's level.
        tags: tags, some of which are shown as emojis; by default that of the alert's
            level.
        click: URL that a click on the notification opens.
    """

    topic: str = setting("", tick="ntfyTopic")
    priority: int = 0
    tags: tuple[str, ...] = setting((), tick="ntfyTags")
    click: str = ""
