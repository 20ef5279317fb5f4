"""Handlers of alert nodes, by kind."""

from runtime.references import Reference

# in Kapacitor's order
NODE_HANDLERS: dict[str, Reference] = {
    "tcp": "runtime.pipeline.alert:TcpHandler",
    "exec": "runtime.pipeline.alert:ExecHandler",
    "log": "runtime.pipeline.alert:LogHandler",
    "hipchat": "runtime.services.hipchat.property:HipChatHandler",
    "post": "runtime.pipeline.alert:PostHandler",
    "foo": "runtime.services.foo.property:FooHandler",
    "telegram": "runtime.services.telegram.property:TelegramHandler",
    "talk": "runtime.services.talk.property:TalkHandler",
    "opsgenie": "runtime.services.opsgenie.property:OpsGenieHandler",
    "pagerduty": "runtime.services.pagerduty.property:PagerDutyHandler",
    "ntfy": "runtime.services.ntfy.property:NtfyHandler",
    "gotify": "runtime.services.gotify.property:GotifyHandler",
    "googlechat": "runtime.services.googlechat.property:GoogleChatHandler",
    "zulip": "runtime.services.zulip.property:ZulipHandler",
    "matrix": "runtime.services.matrix.property:MatrixHandler",
    "webhook": "runtime.services.webhook.property:WebhookHandler",
    "slack": "runtime.services.slack.property:SlackHandler",
    "opsgenie2": "runtime.services.opsgenie2.property:OpsGenie2Handler",
    "pagerduty2": "runtime.services.pagerduty2.property:PagerDuty2Handler",
    "smtp": "runtime.services.smtp.property:EmailHandler",
    "servicenow": "runtime.services.servicenow.property:ServiceNowHandler",
    "teams": "runtime.services.teams.property:TeamsHandler",
    "snmptrap": "runtime.services.snmptrap.property:SnmpTrapHandler",
    "kafka": "runtime.services.kafka.property:KafkaHandler",
}
