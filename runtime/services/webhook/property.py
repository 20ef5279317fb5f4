"""TICKscript property `.webhook()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler


@dataclass(slots=True)
class WebhookHandler(AlertHandler):
    """Options of `.webhook()`.

    Attributes:
        url: URL of another receiver; defaults to the configured one.
        receiver: name of the receiver in the message.
    """

    url: str = ""
    receiver: str = "kapacitor"
