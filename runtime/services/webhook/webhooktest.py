"""Fake Webhook server for tests."""

import msgspec

from runtime.testing.loopback import LoopbackServer


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Message in a request to Webhook."""

    version: str
    group_key: str = msgspec.field(name="groupKey")
    truncated_alerts: int = msgspec.field(name="truncatedAlerts")
    status: str
    receiver: str
    group_labels: dict[str, object] = msgspec.field(name="groupLabels")
    common_labels: dict[str, object] = msgspec.field(name="commonLabels")
    common_annotations: dict[str, object] = msgspec.field(name="commonAnnotations")
    external_url: str = msgspec.field(name="externalURL")
    alerts: list[object]


class WebhookServer(LoopbackServer):
    """Records requests and answers them as Webhook does on success."""

    def next_message(self, timeout_s: float = 5.0) -> Message:
        """Return the message of the oldest request not yet taken.

        Raises:
            TimeoutError: no request arrived within `timeout_s`.
            msgspec.ValidationError: the request holds no valid message.
        """
        return msgspec.json.decode(self.next(timeout_s).body, type=Message)
