"""TICKscript property `.pagerDuty2()` of alert nodes."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler
from runtime.services.pagerduty2.handler import Link
from runtime.settings import setting


@dataclass(slots=True)
class PagerDuty2Handler(AlertHandler):
    """Options of `.pagerDuty2()`.

    Attributes:
        routing_key: integration key of the service to notify; defaults to the
            configured one.
        service_key: another name of `routing_key`.
        links: links of the incident; a missing text defaults to the address.
    """

    routing_key: str = ""
    service_key: str = ""
    links: tuple[Link, ...] = setting((), tick="link")
