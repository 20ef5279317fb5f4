"""Handlers that alert nodes have by their scripts, or by configuration alone."""

from runtime.pipeline.alert import ExecHandler, LogHandler, PostHandler, TcpHandler
from runtime.pipeline.handler import AlertHandler
from runtime.services.foo.property import FooHandler
from runtime.services.hipchat.property import HipChatHandler

# in the order in which Kapacitor puts the handlers of a node
NODE_HANDLERS: dict[str, type[AlertHandler]] = {
    "tcp": TcpHandler,
    "exec": ExecHandler,
    "log": LogHandler,
    "hipchat": HipChatHandler,
    "post": PostHandler,
    "foo": FooHandler,
}
