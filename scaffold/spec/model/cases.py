"""The author's cases: options of the service test, and examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaffold.expressions.code import Code
from scaffold.spec.model.settings import Setting


@dataclass(frozen=True)
class TestField(Setting):
    """An option of the service test.

    Attributes:
        code: its default where that comes from the configuration, or None.
        feeds: value that it sets: `event.message`, `opt.room`.
    """

    code: Code | None = None
    feeds: str = ""

    __test__ = False  # for pytest, which collects classes named Test…


@dataclass(frozen=True)
class Example:
    """A case of the author, which becomes a test.

    Attributes:
        name: name of the test.
        config: settings, by key.
        options: options of the handler, by key.
        event: values of the event.
        want: expected request, or error.
    """

    name: str
    config: Mapping[str, Any]
    options: Mapping[str, Any]
    event: Mapping[str, Any]
    want: Mapping[str, Any]
