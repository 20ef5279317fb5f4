"""Fake Teams server for tests."""

import msgspec

from runtime.testing.loopback import LoopbackServer


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Message in a request to Teams."""

    type: str = msgspec.field(name="@type")
    context: str = msgspec.field(name="@context")
    title: str
    text: str
    summary: str
    theme_color: str = msgspec.field(name="themeColor")


class TeamsServer(LoopbackServer):
    """Records requests and answers them as Teams does on success."""

    def next_message(self, timeout_s: float = 5.0) -> Message:
        """Return the message of the oldest request not yet taken.

        Raises:
            TimeoutError: no request arrived within `timeout_s`.
            msgspec.ValidationError: the request holds no valid message.
        """
        return msgspec.json.decode(self.next(timeout_s).body, type=Message)
