"""Fake PagerDuty2 server for tests."""

import msgspec

from runtime.testing.loopback import LoopbackServer


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Message in a request to PagerDuty2."""

    routing_key: str
    event_action: str
    dedup_key: str
    client: str
    client_url: str
    links: list[object] | None = None
    payload: dict[str, object]


class PagerDuty2Server(LoopbackServer):
    """Records requests and answers them as PagerDuty2 does on success."""

    def next_message(self, timeout_s: float = 5.0) -> Message:
        """Return the message of the oldest request not yet taken.

        Raises:
            TimeoutError: no request arrived within `timeout_s`.
            msgspec.ValidationError: the request holds no valid message.
        """
        return msgspec.json.decode(self.next(timeout_s).body, type=Message)
