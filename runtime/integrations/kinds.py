"""Handler kinds that the HTTP API accepts, and the classes of their options."""

from typing import Any

from runtime.services.alert.kinds.aggregate import AggregateHandlerConfig
from runtime.services.alert.kinds.exec import ExecHandlerConfig
from runtime.services.alert.kinds.log import LogHandlerConfig
from runtime.services.alert.kinds.publish import PublishHandlerConfig
from runtime.services.alert.kinds.tcp import TCPHandlerConfig
from runtime.services.foo.handler import HandlerConfig as FooHandlerConfig
from runtime.services.hipchat.handler import HandlerConfig as HipChatHandlerConfig
from runtime.services.httppost.service import HandlerConfig as HttpPostHandlerConfig

KINDS: dict[str, type[Any]] = {
    "aggregate": AggregateHandlerConfig,
    "exec": ExecHandlerConfig,
    "foo": FooHandlerConfig,
    "hipchat": HipChatHandlerConfig,
    "log": LogHandlerConfig,
    "post": HttpPostHandlerConfig,
    "publish": PublishHandlerConfig,
    "tcp": TCPHandlerConfig,
}
