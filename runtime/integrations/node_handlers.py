"""Handlers of alert nodes, by kind."""

from runtime.pipeline.alert import ExecHandler, LogHandler, PostHandler, TcpHandler
from runtime.pipeline.handler import AlertHandler
from runtime.services.foo.property import FooHandler
from runtime.services.googlechat.property import GoogleChatHandler
from runtime.services.gotify.property import GotifyHandler
from runtime.services.hipchat.property import HipChatHandler
from runtime.services.matrix.property import MatrixHandler
from runtime.services.ntfy.property import NtfyHandler
from runtime.services.opsgenie.property import OpsGenieHandler
from runtime.services.opsgenie2.property import OpsGenie2Handler
from runtime.services.pagerduty.property import PagerDutyHandler
from runtime.services.pagerduty2.property import PagerDuty2Handler
from runtime.services.servicenow.property import ServiceNowHandler
from runtime.services.slack.property import SlackHandler
from runtime.services.smtp.property import EmailHandler
from runtime.services.snmptrap.property import SnmpTrapHandler
from runtime.services.talk.property import TalkHandler
from runtime.services.teams.property import TeamsHandler
from runtime.services.telegram.property import TelegramHandler
from runtime.services.webhook.property import WebhookHandler
from runtime.services.zulip.property import ZulipHandler

# in Kapacitor's order
NODE_HANDLERS: dict[str, type[AlertHandler]] = {
    "tcp": TcpHandler,
    "exec": ExecHandler,
    "log": LogHandler,
    "hipchat": HipChatHandler,
    "post": PostHandler,
    "foo": FooHandler,
    "telegram": TelegramHandler,
    "talk": TalkHandler,
    "opsgenie": OpsGenieHandler,
    "pagerduty": PagerDutyHandler,
    "ntfy": NtfyHandler,
    "gotify": GotifyHandler,
    "googlechat": GoogleChatHandler,
    "zulip": ZulipHandler,
    "matrix": MatrixHandler,
    "webhook": WebhookHandler,
    "slack": SlackHandler,
    "pagerduty2": PagerDuty2Handler,
    "opsgenie2": OpsGenie2Handler,
    "smtp": EmailHandler,
    "servicenow": ServiceNowHandler,
    "teams": TeamsHandler,
    "snmptrap": SnmpTrapHandler,
}
