"""Views of tasks and templates."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.errors import InvalidError
from runtime.golang.quoting import quote
from runtime.services.httpd.messages import Request


@dataclass(frozen=True, slots=True)
class View:
    """The format of tasks in an answer.

    Attributes:
        raw: True to return scripts as sent.
        labels: True for statistics in `dot` as labels instead of attributes.
    """

    raw: bool = False
    labels: bool = False

    @classmethod
    def of(cls, request: Request) -> View:
        """Read from a request.

        Raises:
            RefusedError: a value is unknown.
        """
        script = request.parameter("script-format") or "formatted"
        if script not in ("formatted", "raw"):
            raise InvalidError(f"invalid script-format parameter {quote(script)}")
        dot = request.parameter("dot-view") or "attributes"
        if dot not in ("attributes", "labels"):
            raise InvalidError(f"invalid dot-view parameter {quote(dot)}")
        return cls(script == "raw", dot == "labels")
