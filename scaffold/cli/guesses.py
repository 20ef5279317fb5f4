"""Questions in a terminal about the guesses that a curl example leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scaffold import terminal
from scaffold.cli.questions import ask
from scaffold.errors import UsageError
from scaffold.escaping import escaped
from scaffold.inference.roles import Confidence, Proposal, Role, taken_as

_KEEP = "k"  # the guess, whose meaning has no letter
_ROLES: dict[str, Role] = {
    "m": Role.MESSAGE,
    "o": Role.FIELD,
    "s": Role.SECRET,
    "c": Role.CONSTANT,
}

_ENDED = UsageError(
    "end of input; save the spec of the example, correct it, and use it",
    fix="scaffold infer huddle --from-curl @example.txt > huddle.toml",
)


def settled(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Ask about the values of a curl example whose meaning is a guess.

    Raises:
        UsageError: the input ended.
    """
    made = []
    for each in proposals:
        made.append(_settled(each) if each.confidence is Confidence.GUESS else each)
    return made


def _settled(proposal: Proposal) -> Proposal:
    value = proposal.value
    shown = escaped(f"{value.shown} = {value.value!r}")
    terminal.to_stderr(f"{shown}: {proposal.reason}")
    default = next(
        (letter for letter, role in _ROLES.items() if role is proposal.role), _KEEP
    )
    question = "[m]essage, [o]ption, [s]ecret, [c]onstant"
    if default == _KEEP:
        question += f", [k]eep as {proposal.role.value}"
    while True:
        answer = ask(question, default, _ENDED)
        letter = answer[:1].lower()
        if letter == default:
            return replace(proposal, confidence=Confidence.LIKELY)
        if letter in _ROLES:
            return taken_as(proposal, _ROLES[letter])
