"""Values that are secret by their name, where their type says nothing: headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"
_SECRET = re.compile("token|secret|password|key|auth|cookie", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether what is called so is likely to be a secret."""
    return _SECRET.search(name) is not None


def hidden(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values`, sorted, with `***` for those that are secret by their name."""
    return {
        name: HIDDEN if value and is_secret_name(name) else value
        for name, value in sorted(values.items())
    }


def restored(
    values: Mapping[str, Any], before: Mapping[str, Any] | None
) -> dict[str, Any]:
    """`values` with what `before` holds where a client sent back what hides it."""
    known = before or {}
    return {
        name: known.get(name, value) if value == HIDDEN else value
        for name, value in values.items()
    }
