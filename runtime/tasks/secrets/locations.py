"""Locations in a script, or its task's variables, that may hold a secret."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from runtime.errors import ScriptError
from runtime.nodes.secret_properties import ScriptHandlers
from runtime.pipeline.alert import PostHandler
from runtime.pipeline.output import HTTPPostNode
from runtime.pipeline.texts import Use, declared, uses
from runtime.secrets import Secret, redact
from runtime.secrets.names import HIDDEN, is_secret_name
from runtime.secrets.urls import hidden_url, holds_password, is_url_name
from runtime.tick import lexer
from runtime.tick.literals import LITERALS
from runtime.tick.parser import parse
from runtime.tick.variables import Var

# Shorter texts are hidden only as whole values: they may be words.
_PART_CHARACTERS = 8


class _Kind(enum.IntEnum):
    """The kind of a property's value; of two that use a string, the first counts."""

    SECRET = enum.auto()
    URL = enum.auto()
    NOTHING = enum.auto()


# for each handler, sorted: name of the property, key of a pair, texts and other values
Context = tuple[tuple[tuple[str, str, tuple[str, ...]], ...], ...]
# in place of the text whose context it is
_ITSELF = "\0"


class Location(NamedTuple):
    """The location of a string.

    Attributes:
        start: byte offset of its literal in the script; -1 for the value of a variable.
        variable: name of the variable.
        item: index in a list variable; -1 if the variable is not a list.
    """

    start: int
    variable: str = ""
    item: int = -1


@dataclass(frozen=True, slots=True)
class SecretText:
    """A text that may be a secret.

    Attributes:
        location: position of the text.
        purpose: purpose, such as `hipChat.token`; "" for a text that only looks like a
            secret.
        value: the text.
        shown: text in API responses; the same if it is not a secret.
        text: literal with its quotes.
        variable: variable that holds it, and its position there; () if none does.
        context: other values given to the handlers that get the text; () if none does.
        context_shown: the same, as shown in API responses.
    """

    location: Location
    purpose: str
    value: str
    shown: str
    text: str = ""
    variable: tuple[str, int] | tuple[()] = ()
    context: Context = ()
    context_shown: Context = ()

    @property
    def is_hidden(self) -> bool:
        """True if it is redacted."""
        return self.shown != self.value


def string_tokens(script: str) -> dict[int, lexer.Token]:
    """The literals of texts in a script, by their offset in bytes."""
    offsets = lexer.ByteOffsets(script)
    found = lexer.tokens(script)
    return {offsets.of(each.start): each for each in found if each.kind == lexer.STRING}


def value_of(token: lexer.Token) -> str:
    """The text of a literal."""
    return str(getattr(LITERALS[lexer.STRING](token.text, 0, ()), "value", ""))


def secret_texts(
    script: str, variables: Mapping[str, Var], handlers: ScriptHandlers
) -> list[SecretText]:
    """The texts that may be secrets, in the order of the script.

    Args:
        script: script as stored or sent.
        variables: variables that the task sets.
        handlers: script handlers, with the names of their secret fields.
    """
    tokens = string_tokens(script)
    try:
        program = parse(script)
    except ScriptError:
        # the purpose of its texts is unknown
        return [
            SecretText(Location(start), "", value_of(token), HIDDEN, text=token.text)
            for start, token in tokens.items()
        ]
    all_uses = uses(program, handlers.properties)
    found = _of_uses(all_uses, variables, handlers)
    for start, token in tokens.items():
        if (location := Location(start)) in found:
            found[location] = replace(found[location], text=token.text)
    hidden = [each.value for each in found.values() if each.shown == HIDDEN]
    found.update(_elsewhere(script, tokens, variables, found.keys(), hidden))
    places = {Location(start): place for start, place in declared(program).items()}
    shown = {location: each.shown for location, each in found.items()}
    contexts = _Contexts(all_uses, variables)
    return [
        replace(
            found[location],
            variable=(
                (location.variable, location.item)
                if location.variable
                else places.get(location, ())
            ),
            context=contexts.of(location, {}),
            context_shown=contexts.of(location, shown),
        )
        for location in sorted(found)
    ]


