"""Fake ServiceNow server for tests."""

import msgspec

from runtime.testing.loopback import LoopbackServer


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Message in a request to ServiceNow."""

    records: list[object]


class ServiceNowServer(LoopbackServer):
    """Records requests and answers them as ServiceNow does on success."""

    def next_message(self, timeout_s: float = 5.0) -> Message:
        """Return the message of the oldest request not yet taken.

        Raises:
            TimeoutError: no request arrived within `timeout_s`.
            msgspec.ValidationError: the request holds no valid message.
        """
        return msgspec.json.decode(self.next(timeout_s).body, type=Message)
