"""The cases of generated tests, as their template sees them."""

from __future__ import annotations

import ast
from typing import NamedTuple

from scaffold.rendering.views.arguments import Argument


class Invalid(NamedTuple):
    """A setting with a value that is refused.

    Attributes:
        test: the name of the test.
        argument: the setting and the value.
        error: the error's text; None if it depends on the address of the fake server.
        accepted: the setting with values that its check names and accepts.
    """

    test: str
    argument: Argument
    error: ast.expr | None
    accepted: list[Argument]


class RefusedOptions(NamedTuple):
    """Options that a check of the definition refuses, and the error."""

    options: list[Argument]
    error: ast.expr


class WrongType(NamedTuple):
    """An option's key, and true if its values are text."""

    key: ast.expr
    is_text: bool


class Want(NamedTuple):
    """A part of the request, and its expected value."""

    key: str
    value: ast.expr

    @property
    def has_empty(self) -> bool:
        """True if a value in it is an empty string."""
        nodes = ast.walk(self.value)
        return any(isinstance(n, ast.Constant) and n.value == "" for n in nodes)


class Case(NamedTuple):
    """A case of the author's.

    Attributes:
        slug: its words, for a name, with an underscore first; or "".
        config: changes of the configuration.
        options: options of the handler.
        event: changes of the event.
        error: the text of the error, or None.
        wants: expected parts of the request.
    """

    slug: str
    config: list[Argument]
    options: list[Argument]
    event: ast.expr
    error: ast.expr | None
    wants: list[Want]


class VariantView(NamedTuple):
    """A variant of the usual configuration, options and event.

    Attributes:
        config: changes of the configuration.
        options: options of the handler; none for the defaults.
        changes: changes of the event, or None.
    """

    config: list[Argument]
    options: list[Argument]
    changes: ast.expr | None


class Renaming(NamedTuple):
    """The same options or settings with a former name and with the present one."""

    old: ast.expr
    new: ast.expr


class AnswerView(NamedTuple):
    """An answer that means failure.

    Attributes:
        status: its status.
        body: its body.
        error: the error of the service.
    """

    status: int
    body: ast.expr
    error: ast.expr


class ConnectionView(NamedTuple):
    """Changes of the usual values, and the settings of the connection.

    Attributes:
        config: changes of the configuration.
        options: options of the handler; none for the defaults.
        settings: the arguments of the settings.
    """

    config: list[Argument]
    options: list[Argument]
    settings: list[Argument]


class RefusedStep(NamedTuple):
    """An answer that fails the condition of a step.

    Attributes:
        before: the number of steps before it.
        body: the body of the answer.
        error: the error of the service.
    """

    before: int
    body: ast.expr
    error: ast.expr


class RetriedView(NamedTuple):
    """Answers that ask for another attempt.

    Attributes:
        status: their status.
        bodies: their bodies, at least one.
    """

    status: int
    bodies: list[ast.expr]


class ExpiredView(NamedTuple):
    """Answers that mean that a login has expired.

    Attributes:
        status: their status.
        bodies: their bodies, at least one.
        before: the number of answers before the first of them.
        total: the number of requests: of two events with one service if all logins are
            kept, else of an attempt after one that failed.
    """

    status: int
    bodies: list[ast.expr]
    before: int
    total: int


class AskingView(NamedTuple):
    """An answer that asks to wait.

    Attributes:
        status: its status.
        body: its body.
        seconds: the time to wait.
    """

    status: int
    body: ast.expr
    seconds: ast.expr


class SectionsView(NamedTuple):
    """Sections of a service, and handlers that choose one of them.

    Attributes:
        other: changes of the usual configuration for another section.
        nameless: changes that leave a section without its name.
        chosen: options of a handler that chooses the other section.
        missing: options of a handler whose section does not exist.
        error: the error of the latter.
        is_flagged: True if one section has to be the default.
    """

    other: list[Argument]
    nameless: list[Argument]
    chosen: list[Argument]
    missing: list[Argument]
    error: ast.expr
    is_flagged: bool
