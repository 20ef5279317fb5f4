"""Names of what is likely to be a secret."""

from __future__ import annotations

import re

HIDDEN = "***"
_SECRET = re.compile("token|secret|password|key|auth|cookie", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Whether what is called so is likely to be a secret."""
    return _SECRET.search(name) is not None
