"""Specs from the curl example of a vendor's API page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from scaffold.commands.description import read_text
from scaffold.errors import UsageError
from scaffold.flags import Flags
from scaffold.inference.curl import request
from scaffold.inference.draft import SpecDraft, drafted
from scaffold.inference.roles import Proposal, proposals
from scaffold.report import Report
from scaffold.spec.parse import parse

Settle = Callable[[Sequence[Proposal]], Sequence[Proposal]]
"""Asks a person about proposals that are guesses."""


def inferred(source: str, flags: Flags, settle: Settle | None = None) -> SpecDraft:
    """The spec of a handler that sends the request of a curl example.

    Args:
        source: the example; `@FILE` for a file with it, `-` for standard input.
        flags: name and title of the handler, its switches, and the key or place of the
            message in the example.
        settle: asks about guesses; None to take them.

    Raises:
        UsageError: the example cannot be read, or a spec cannot describe its request.
    """
    _check_flags(flags)
    sent, message_at = request(_text(source)), flags.message_key
    found: Sequence[Proposal] = proposals(sent, message_at)
    if message_at and not any(
        message_at in (p.value.key, p.value.shown) for p in found
    ):
        known = ", ".join(dict.fromkeys(each.value.shown for each in found))
        raise UsageError(
            f"the example has no value {message_at!r} for --message-key (it has: {known})"
        )
    if settle is not None:
        found = settle(found)
    handler: dict[str, Any] = dict(flags.handler_keys())
    if len(flags.switches()) > 1:
        handler["flags"] = flags.switches()
    return drafted(flags.name, sent, found, handler)


def infer(source: str, flags: Flags) -> Report:
    """`scaffold infer`: the spec as text.

    Raises:
        UsageError: the example cannot be read, or a spec cannot describe its request.
        SpecError: the spec is invalid, by the handler's name for one.
    """
    draft = inferred(source, flags)
    parse(draft.text)
    return Report(
        "infer",
        output=draft.text,
        summary="one spec",
        notes=[*draft.reasons, *draft.doubts],
        extra={"spec": draft.text, "reasons": draft.reasons, "doubts": draft.doubts},
    )


def _check_flags(flags: Flags) -> None:
    if not flags.name:
        raise UsageError(
            "NAME is required", fix="scaffold infer huddle --from-curl @example.txt"
        )
    described = replace(flags, message_key="").describes_request
    if flags.fields or flags.config or flags.options or described:
        raise UsageError(
            "--from-curl cannot be combined with --field, --config, --option, --auth, "
            "--url and --form; edit the spec that it makes"
        )


def _text(source: str) -> str:
    if source == "-":
        return read_text("-")
    if source.startswith("@"):
        return read_text(source[1:])
    return source
