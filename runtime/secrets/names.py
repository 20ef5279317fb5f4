"""Names that are likely to belong to secrets."""

from __future__ import annotations

import re

HIDDEN = "***"
# Placeholders of other programs for secrets: `<redacted>` (Kapacitor and InfluxDB),
# `<secret>` (Prometheus and Alertmanager), `[REDACTED]` (Grafana), stars, dots. A match
# begins only where a run of brackets begins: a search from each of 20,000 would take
# the square of their number.
_PLACEHOLDER = re.compile(
    r"\*{3,}|[•●]{3,}|(?<![<\[({])[<\[({]+ *(?:redacted|hidden|masked|secret|removed) *[>\])}]+"
    r"|\**redacted\**",
    re.IGNORECASE,
)
_SECRET = re.compile("token|secret|password|key|auth|cookie", re.IGNORECASE)


def is_placeholder(value: object) -> bool:
    """True if a value is a placeholder of a secret."""
    return isinstance(value, str) and _PLACEHOLDER.fullmatch(value.strip()) is not None


def has_placeholder(text: str) -> bool:
    """True if a string may contain a placeholder of a secret."""
    return _PLACEHOLDER.search(text) is not None


def is_secret_name(name: str) -> bool:
    """True if this is likely to be the name of a secret."""
    return _SECRET.search(name) is not None
