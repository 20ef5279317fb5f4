"""TICKscript properties that add handlers to alert nodes."""

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

PROPERTIES: dict[str, type[AlertHandler]] = {
    "post": PostHandler,
    "tcp": TcpHandler,
    "exec": ExecHandler,
    "log": LogHandler,
    "hipChat": HipChatHandler,
    "foo": FooHandler,
    "telegram": TelegramHandler,
    "talk": TalkHandler,
    "opsGenie": OpsGenieHandler,
    "pagerDuty": PagerDutyHandler,
    "ntfy": NtfyHandler,
    "gotify": GotifyHandler,
    "googleChat": GoogleChatHandler,
    "zulip": ZulipHandler,
    "matrix": MatrixHandler,
    "webhook": WebhookHandler,
    "slack": SlackHandler,
    "pagerDuty2": PagerDuty2Handler,
    "opsGenie2": OpsGenie2Handler,
    "email": EmailHandler,
    "serviceNow": ServiceNowHandler,
    "teams": TeamsHandler,
    "snmpTrap": SnmpTrapHandler,
}
