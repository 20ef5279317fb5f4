"""Configuration of the SMTP service."""

from dataclasses import dataclass, field

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.services.expressions import address_error, seconds
from runtime.units import SECOND, Duration


@dataclass(frozen=True, slots=True)
class Config:
    """Section `[smtp]` of the configuration file.

    Attributes:
        enabled: enables the service.
        host: host of the mail server.
        port: port of the mail server; the connection is encrypted where the server
            offers STARTTLS.
        username: user name; empty to send without logging in.
        password: password of that user.
        no_verify: accepts any certificate of the server.
        idle_timeout: time after which an unused connection is closed.
        from_: address of the sender; required when enabled.
        to: default recipients for handlers.
        totemplates: accepted without effect, as in Kapacitor.
        global_: adds a handler to alert nodes that have none of this kind.
        state_changes_only: with `global`, limits alerts to changes of level.
    """

    enabled: bool = False
    host: str = "localhost"
    port: int = 25
    username: str = ""
    password: Secret = NO_SECRET
    no_verify: bool = False
    idle_timeout: Duration = field(default=Duration(30 * SECOND))
    from_: str = ""
    to: tuple[str, ...] = ()
    totemplates: tuple[str, ...] = ()
    global_: bool = False
    state_changes_only: bool = False

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if not self.host:
            raise ConfigError("host cannot be empty")
        if self.port <= 0:
            raise ConfigError(f"invalid port {self.port}")
        if seconds(self.idle_timeout) < 0:
            raise ConfigError("idle timeout must be positive")
        if self.enabled and not self.from_:
            raise ConfigError("must provide a 'from' address")
        if address_error(self.from_):
            raise ConfigError(
                f"invalid from email address: {address_error(self.from_)}"
            )
        if address_error(self.to):
            raise ConfigError(f"invalid to email address: {address_error(self.to)}")
