"""TICKscript property `.opsGenie()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler
from runtime.settings import setting


@dataclass(slots=True)
class OpsGenieHandler(AlertHandler):
    """Options of `.opsGenie()`.

    Attributes:
        teams_list: teams to notify; defaults to the configured ones.
        recipients_list: recipients to notify; defaults to the configured ones.
    """

    teams_list: tuple[str, ...] = setting((), tick="teams")
    recipients_list: tuple[str, ...] = setting((), tick="recipients")
