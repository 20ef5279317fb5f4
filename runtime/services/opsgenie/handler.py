"""Handler options of kind `opsgenie`."""

from dataclasses import dataclass, replace
from typing import Self

from runtime.services.opsgenie.config import Config


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """Options of one handler.

    Attributes:
        teams_list: teams to notify; defaults to the configured ones.
        recipients_list: recipients to notify; defaults to the configured ones.
    """

    teams_list: tuple[str, ...] = ()
    recipients_list: tuple[str, ...] = ()

    def resolve(self, config: Config) -> Self:
        """Return these options with defaults for those that are not set."""
        return replace(
            self,
            teams_list=self.teams_list or config.teams,
            recipients_list=self.recipients_list or config.recipients,
        )
