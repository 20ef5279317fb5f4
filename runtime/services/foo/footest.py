"""A server for tests that stands in for Foo."""

import msgspec

from runtime.testing.loopback import LoopbackServer


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What Foo is told in one request."""

    room: str
    message: str


class FooServer(LoopbackServer):
    """Answers as Foo does when all is well."""

    def next_message(self, timeout_s: float = 5.0) -> Message:
        """What the oldest request not yet taken says.

        Raises:
            TimeoutError: no request came within `timeout_s`.
            msgspec.ValidationError: Foo would not understand it.
        """
        return msgspec.json.decode(self.next(timeout_s).body, type=Message)
