"""The answer of the generated fake server."""

from __future__ import annotations

import json
from typing import Any

from runtime.toml_lines import positions
from scaffold.errors import Fault, SpecError
from scaffold.spec.model.handler import HandlerSpec
from scaffold.spec.reader import Path, shown
from scaffold.spec.steps import replies

_REMEDY = "a JSON object: the fake server answers all requests alike"


def reply(spec: HandlerSpec) -> str:
    """The body of an answer that means success, with the keys that are read of steps.

    Raises:
        SpecError: a body cannot be part of such an answer.
    """
    accepted = spec.response.accepted
    if not spec.is_stepped:
        return accepted
    read = replies(spec)
    made = read["response"]
    for index, request in enumerate(spec.requests):
        if request.name:
            made = _merged(made, read[request.name])
            path = ("request", index, "accepted")
            made = _merged(made, _object(spec, request.accepted, path))
    made = _merged(made, _object(spec, accepted, ("response", "accepted")))
    return json.dumps(made, ensure_ascii=False) if made else accepted


def unaccepted(
    spec: HandlerSpec, table: Path, accepted: str, key: str = "that"
) -> SpecError:
    """The error where the fake server's answer means failure.

    Args:
        spec: the spec.
        table: the table of the condition.
        accepted: the answer that the table gives, or "".
        key: the condition: `that`, which fails, or `expired`, which holds.
    """
    needed = "passes it" if key == "that" else "it is false for"
    problem = (
        f"the body {'fails' if key == 'that' else 'fulfills'} {key!r}"
        if accepted
        else f"needs a body that {needed}, for the generated tests"
    )
    where = (*table, "accepted" if accepted else key)
    allowed = "accepted = '…' with an answer that means success"
    line = positions(spec.text).line(where)
    return SpecError([Fault(shown(where), problem, allowed, line=line)], spec.path)


def _object(spec: HandlerSpec, text: str, path: Path) -> dict[str, Any]:
    """A body as an object; an empty one without a body."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found
    line = positions(spec.text).line(path)
    fault = Fault(shown(path), "cannot answer all requests", _REMEDY, line=line)
    raise SpecError([fault], spec.path)


def _merged(tree: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two objects merged; where they differ, the second one counts."""
    made = dict(tree)
    for key, value in other.items():
        known = made.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            value = _merged(known, value)
        made[key] = value
    return made
