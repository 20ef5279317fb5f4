"""Services that deliver alerts, by configuration section."""

from runtime.integration import Service
from runtime.services.foo.service import Service as FooService
from runtime.services.googlechat.service import Service as GoogleChatService
from runtime.services.gotify.service import Service as GotifyService
from runtime.services.hipchat.service import Service as HipChatService
from runtime.services.httppost.service import Service as HttpPostService
from runtime.services.matrix.service import Service as MatrixService
from runtime.services.ntfy.service import Service as NtfyService
from runtime.services.opsgenie.service import Service as OpsGenieService
from runtime.services.opsgenie2.service import Service as OpsGenie2Service
from runtime.services.pagerduty.service import Service as PagerDutyService
from runtime.services.pagerduty2.service import Service as PagerDuty2Service
from runtime.services.servicenow.service import Service as ServiceNowService
from runtime.services.slack.service import Service as SlackService
from runtime.services.smtp.service import Service as EmailService
from runtime.services.snmptrap.service import Service as SnmpTrapService
from runtime.services.talk.service import Service as TalkService
from runtime.services.teams.service import Service as TeamsService
from runtime.services.telegram.service import Service as TelegramService
from runtime.services.webhook.service import Service as WebhookService
from runtime.services.zulip.service import Service as ZulipService

SERVICES: dict[str, type[Service]] = {
    "foo": FooService,
    "googlechat": GoogleChatService,
    "gotify": GotifyService,
    "hipchat": HipChatService,
    "httppost": HttpPostService,
    "matrix": MatrixService,
    "ntfy": NtfyService,
    "opsgenie": OpsGenieService,
    "opsgenie2": OpsGenie2Service,
    "pagerduty": PagerDutyService,
    "pagerduty2": PagerDuty2Service,
    "servicenow": ServiceNowService,
    "slack": SlackService,
    "smtp": EmailService,
    "snmptrap": SnmpTrapService,
    "talk": TalkService,
    "teams": TeamsService,
    "telegram": TelegramService,
    "webhook": WebhookService,
    "zulip": ZulipService,
}
