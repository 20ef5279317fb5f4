"""Properties of the alert node and its handlers: Kapacitor pipeline/alert.go."""

from runtime.integrations.bundled import INTEGRATIONS
from runtime.pipeline.alert import AlertNode, ExecHandler, LogHandler, TcpHandler
from runtime.pipeline.properties import HandlerProperties
from runtime.services.foo.property import FooHandler
from runtime.services.hipchat.property import HipChatHandler


def call(node: AlertNode, name: str, *arguments: str) -> object:
    found = INTEGRATIONS.handler_properties.names_of(AlertNode).find(name)
    assert found is not None
    return found.apply(node, arguments)


def test_handlers_are_kept_in_the_order_of_the_script() -> None:
    node = AlertNode()
    first, other, second = (call(node, each) for each in ("foo", "hipChat", "foo"))
    assert node.handlers_of(FooHandler) == [first, second]
    assert node.handlers_of(HipChatHandler) == [other]


def test_handler_properties_take_arguments() -> None:
    node = AlertNode()
    call(node, "tcp", "a:1")
    call(node, "exec", "ls", "-l")
    call(node, "log", "/tmp/a")
    assert node.handlers == [
        TcpHandler(node, address="a:1"),
        ExecHandler(node, command=("ls", "-l")),
        LogHandler(node, file_path="/tmp/a"),
    ]


def test_each_handler_property_makes_a_handler_of_its_class() -> None:
    known: HandlerProperties = INTEGRATIONS.handler_properties
    for name, handler in INTEGRATIONS.properties.items():
        node = AlertNode()
        arguments = ["a"] * len(handler.call.fixed)
        assert type(call(node, name, *arguments)) is handler
        assert known.name_of(handler) == name
