"""Fake OpsGenie server for tests."""

import msgspec

from runtime.testing.loopback import LoopbackServer


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Message in a request to OpsGenie."""

    note: str
    alias: str | None = None
    description: str | None = None
    entity: str | None = None
    message: str | None = None
    priority: str | None = None
    responders: list[object] | None = None
    details: dict[str, object] | None = None


class OpsGenie2Server(LoopbackServer):
    """Records requests and answers them as OpsGenie does on success."""

    def __init__(self) -> None:
        super().__init__(status=202)

    def next_message(self, timeout_s: float = 5.0) -> Message:
        """Return the message of the oldest request not yet taken.

        Raises:
            TimeoutError: no request arrived within `timeout_s`.
            msgspec.ValidationError: the request holds no valid message.
        """
        return msgspec.json.decode(self.next(timeout_s).body, type=Message)
