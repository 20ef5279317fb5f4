"""TICKscript property `.opsGenie2()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler
from runtime.settings import setting


@dataclass(slots=True)
class OpsGenie2Handler(AlertHandler):
    """Options of `.opsGenie2()`.

    Attributes:
        teams_list: teams to notify; defaults to the configured ones.
        recipients_list: users to notify, by user name; defaults to the configured ones.
        recovery_action: action on recovery: `notes` or `close`; anything else means the
            configured one.
        details: takes the details of the alert as description, in place of its data;
            also if configured so.
    """

    teams_list: tuple[str, ...] = setting((), tick="teams")
    recipients_list: tuple[str, ...] = setting((), tick="recipients")
    recovery_action: str = ""
    details: bool = False
