"""Fake ntfy server for tests."""

import msgspec

from runtime.testing.loopback import LoopbackServer


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Message in a request to ntfy."""

    topic: str
    title: str
    message: str
    priority: int
    tags: list[object]
    click: str | None = None


class NtfyServer(LoopbackServer):
    """Records requests and answers them as ntfy does on success."""

    def next_message(self, timeout_s: float = 5.0) -> Message:
        """Return the message of the oldest request not yet taken.

        Raises:
            TimeoutError: no request arrived within `timeout_s`.
            msgspec.ValidationError: the request holds no valid message.
        """
        return msgspec.json.decode(self.next(timeout_s).body, type=Message)
