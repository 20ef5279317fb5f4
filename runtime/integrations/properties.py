"""TICKscript properties that add handlers to alert nodes."""

from runtime.references import Reference

PROPERTIES: dict[str, Reference] = {
    "post": "runtime.pipeline.alert:PostHandler",
    "tcp": "runtime.pipeline.alert:TcpHandler",
    "exec": "runtime.pipeline.alert:ExecHandler",
    "log": "runtime.pipeline.alert:LogHandler",
    "hipChat": "runtime.services.hipchat.property:HipChatHandler",
    "foo": "runtime.services.foo.property:FooHandler",
    "telegram": "runtime.services.telegram.property:TelegramHandler",
    "talk": "runtime.services.talk.property:TalkHandler",
    "opsGenie": "runtime.services.opsgenie.property:OpsGenieHandler",
    "pagerDuty": "runtime.services.pagerduty.property:PagerDutyHandler",
    "ntfy": "runtime.services.ntfy.property:NtfyHandler",
    "gotify": "runtime.services.gotify.property:GotifyHandler",
    "googleChat": "runtime.services.googlechat.property:GoogleChatHandler",
    "zulip": "runtime.services.zulip.property:ZulipHandler",
    "matrix": "runtime.services.matrix.property:MatrixHandler",
    "webhook": "runtime.services.webhook.property:WebhookHandler",
    "slack": "runtime.services.slack.property:SlackHandler",
    "opsGenie2": "runtime.services.opsgenie2.property:OpsGenie2Handler",
    "pagerDuty2": "runtime.services.pagerduty2.property:PagerDuty2Handler",
    "email": "runtime.services.smtp.property:EmailHandler",
    "serviceNow": "runtime.services.servicenow.property:ServiceNowHandler",
    "teams": "runtime.services.teams.property:TeamsHandler",
    "snmpTrap": "runtime.services.snmptrap.property:SnmpTrapHandler",
    "kafka": "runtime.services.kafka.property:KafkaHandler",
}
