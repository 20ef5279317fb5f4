"""Handlers of alert nodes, by kind."""

from runtime.pipeline.alert import ExecHandler, LogHandler, PostHandler, TcpHandler
from runtime.pipeline.handler import AlertHandler
from runtime.services.foo.property import FooHandler
from runtime.services.hipchat.property import HipChatHandler

# in Kapacitor's order
NODE_HANDLERS: dict[str, type[AlertHandler]] = {
    "tcp": TcpHandler,
    "exec": ExecHandler,
    "log": LogHandler,
    "hipchat": HipChatHandler,
    "post": PostHandler,
    "foo": FooHandler,
}
