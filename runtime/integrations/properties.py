"""TICKscript properties that add handlers to alert nodes."""

from runtime.pipeline.alert import ExecHandler, LogHandler, PostHandler, TcpHandler
from runtime.pipeline.handler import AlertHandler
from runtime.services.foo.property import FooHandler
from runtime.services.hipchat.property import HipChatHandler

PROPERTIES: dict[str, type[AlertHandler]] = {
    "post": PostHandler,
    "tcp": TcpHandler,
    "exec": ExecHandler,
    "log": LogHandler,
    "hipChat": HipChatHandler,
    "foo": FooHandler,
}
