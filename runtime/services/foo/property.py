"""The property `.foo()` of alert nodes in scripts."""

from dataclasses import dataclass

from runtime.pipeline.handler import AlertHandler


@dataclass(slots=True)
class FooHandler(AlertHandler):
    """What `.foo()` says.

    Attributes:
        room: the room to post to; empty means the configured one.
    """

    room: str = ""
