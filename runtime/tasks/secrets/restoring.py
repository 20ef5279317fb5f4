"""Secrets put back in place of the placeholders that a client sent."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.errors import InvalidError
from runtime.nodes.secret_properties import ScriptHandlers
from runtime.secrets.names import HIDDEN, has_placeholder, is_placeholder
from runtime.tasks.secrets.hiding import (
    Definition,
    replaced,
    rewritten,
    shown,
)
from runtime.tasks.secrets.locations import Location, SecretText, secret_texts
from runtime.tick.format import string_text


def restored(
    sent: Definition, before: Definition | None, handlers: ScriptHandlers
) -> Definition:
    """`sent` with secrets of `before` in place of its placeholders.

    A secret returns to the variable of the same name, or to the same property of a
    handler whose other values are the same. Anything else would be a guess, which might
    send the token of one team to the room of another.

    Args:
        sent: definition that a client sent.
        before: stored definition, or None.
        handlers: script handlers, with the names of their secret fields.

    Raises:
        RefusedError: a placeholder stands for a secret that is not stored.
    """
    if sent == before or not _hides(sent):
        return sent
    olds: list[SecretText] = []
    masked, same = sent.variables, frozenset[str]()
    if before is not None:
        seen = shown(before, handlers)
        if sent.script == seen.script and sent.variables in (
            seen.variables,
            before.variables,
        ):
            return before
        olds = secret_texts(before.script, before.variables, handlers)
        # a request without variables has the stored ones, which are compared as shown
        same = frozenset(
            name for name, var in masked.items() if var == before.variables.get(name)
        )
        masked = {
            name: seen.variables[name] if name in same else var
            for name, var in masked.items()
        }
    found: dict[Location, SecretText] = {}
    for candidate in secret_texts(sent.script, masked, handlers):
        if candidate.location.variable in same:
            continue
        if HIDDEN not in candidate.value and not is_placeholder(candidate.value):
            continue
        kept = _kept(candidate, olds)
        if kept is not None:
            found[candidate.location] = kept
    literals = {location.start: _literal(each) for location, each in found.items()}
    texts = {location: each.value for location, each in found.items()}
    return Definition(rewritten(sent.script, literals), replaced(sent.variables, texts))


def _hides(sent: Definition) -> bool:
    values = [var.value for var in sent.variables.values()]
    items = [
        each.value for value in values if isinstance(value, tuple) for each in value
    ]
    texts = (sent.script, *values, *items)
    return any(isinstance(each, str) and has_placeholder(each) for each in texts)


def _kept(candidate: SecretText, olds: Sequence[SecretText]) -> SecretText | None:
    """The hidden text that `candidate` stands for; None if it is an ordinary `***`.

    Raises:
        RefusedError: `candidate` is a secret, and none or several of the stored texts
            fit.
    """
    known = [
        old
        for old in olds
        if (old.purpose, old.shown) == (candidate.purpose, candidate.value)
        and old.is_hidden
    ]
    same = [
        old
        for old in known
        if candidate.variable and old.variable == candidate.variable
    ]
    if not same:
        same = [
            old
            for old in known
            if candidate.context and old.context_shown == candidate.context
        ]
    # handlers that are given the same may still have different secrets
    if len({old.value for old in same}) == 1:
        return same[0]
    if known or candidate.purpose:
        raise InvalidError(_refusal(candidate, is_known=bool(known)))
    return None


def _literal(candidate: SecretText) -> str:
    return candidate.text or string_text(candidate.value)


def _refusal(candidate: SecretText, *, is_known: bool) -> str:
    where = (
        f"variable {candidate.location.variable}"
        if candidate.location.variable
        else "script"
    )
    placeholder = candidate.value if is_placeholder(candidate.value) else HIDDEN
    reason = (
        "of a variable that was renamed, or of a handler that was changed"
        if is_known
        else "that is not stored here"
    )
    return (
        f"the {where} has {placeholder} in place of a secret"
        f" ({candidate.purpose or 'repeated in a text'}) {reason}:"
        " write the secret or, better, move it to the configuration"
    )