class _Contexts:
    """The arguments of handlers, to detect changes in the context of a secret."""

    def __init__(self, all_uses: Iterable[Use], variables: Mapping[str, Var]) -> None:
        self._variables = variables
        self._handlers: dict[int, list[Use]] = {}
        self._users: dict[Location, dict[int, None]] = {}
        for use in all_uses:
            self._handlers.setdefault(use.number, []).append(use)
            for location in _texts_of(use, variables):
                self._users.setdefault(location, {})[use.number] = None

    def of(self, location: Location, shown: Mapping[Location, str]) -> Context:
        """The other values given to the handlers that get the text at `location`.

        Args:
            location: position of the text.
            shown: replacements by location; other texts stay unchanged.
        """
        given = dict(shown) | {location: _ITSELF}
        handlers = (self._handlers[number] for number in self._users.get(location, ()))
        # sorted, as the order in the script does not matter
        return tuple(
            sorted(tuple(sorted(self._line(use, given) for use in h)) for h in handlers)
        )

    def _line(
        self, use: Use, given: Mapping[Location, str]
    ) -> tuple[str, str, tuple[str, ...]]:
        texts = _texts_of(use, self._variables)
        values = (given.get(location, text) for location, text in texts.items())
        others = list(use.value.others)
        for name in use.value.variables:
            var = self._variables.get(name)
            if var is not None and not isinstance(var.value, str | tuple):
                others.append(str(var.value))
        return use.name, use.key, (*values, "", *others)


def _of_uses(
    all_uses: Iterable[Use], variables: Mapping[str, Var], handlers: ScriptHandlers
) -> dict[Location, SecretText]:
    found: dict[Location, tuple[_Kind, SecretText]] = {}
    for use in all_uses:
        kind = _kind(use, handlers)
        if kind is _Kind.NOTHING:
            continue
        for candidate in _of_use(use, kind, variables):
            if candidate.location not in found or kind < found[candidate.location][0]:
                found[candidate.location] = kind, candidate
    return {location: candidate for location, (_, candidate) in found.items()}


def _kind(use: Use, handlers: ScriptHandlers) -> _Kind:
    is_secret = (
        is_secret_name(use.key)
        if use.key
        else use.field in handlers.secret_fields(use.owner)
    )
    if is_secret:
        return _Kind.SECRET
    if is_url_name(use.key or use.field):
        return _Kind.URL
    called = not use.field and use.owner in (PostHandler, HTTPPostNode)
    return _Kind.URL if called else _Kind.NOTHING


def _of_use(
    use: Use, kind: _Kind, variables: Mapping[str, Var]
) -> Iterator[SecretText]:
    texts = _texts_of(use, variables)
    whole = "".join(texts.values())
    purpose = f"{use.name} {use.key}" if use.key else use.name
    for location, text in texts.items():
        if kind is _Kind.URL and (use.value.is_whole or hidden_url(whole) == whole):
            shown = hidden_url(text)
        else:
            shown = HIDDEN if text else ""
        yield SecretText(location, purpose, text, shown)


def _texts_of(use: Use, variables: Mapping[str, Var]) -> dict[Location, str]:
    """The texts in a use: literals, and variables that the task sets."""
    texts = {Location(each.position): each.value for each in use.value.literals}
    for name in use.value.variables:
        if name in variables:
            texts.update(_texts(name, variables[name]))
    return texts


def _texts(name: str, var: Var) -> Iterator[tuple[Location, str]]:
    """The texts that a variable holds."""
    if isinstance(var.value, str):
        yield Location(-1, name), var.value
    if isinstance(var.value, tuple):
        for index, item in enumerate(var.value):
            if isinstance(item.value, str):
                yield Location(-1, name, index), item.value


def _elsewhere(
    script: str,
    tokens: Mapping[int, lexer.Token],
    variables: Mapping[str, Var],
    known: Iterable[Location],
    hidden: Iterable[str],
) -> dict[Location, SecretText]:
    """The texts that repeat a secret, are URLs with one, or contain `***`."""
    apart = set(known)
    values = frozenset(hidden)
    long = [Secret(each, is_known=False) for each in values if _is_long(each)]
    texts: list[tuple[Location, str, str]] = []
    for start, token in tokens.items():
        texts.append((Location(start), value_of(token), token.text))
    for name, var in variables.items():
        texts.extend((location, text, "") for location, text in _texts(name, var))
    found = {}
    for location, value, text in texts:
        shown = HIDDEN if len(value) > 2 and value in values else redact(value, long)
        # unused strings may be URLs too
        shown = hidden_url(value) if holds_password(value) else shown
        if location not in apart and (shown != value or HIDDEN in value):
            found[location] = SecretText(location, "", value, shown, text=text)
    return found


def _is_long(text: str) -> bool:
    return len(text) >= _PART_CHARACTERS
