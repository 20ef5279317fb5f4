"""Fake OpsGenie2 server for tests."""

import msgspec

from runtime.testing.loopback import LoopbackServer
from runtime.testing.messages import fitting


class Message1(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Message in a request to OpsGenie2."""

    note: str


class Message2(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Message in a request to OpsGenie2."""

    alias: str
    description: str
    entity: str
    message: str
    note: str
    priority: str
    responders: list[object] | None = None
    details: dict[str, object]


class OpsGenie2Server(LoopbackServer):
    """Records requests and answers them as OpsGenie2 does on success."""

    def __init__(self) -> None:
        super().__init__(status=202)

    def next_message(self, timeout_s: float = 5.0) -> Message1 | Message2:
        """Return the message of the oldest request not yet taken.

        Raises:
            TimeoutError: no request arrived within `timeout_s`.
            msgspec.ValidationError: the request holds no valid message.
        """
        message: Message1 | Message2 = fitting(
            msgspec.json.decode(self.next(timeout_s).body), Message1, Message2
        )
        return message
