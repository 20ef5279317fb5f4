"""Configuration of the Slack service."""

from dataclasses import dataclass
from typing import ClassVar

from runtime.errors import ConfigError
from runtime.secrets import NO_SECRET, Secret
from runtime.services.instances import Instances
from runtime.services.urls import check_url


@dataclass(frozen=True, slots=True)
class Config:
    """One of the sections `[[slack]]` of the configuration file.

    Attributes:
        instances: rules between the sections.
        enabled: enables the service.
        default: makes this the section of handlers that choose none.
        workspace: name of the section, for handlers that choose one; required with
            several sections.
        url: URL of an incoming webhook, or `https://slack.com/api/chat.postMessage` of
            an app.
        token: OAuth token of an app with the scopes `chat:write` and
            `chat:write.public`; webhooks need none.
        channel: default channel for handlers, such as `#alerts`.
        username: default name that messages are posted under.
        icon_emoji: default icon of messages, such as `:fire:`; empty for that of the
            webhook.
        ssl_ca: file of the authorities to trust instead of the system's, in PEM form.
        ssl_cert: file of the client's certificate, in PEM form.
        ssl_key: file of the private key of that certificate.
        insecure_skip_verify: accepts any certificate of the endpoint.
        global_: adds a handler to alert nodes that have none of this kind.
        state_changes_only: with `global`, limits alerts to changes of level.
    """

    instances: ClassVar[Instances] = Instances(
        key="workspace", option="workspace", title="Slack", default="flag"
    )

    enabled: bool = False
    default: bool = False
    workspace: str = ""
    url: Secret = NO_SECRET
    token: Secret = NO_SECRET
    channel: str = ""
    username: str = "kapacitor"
    icon_emoji: str = ""
    ssl_ca: str = ""
    ssl_cert: str = ""
    ssl_key: str = ""
    insecure_skip_verify: bool = False
    global_: bool = False
    state_changes_only: bool = False

    def validate(self) -> None:
        """Check the values.

        Raises:
            ConfigError: a value is missing or invalid.
        """
        if self.enabled and not self.url:
            raise ConfigError("must specify url")
        check_url(self.url)
