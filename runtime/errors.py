"""The runtime's errors.

KapacitorError
├── ConfigError       a configuration value is wrong        (section and key)
├── ScriptError       a TICKscript is wrong                 (text as Kapacitor words it)
├── LineProtocolError a write does not parse                (all bad lines, a line each)
├── EvaluationError   a lambda fails on a point
├── TaskError         a task cannot start or has stopped
├── OptionsError      a handler's options do not decode
├── StoreError        the database cannot be opened, read or written
│   └── StoreFullError    the disk has no room
├── BusyError         the server cannot accept more work now
├── RefusedError      a request is refused
│   ├── InvalidError      it is wrong
│   ├── CredentialsError  its credentials are not accepted
│   ├── ForbiddenError    the server's configuration does not allow it
│   ├── NotFoundError     it names something that does not exist
│   ├── ConflictError     it conflicts with the state of something
│   ├── TooLargeError     it is larger than the server accepts
│   ├── TooManyError      too many like it are being answered
│   └── FailedError       it is valid, but fails
└── DeliveryError     a handler could not deliver           (and if a retry may help)

Packages derive errors of their own from these where a caller handles one case apart,
such as `CycleError` from `InvalidError`.
"""

from __future__ import annotations


class KapacitorError(Exception):
    """Base of the runtime's errors; the text can be shown to a user."""


class ConfigError(KapacitorError):
    """A configuration value is wrong. The text names no section: callers prefix it."""


class ScriptError(KapacitorError):
    """A TICKscript does not parse, evaluate or validate."""


class LineProtocolError(KapacitorError):
    """Lines of a write do not parse; the text has a line with a message for each."""


class EvaluationError(KapacitorError):
    """A lambda expression fails on the point at hand."""


class TaskError(KapacitorError):
    """A task cannot start, or has to stop."""


class OptionsError(KapacitorError):
    """The options of a handler do not decode."""


class StoreError(KapacitorError):
    """The database cannot be opened, read or written."""


class StoreFullError(StoreError):
    """The disk has no room for a write."""


class BusyError(KapacitorError):
    """The server cannot accept more work now; the same request may succeed soon."""


class RefusedError(KapacitorError):
    """A request is refused; the subclass gives the reason.

    The HTTP API answers with the status that `services.httpd.messages.STATUSES` has for it.
    """

    def prefix(self, text: str) -> None:
        """Prefix the reason with the attempted action."""
        self.args = (f"{text}: {self}",)


class InvalidError(RefusedError):
    """A request is wrong."""


class CredentialsError(RefusedError):
    """The credentials of a request are not accepted."""


class ForbiddenError(RefusedError):
    """The server's configuration does not allow the request."""


class NotFoundError(RefusedError):
    """A request names something that does not exist."""


class ConflictError(RefusedError):
    """A request conflicts with the state of something."""


class TooLargeError(RefusedError):
    """A request is larger than the server accepts."""


class TooManyError(RefusedError):
    """Too many requests of a kind, or of a client, are being answered already."""


class FailedError(RefusedError):
    """A valid request fails."""


class DeliveryError(KapacitorError):
    """A handler could not deliver an event. The text never holds a secret.

    Attributes:
        retry: True if a retry may succeed.
        status: the HTTP status of the answer, if there was one.
        retry_after_s: delay that the endpoint requested, in seconds.
        maybe_duplicate: True if the endpoint may have received the event nevertheless.
        deferred: True if the delivery waits until the handler's service is enabled.
        expired: True if the endpoint refused the login that was used.
    """

    def __init__(
        self,
        message: str,
        *,
        retry: bool = False,
        status: int | None = None,
        retry_after_s: float | None = None,
        maybe_duplicate: bool = False,
        deferred: bool = False,
        expired: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry = retry
        self.status = status
        self.retry_after_s = retry_after_s
        self.maybe_duplicate = maybe_duplicate
        self.deferred = deferred
        self.expired = expired

    def replace(self, message: str) -> DeliveryError:
        """Return the same failure with another text."""
        return DeliveryError(
            message,
            retry=self.retry,
            status=self.status,
            retry_after_s=self.retry_after_s,
            maybe_duplicate=self.maybe_duplicate,
            deferred=self.deferred,
            expired=self.expired,
        )
