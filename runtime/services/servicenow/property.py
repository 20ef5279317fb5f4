"""TICKscript property `.serviceNow()` of alert nodes."""

from dataclasses import dataclass, field

from runtime.alert.templates import NO_TEMPLATE, Template
from runtime.pipeline.handler import AlertHandler
from runtime.settings import setting


@dataclass(slots=True)
class ServiceNowHandler(AlertHandler):
    """Options of `.serviceNow()`.

    Attributes:
        url: URL to post to; defaults to the configured one.
        source: source of the event; defaults to the configured one.
        username: user; defaults to the configured one.
        password: password of the user; defaults to the configured one.
        node_: node that the event is about.
        type: type of the metric.
        resource: resource of the node.
        metricname: name of the metric.
        messagekey: key that events of one alert share; defaults to the alert's ID.
        additional_info: more data of the event.
    """

    url: str = setting("", tick="URL")
    source: str = ""
    username: str = ""
    password: str = ""
    node_: Template = NO_TEMPLATE
    type: Template = NO_TEMPLATE
    resource: Template = NO_TEMPLATE
    metricname: Template = setting(NO_TEMPLATE, tick="metricName")
    messagekey: Template = setting(NO_TEMPLATE, tick="messageKey")
    additional_info: dict[str, Template] = field(default_factory=dict)
