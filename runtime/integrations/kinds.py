"""Handler kinds that the HTTP API accepts, and the classes of their options."""

from runtime.references import Reference

KINDS: dict[str, Reference] = {
    "aggregate": "runtime.services.alert.kinds.aggregate:AggregateHandlerConfig",
    "exec": "runtime.services.alert.kinds.exec:ExecHandlerConfig",
    "foo": "runtime.services.foo.handler:HandlerConfig",
    "googlechat": "runtime.services.googlechat.handler:HandlerConfig",
    "gotify": "runtime.services.gotify.handler:HandlerConfig",
    "hipchat": "runtime.services.hipchat.handler:HandlerConfig",
    "kafka": "runtime.services.kafka.handler:HandlerConfig",
    "log": "runtime.services.alert.kinds.log:LogHandlerConfig",
    "matrix": "runtime.services.matrix.handler:HandlerConfig",
    "ntfy": "runtime.services.ntfy.handler:HandlerConfig",
    "opsgenie": "runtime.services.opsgenie.handler:HandlerConfig",
    "opsgenie2": "runtime.services.opsgenie2.handler:HandlerConfig",
    "pagerduty": "runtime.services.pagerduty.handler:HandlerConfig",
    "pagerduty2": "runtime.services.pagerduty2.handler:HandlerConfig",
    "post": "runtime.services.httppost.service:HandlerConfig",
    "publish": "runtime.services.alert.kinds.publish:PublishHandlerConfig",
    "servicenow": "runtime.services.servicenow.handler:HandlerConfig",
    "slack": "runtime.services.slack.handler:HandlerConfig",
    "smtp": "runtime.services.smtp.handler:HandlerConfig",
    "snmptrap": "runtime.services.snmptrap.handler:HandlerConfig",
    "talk": "runtime.services.talk.handler:HandlerConfig",
    "tcp": "runtime.services.alert.kinds.tcp:TCPHandlerConfig",
    "teams": "runtime.services.teams.handler:HandlerConfig",
    "telegram": "runtime.services.telegram.handler:HandlerConfig",
    "webhook": "runtime.services.webhook.handler:HandlerConfig",
    "zulip": "runtime.services.zulip.handler:HandlerConfig",
}
