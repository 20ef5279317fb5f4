"""Configuration sections and the classes of their values."""

from runtime.references import Reference

SECTIONS: dict[str, Reference] = {
    "foo": "runtime.services.foo.config:Config",
    "googlechat": "runtime.services.googlechat.config:Config",
    "gotify": "runtime.services.gotify.config:Config",
    "hipchat": "runtime.services.hipchat.config:Config",
    "httppost": "runtime.services.httppost.config:Config",
    "kafka": "runtime.services.kafka.config:Config",
    "matrix": "runtime.services.matrix.config:Config",
    "ntfy": "runtime.services.ntfy.config:Config",
    "opsgenie": "runtime.services.opsgenie.config:Config",
    "opsgenie2": "runtime.services.opsgenie2.config:Config",
    "pagerduty": "runtime.services.pagerduty.config:Config",
    "pagerduty2": "runtime.services.pagerduty2.config:Config",
    "servicenow": "runtime.services.servicenow.config:Config",
    "slack": "runtime.services.slack.config:Config",
    "smtp": "runtime.services.smtp.config:Config",
    "snmptrap": "runtime.services.snmptrap.config:Config",
    "talk": "runtime.services.talk.config:Config",
    "teams": "runtime.services.teams.config:Config",
    "telegram": "runtime.services.telegram.config:Config",
    "webhook": "runtime.services.webhook.config:Config",
    "zulip": "runtime.services.zulip.config:Config",
}
