"""Fake OpsGenie server for tests."""

import msgspec

from runtime.testing.loopback import LoopbackServer


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Message in a request to OpsGenie."""

    api_key: str = msgspec.field(name="apiKey")
    message: str
    entity: str
    alias: str
    note: str
    monitoring_tool: str
    details: dict[str, object]
    description: str
    teams: list[object] | None = None
    recipients: list[object] | None = None


class OpsGenieServer(LoopbackServer):
    """Records requests and answers them as OpsGenie does on success."""

    def next_message(self, timeout_s: float = 5.0) -> Message:
        """Return the message of the oldest request not yet taken.

        Raises:
            TimeoutError: no request arrived within `timeout_s`.
            msgspec.ValidationError: the request holds no valid message.
        """
        return msgspec.json.decode(self.next(timeout_s).body, type=Message)
