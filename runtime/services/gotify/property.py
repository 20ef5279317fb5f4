"""TICKscript property `.gotify()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler


@dataclass(slots=True)
class GotifyHandler(AlertHandler):
    """Options of `.gotify()`.

    Attributes:
        token: token of the application; defaults to the configured one.
        priority: priority, 0 to 10; by default that of the alert's level.
        title: title of the message; defaults to the alert's ID.
    """

    token: str = ""
    priority: int = 0
    title: str = ""
