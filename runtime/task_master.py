"""The tasks that run, and the stream of writes that feeds them."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.services.foo.service import Service as FooService


@dataclass(frozen=True, slots=True)
class HandlerServices:
    """The services that deliver alerts; replays share the one object."""

    foo: FooService
