"""Handler kinds that the HTTP API accepts, and the classes of their options."""

from typing import Any

from runtime.services.alert.kinds.aggregate import AggregateHandlerConfig
from runtime.services.alert.kinds.exec import ExecHandlerConfig
from runtime.services.alert.kinds.log import LogHandlerConfig
from runtime.services.alert.kinds.publish import PublishHandlerConfig
from runtime.services.alert.kinds.tcp import TCPHandlerConfig
from runtime.services.foo.handler import HandlerConfig as FooHandlerConfig
from runtime.services.googlechat.handler import HandlerConfig as GoogleChatHandlerConfig
from runtime.services.gotify.handler import HandlerConfig as GotifyHandlerConfig
from runtime.services.hipchat.handler import HandlerConfig as HipChatHandlerConfig
from runtime.services.httppost.service import HandlerConfig as HttpPostHandlerConfig
from runtime.services.matrix.handler import HandlerConfig as MatrixHandlerConfig
from runtime.services.ntfy.handler import HandlerConfig as NtfyHandlerConfig
from runtime.services.opsgenie.handler import HandlerConfig as OpsGenieHandlerConfig
from runtime.services.opsgenie2.handler import HandlerConfig as OpsGenie2HandlerConfig
from runtime.services.pagerduty.handler import HandlerConfig as PagerDutyHandlerConfig
from runtime.services.pagerduty2.handler import HandlerConfig as PagerDuty2HandlerConfig
from runtime.services.servicenow.handler import HandlerConfig as ServiceNowHandlerConfig
from runtime.services.slack.handler import HandlerConfig as SlackHandlerConfig
from runtime.services.smtp.handler import HandlerConfig as EmailHandlerConfig
from runtime.services.snmptrap.handler import HandlerConfig as SnmpTrapHandlerConfig
from runtime.services.talk.handler import HandlerConfig as TalkHandlerConfig
from runtime.services.teams.handler import HandlerConfig as TeamsHandlerConfig
from runtime.services.telegram.handler import HandlerConfig as TelegramHandlerConfig
from runtime.services.webhook.handler import HandlerConfig as WebhookHandlerConfig
from runtime.services.zulip.handler import HandlerConfig as ZulipHandlerConfig

KINDS: dict[str, type[Any]] = {
    "aggregate": AggregateHandlerConfig,
    "exec": ExecHandlerConfig,
    "foo": FooHandlerConfig,
    "googlechat": GoogleChatHandlerConfig,
    "gotify": GotifyHandlerConfig,
    "hipchat": HipChatHandlerConfig,
    "log": LogHandlerConfig,
    "matrix": MatrixHandlerConfig,
    "ntfy": NtfyHandlerConfig,
    "opsgenie": OpsGenieHandlerConfig,
    "opsgenie2": OpsGenie2HandlerConfig,
    "pagerduty": PagerDutyHandlerConfig,
    "pagerduty2": PagerDuty2HandlerConfig,
    "post": HttpPostHandlerConfig,
    "publish": PublishHandlerConfig,
    "servicenow": ServiceNowHandlerConfig,
    "slack": SlackHandlerConfig,
    "smtp": EmailHandlerConfig,
    "snmptrap": SnmpTrapHandlerConfig,
    "talk": TalkHandlerConfig,
    "tcp": TCPHandlerConfig,
    "teams": TeamsHandlerConfig,
    "telegram": TelegramHandlerConfig,
    "webhook": WebhookHandlerConfig,
    "zulip": ZulipHandlerConfig,
}
