"""Handler options of kind `opsgenie2`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.services.opsgenie2.config import Config
from runtime.settings import setting


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        teams_list: teams to notify; defaults to the configured ones.
        recipients_list: users to notify, by user name; defaults to the configured ones.
        recovery_action: action on recovery: `notes` or `close`; anything else means the
            configured one.
        details: takes the details of the alert as description, in place of its data;
            also if configured so.
    """

    teams_list: tuple[str, ...] = ()
    recipients_list: tuple[str, ...] = ()
    recovery_action: str = setting("", key="recovery_action")
    details: bool = False

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(
            self,
            teams_list=self.teams_list or config.teams,
            recipients_list=self.recipients_list or config.recipients,
            details=self.details or config.details,
        )
