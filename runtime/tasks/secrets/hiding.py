"""Scripts and variables as answers of the API show them: without secrets."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from runtime.nodes.secret_properties import ScriptHandlers
from runtime.secrets import Secret, redact
from runtime.tasks.secrets.locations import (
    Location,
    SecretText,
    secret_texts,
    string_tokens,
)
from runtime.tick import lexer
from runtime.tick.format import string_text
from runtime.tick.variables import Var, Vars

log = logging.getLogger("kapacitor.task_store")


class Definition(NamedTuple):
    """The definition of a task or template.

    Attributes:
        script: script as sent.
        variables: values of the script's variables.
    """

    script: str
    variables: Vars


@dataclass(frozen=True, slots=True)
class Shown:
    """A script and its variables, with secrets redacted.

    Attributes:
        script: redacted script; the same object if it has no secrets.
        variables: redacted values.
        properties: properties with secrets: `hipChat.token`.
        secrets: secrets that were found.
    """

    script: str
    variables: Vars
    properties: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = field(default=(), repr=False)

    def hide(self, text: str) -> str:
        """`text`, an error for instance, without the secrets."""
        return redact(text, self.secrets)

    def warn(self, id: str, what: str = "task") -> None:
        """Log a warning if a script contains secrets, once for each definition."""
        if self.properties:
            log.warning(
                "found secrets in a script: move them to the configuration",
                extra={what: id, "properties": ",".join(self.properties)},
            )


class RedactedViews:
    """Redacts scripts and variables, once for each definition."""

    def __init__(self, handlers: ScriptHandlers) -> None:
        """Hide the secrets of `handlers`."""
        self.handlers = handlers
        self._known: dict[str, tuple[Definition, Shown]] = {}

    def of(self, id: str, definition: Definition) -> Shown:
        """Redact the task or template of that ID."""
        known = self._known.get(id)
        if known is None or known[0] != definition:
            known = definition, shown(definition, self.handlers)
            self._known[id] = known
        return known[1]

    def forget(self, id: str) -> None:
        """Drop cached entries of deleted definitions."""
        self._known.pop(id, None)


def shown(definition: Definition, handlers: ScriptHandlers) -> Shown:
    """Redact.

    Args:
        definition: stored definition.
        handlers: script handlers, with the names of their secret fields.
    """
    script, variables = definition
    hidden = [
        each for each in secret_texts(script, variables, handlers) if each.is_hidden
    ]
    if not hidden:
        return Shown(script, variables)
    secrets = [Secret(each.value, is_known=False) for each in hidden]
    texts = {each.location: each.shown for each in hidden}
    literals = {
        each.location.start: string_text(each.shown, triple=each.text.startswith("'''"))
        for each in hidden
    }
    return Shown(
        _uncommented(rewritten(script, literals), hidden),
        replaced(variables, texts),
        tuple(dict.fromkeys(each.purpose for each in hidden if each.purpose)),
        tuple(secrets),
    )


def rewritten(script: str, literals: Mapping[int, str]) -> str:
    """`script` with other literals, each by its offset in bytes."""
    parts: list[str] = []
    end = 0
    for start, token in string_tokens(script).items():
        if start in literals:
            parts.extend((script[end : token.start], literals[start]))
            end = token.end
    return "".join((*parts, script[end:]))


def replaced(variables: Vars, texts: Mapping[Location, str]) -> Vars:
    """`variables` with other texts."""
    return {name: _replaced(name, var, texts) for name, var in variables.items()}


def _replaced(name: str, var: Var, texts: Mapping[Location, str]) -> Var:
    if isinstance(var.value, tuple):
        items = [
            replace(item, value=texts.get(Location(-1, name, index), item.value))
            for index, item in enumerate(var.value)
        ]
        return replace(var, value=tuple(items))
    return replace(var, value=texts.get(Location(-1, name), var.value))


def _uncommented(script: str, hidden: Sequence[SecretText]) -> str:
    """`script` without the secrets in its comments."""
    values = {each.value for each in hidden if len(each.value) > 2}
    if "//" not in script or not any(value in script for value in values):
        return script
    secrets = [Secret(value, is_known=False) for value in values]
    parts: list[str] = []
    end = 0
    for token in lexer.tokens(script):
        gap = script[end : token.start]
        parts.append(redact(gap, secrets) if "//" in gap else gap)
        parts.append(script[token.start : token.end])
        end = token.end
    return "".join(parts)
