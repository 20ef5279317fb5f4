"""What the alert node and its handlers say: Kapacitor pipeline/alert.go."""

import inspect

import pytest

from runtime.pipeline.alert import (
    HANDLERS,
    AlertNode,
    ExecHandler,
    FooHandler,
    HipChatHandler,
    LogHandler,
    TcpHandler,
)
from runtime.pipeline.properties import Kind, properties_of


def test_handlers_are_kept_in_the_order_of_the_script() -> None:
    node = AlertNode()
    first, other, second = node.foo(), node.hip_chat(), node.foo()
    assert node.handlers_of(FooHandler) == [first, second]
    assert node.handlers_of(HipChatHandler) == [other]


def test_handler_properties_take_arguments() -> None:
    node = AlertNode()
    node.tcp("a:1")
    node.exec("ls", "-l")
    node.log("/tmp/a")
    assert node.handlers == [
        TcpHandler(node, address="a:1"),
        ExecHandler(node, command=("ls", "-l")),
        LogHandler(node, file_path="/tmp/a"),
    ]


def test_each_handler_is_registered_in_every_place() -> None:
    properties = properties_of(AlertNode)
    made = {n: p for n, p in properties.items() if p.kind is Kind.HANDLER}
    assert set(made) == set(HANDLERS)
    for name, found in made.items():
        method = getattr(AlertNode, found.attribute)
        assert method.__annotations__["return"] == HANDLERS[name].__name__


@pytest.mark.parametrize("name", HANDLERS)
def test_each_handler_is_documented(name: str) -> None:
    assert f"* `{name}`: " in inspect.cleandoc(AlertNode.__doc__ or "")
