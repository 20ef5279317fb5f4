"""A server for tests that stands in for HipChat."""

import msgspec

from runtime.testing.loopback import LoopbackServer


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What HipChat is told in one request."""

    from_: str = msgspec.field(name="from")
    color: str
    message: str
    notify: bool


class HipChatServer(LoopbackServer):
    """Answers as HipChat does when all is well."""

    def next_message(self, timeout_s: float = 5.0) -> Message:
        """What the oldest request not yet taken says.

        Raises:
            TimeoutError: no request came within `timeout_s`.
            msgspec.ValidationError: HipChat would not understand it.
        """
        return msgspec.json.decode(self.next(timeout_s).body, type=Message)
