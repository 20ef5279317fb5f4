"""TICKscript property `.pagerDuty()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler


@dataclass(slots=True)
class PagerDutyHandler(AlertHandler):
    """Options of `.pagerDuty()`.

    Attributes:
        service_key: key of the service to notify; defaults to the configured one.
    """

    service_key: str = ""
