"""How many examples property tests try.

The profile decides (`desk` or `deep`, see `conftest.py`); a test whose examples take
long asks for fewer of them, one whose examples take no time for more.
"""

from __future__ import annotations

from hypothesis import settings


def share(of_profile: float) -> int:
    """A number of examples: this share of what the profile says."""
    return max(1, round(settings.default.max_examples * of_profile))
