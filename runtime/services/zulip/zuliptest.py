"""Fake Zulip server for tests."""

from urllib.parse import parse_qsl

import msgspec

from runtime.testing.loopback import LoopbackServer


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Message in a request to Zulip."""

    type: str
    to: str
    topic: str
    content: str


class ZulipServer(LoopbackServer):
    """Records requests and answers them as Zulip does on success."""

    def __init__(self) -> None:
        super().__init__(body='{"result": "success"}')

    def next_message(self, timeout_s: float = 5.0) -> Message:
        """Return the message of the oldest request not yet taken.

        Raises:
            TimeoutError: no request arrived within `timeout_s`.
            msgspec.ValidationError: the request holds no valid message.
        """
        form = dict(parse_qsl(self.next(timeout_s).text, keep_blank_values=True))
        return msgspec.convert(form, Message)
