"""Configuration of the HipChat service."""

from dataclasses import dataclass

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.services.urls import check_url


@dataclass(frozen=True, slots=True)
class Config:
    """The `[hipchat]` table of the server's configuration file.

    Attributes:
        enabled: whether the service sends alerts.
        url: the URL of the rooms, https://SUBDOMAIN.hipchat.com/v2/room; required when
            enabled.
        token: the API token of handlers that name none.
        room: the room of handlers that name none.
        global_: whether alert nodes without a handler of this kind get one.
        state_changes_only: whether a global handler sends state changes only.
    """

    enabled: bool = False
    url: str = ""
    token: Secret = NO_SECRET
    room: str = ""
    global_: bool = False
    state_changes_only: bool = False

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or wrong.
        """
        if self.enabled and not self.url:
            raise ConfigError("must specify url")
        check_url(self.url)
