"""Configuration sections and the classes of their values."""

from typing import Any

from runtime.services.foo.config import Config as FooConfig
from runtime.services.googlechat.config import Config as GoogleChatConfig
from runtime.services.gotify.config import Config as GotifyConfig
from runtime.services.hipchat.config import Config as HipChatConfig
from runtime.services.httppost.config import Config as HttpPostConfig
from runtime.services.matrix.config import Config as MatrixConfig
from runtime.services.ntfy.config import Config as NtfyConfig
from runtime.services.opsgenie.config import Config as OpsGenieConfig
from runtime.services.opsgenie2.config import Config as OpsGenie2Config
from runtime.services.pagerduty.config import Config as PagerDutyConfig
from runtime.services.pagerduty2.config import Config as PagerDuty2Config
from runtime.services.servicenow.config import Config as ServiceNowConfig
from runtime.services.slack.config import Config as SlackConfig
from runtime.services.smtp.config import Config as EmailConfig
from runtime.services.snmptrap.config import Config as SnmpTrapConfig
from runtime.services.talk.config import Config as TalkConfig
from runtime.services.teams.config import Config as TeamsConfig
from runtime.services.telegram.config import Config as TelegramConfig
from runtime.services.webhook.config import Config as WebhookConfig
from runtime.services.zulip.config import Config as ZulipConfig

SECTIONS: dict[str, type[Any]] = {
    "foo": FooConfig,
    "googlechat": GoogleChatConfig,
    "gotify": GotifyConfig,
    "hipchat": HipChatConfig,
    "httppost": HttpPostConfig,
    "matrix": MatrixConfig,
    "ntfy": NtfyConfig,
    "opsgenie": OpsGenieConfig,
    "opsgenie2": OpsGenie2Config,
    "pagerduty": PagerDutyConfig,
    "pagerduty2": PagerDuty2Config,
    "servicenow": ServiceNowConfig,
    "slack": SlackConfig,
    "smtp": EmailConfig,
    "snmptrap": SnmpTrapConfig,
    "talk": TalkConfig,
    "teams": TeamsConfig,
    "telegram": TelegramConfig,
    "webhook": WebhookConfig,
    "zulip": ZulipConfig,
}
