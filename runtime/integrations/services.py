"""Services that deliver alerts, by configuration section."""

from runtime.references import Reference

SERVICES: dict[str, Reference] = {
    "foo": "runtime.services.foo.service:Service",
    "googlechat": "runtime.services.googlechat.service:Service",
    "gotify": "runtime.services.gotify.service:Service",
    "hipchat": "runtime.services.hipchat.service:Service",
    "httppost": "runtime.services.httppost.service:Service",
    "kafka": "runtime.services.kafka.service:Service",
    "matrix": "runtime.services.matrix.service:Service",
    "ntfy": "runtime.services.ntfy.service:Service",
    "opsgenie": "runtime.services.opsgenie.service:Service",
    "opsgenie2": "runtime.services.opsgenie2.service:Service",
    "pagerduty": "runtime.services.pagerduty.service:Service",
    "pagerduty2": "runtime.services.pagerduty2.service:Service",
    "servicenow": "runtime.services.servicenow.service:Service",
    "slack": "runtime.services.slack.service:Service",
    "smtp": "runtime.services.smtp.service:Service",
    "snmptrap": "runtime.services.snmptrap.service:Service",
    "talk": "runtime.services.talk.service:Service",
    "teams": "runtime.services.teams.service:Service",
    "telegram": "runtime.services.telegram.service:Service",
    "webhook": "runtime.services.webhook.service:Service",
    "zulip": "runtime.services.zulip.service:Service",
}
